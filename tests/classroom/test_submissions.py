"""Reading what a student has handed in."""

import json

import pytest

from course_lib.classroom import submissions


def written(tmp_path, cells, **more):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells, **more}), encoding="utf-8")
    return submissions.read(path)


def code(source, **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata}


def test_cells(tmp_path):
    read = written(tmp_path, [code(["a = 1\n", "b"], nbgrader={"grade_id": "x"}), code("c"),
                              {"cell_type": "markdown", "source": "text", "metadata": {"nbgrader": {"grade_id": "q"}}}])
    assert read.code() == [[1, "a = 1\nb"], [2, "c"]] and read.written("q") == "text"
    assert read.written("other") is None and read.problem == "" and len(read.digest) == 64
    assert read.framework == "pytorch" and not read.notes


@pytest.mark.parametrize(("sources", "framework", "notes"), [
    (['framework = "keras"'], "keras", 0), (["framework='pytorch'  # or keras"], "pytorch", 0),
    (['framework = "keras"', 'x = 1\nframework = "pytorch"'], "pytorch", 0),
    (['framework = "jax"'], "pytorch", 1), (['  framework = "keras"'], "pytorch", 0),
    (["framework = keras"], "pytorch", 0)])
def test_the_framework(tmp_path, sources, framework, notes):
    read = written(tmp_path, [code(source) for source in sources])
    assert read.framework == framework and len(read.notes) == notes


def test_an_older_notebook_without_metadata(tmp_path):
    read = written(tmp_path, [{"cell_type": "code", "source": "x"}], nbformat=4, nbformat_minor=0)
    assert read.code() == [[1, "x"]]


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"cells": 3}', b'{"cells": [3]}', b"\xff\xfe",
                                  b"[" * 10**5,
                                  b'{"cells": [{"cell_type": "code"}]}', b'{"cells": [{"cell_type": 1, "source": ""}]}',
                                  b'{"cells": [{"cell_type": "code", "source": {}, "metadata": []}]}',
                                  b'{"worksheets": []}'])
def test_damaged_files(tmp_path, data):
    (tmp_path / "a.ipynb").write_bytes(data)
    read = submissions.read(tmp_path / "a.ipynb")
    assert read.problem == "the file is not a notebook, or a damaged one" and read.cells == ()


def test_what_is_no_file(tmp_path):
    assert submissions.read(tmp_path / "a.ipynb").problem == "no notebook a.ipynb was handed in"
    (tmp_path / "a.ipynb").mkdir()
    assert submissions.read(tmp_path / "a.ipynb").problem == "a.ipynb is not a file"
    (tmp_path / "b.ipynb").symlink_to(tmp_path / "c")
    assert "b.ipynb" in submissions.read(tmp_path / "b.ipynb").problem


def test_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_BYTES", 1_000)
    assert "more than 0 MiB" in written(tmp_path, [code("x" * 1_000)]).problem
    monkeypatch.setattr(submissions, "MOST_CELLS", 2)
    assert written(tmp_path, [code("x")] * 3).problem == "the notebook has more than 2 cells"

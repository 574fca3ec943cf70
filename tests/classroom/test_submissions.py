"""Reading what a student has handed in."""

import io
import json
import os
import zipfile

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
    assert read.code() == [[1, "a = 1\nb"], [2, "c"]] and read.cells[2].grade_id == "q"
    assert read.problem == "" and len(read.digest) == 64 and read.framework == "" and not read.notes


@pytest.mark.parametrize(("sources", "framework", "notes"), [
    (['framework = "keras"'], "keras", 0), (["framework='pytorch'  # or keras"], "pytorch", 0),
    (['framework = "keras"', 'x = 1\nframework = "pytorch"'], "pytorch", 0),
    (['framework: str = "keras"'], "keras", 0), (['CHOICE = "keras"\nframework = CHOICE'], "keras", 0),
    (['framework = "jax"'], "", 1), (['  framework = "keras"'], "", 0), (["framework = use(framework).name"], "", 0),
    (['framework = use("keras").name'], "keras", 0)])
def test_the_framework(tmp_path, sources, framework, notes):
    read = written(tmp_path, [code(source) for source in sources])
    assert read.framework == framework and len(read.notes) == notes


def test_an_older_notebook_without_metadata(tmp_path):
    read = written(tmp_path, [{"cell_type": "code", "source": "x"}], nbformat=4, nbformat_minor=0)
    assert read.code() == [[1, "x"]]


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"cells": 3}', b"\xff\xfe", b"[" * 10**5, b"3",
                                  b'{"worksheets": 3}', b'{"worksheets": [{}]}', b"\x93\x94"])
def test_damaged_files(tmp_path, data):
    (tmp_path / "a.ipynb").write_bytes(data)
    read = submissions.read(tmp_path / "a.ipynb")
    assert read.problem == "the file is not a notebook, or a damaged one" and read.cells == ()


@pytest.mark.parametrize("cell", [3, None, "x", [], {}, {"cell_type": 1}, {"source": {}, "metadata": []},
                                  {"outputs": 1}, {"metadata": {"nbgrader": None}, "outputs": [1, {"data": 2}]}])
def test_a_damaged_cell_costs_no_other(tmp_path, cell):
    read = written(tmp_path, [code("a"), cell, code("b")])
    assert read.code()[0] == [1, "a"] and read.code()[-1] == [3, "b"] and not read.problem
    assert read.notes == (() if isinstance(cell, dict) else ("cell 2 cannot be read, and was left out",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(tmp_path, encoding):
    text = json.dumps({"cells": [code("x = 'é\u2028'\r\ny")]}, ensure_ascii=False)
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}" if encoding == "utf-16-le" else ""
    (tmp_path / "a.ipynb").write_bytes((mark + text).encode(encoding))
    assert submissions.read(tmp_path / "a.ipynb").code() == [[1, "x = 'é\u2028'\ny"]]


def test_format_3(tmp_path):
    cells = [{"cell_type": "heading", "source": "Title"}, {"cell_type": "code", "input": ["a\n", "b"], "outputs": []}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}), encoding="utf-8")
    read = submissions.read(tmp_path / "a.ipynb")
    assert [cell.kind for cell in read.cells] == ["markdown", "code"] and read.code() == [[2, "a\nb"]]


def test_what_is_no_file(tmp_path):
    (tmp_path / "a.ipynb").mkdir()
    assert submissions.read(tmp_path / "a.ipynb").problem == "a.ipynb is not a file"
    (tmp_path / "b.ipynb").symlink_to(tmp_path / "c")
    assert "b.ipynb" in submissions.read(tmp_path / "b.ipynb").problem


NAME, GOOD = "02_pruning", json.dumps({"cells": []}).encode()


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__dot__", "."), data)
    return buffer.getvalue()


@pytest.mark.parametrize(("files", "problem", "note"), [
    ({}, "no notebook 02_pruning.ipynb was handed in", None),
    ({"02_pruning.ipynb": GOOD, "02_pruning (1).ipynb": b""}, "", None),
    ({"02_pruning (1).ipynb": GOOD}, "", "02_pruning (1).ipynb was taken for 02_pruning.ipynb"),
    ({"a/b/carl_02_pruning-1.ipynb": GOOD}, "", "a/b/carl_02_pruning-1.ipynb was taken for"),
    ({"homework.ipynb": GOOD, "data.csv": b""}, "", "homework.ipynb was taken for"),
    ({"__MACOSX/._02_pruning.ipynb": GOOD, ".ipynb_checkpoints/02_pruning.ipynb": GOOD, "readme.txt": b""},
     "no notebook 02_pruning.ipynb was handed in; there is readme.txt", None),
    ({"02_pruning.zip": zipped(__MACOSX=b"", **{"x/02_pruning.ipynb": GOOD, "__MACOSX/x.ipynb": b""})}, "",
     "02_pruning.zip was taken for"),
    ({"02_pruning.zip": zipped(**{"a.ipynb": GOOD, "b.ipynb": GOOD})}, "the zip file holds no notebook, or is damaged",
     None), ({"02_pruning.zip": b"PK"}, "the zip file holds no notebook, or is damaged", None),
])
def test_what_is_taken_for_the_notebook(tmp_path, files, problem, note):
    for name, data in files.items():
        (tmp_path / "ann" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ann" / name).write_bytes(data)
    read = submissions.read(tmp_path / "ann", NAME)
    assert read.problem == problem
    assert problem or (read.notes[0].startswith(note) if note else read.notes == ())


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_no_link_is_followed(tmp_path, depth):
    there = tmp_path / "ben" / NAME
    there.mkdir(parents=True)
    (there / f"{NAME}.ipynb").write_bytes(GOOD)
    places = [f"eve/{NAME}/{NAME}.ipynb", f"eve/{NAME}", "eve"]
    (tmp_path / places[depth]).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / places[depth]).symlink_to([there / f"{NAME}.ipynb", there, there.parent][depth])
    assert "is a link, which is not followed" in submissions.read(tmp_path / "eve" / NAME, NAME).problem


def question(text, name="question-1"):
    return {"cell_type": "markdown", "source": text, "metadata": {"nbgrader": {"grade_id": name}}}


@pytest.mark.parametrize(("cells", "answer", "loose"), [
    ([question("Because.")], "Because.", []), ([question("YOUR ANSWER HERE"), question("Because.")], "Because.", []),
    ([question("One."), question("Two.")], "One.\n\nTwo.", []), ([question("YOUR ANSWER HERE")], "", []), ([], "", []),
    ([question("YOUR ANSWER HERE"), {"cell_type": "markdown", "source": "Because."}], "", ["Because."]),
    ([{"cell_type": "raw", "source": "Because."}], "", ["Because."]),
    ([question("The question", "question-1-text")], "", []),
    ([{"cell_type": "markdown", "source": "The question"}], "", [])])
def test_answers_in_words(tmp_path, cells, answer, loose):
    ours = written(tmp_path, [question("The question", "question-1-text"), question("YOUR ANSWER HERE")]).cells
    assert submissions.written_answers(written(tmp_path, cells), ours) == ({"question-1": answer}, loose)


@pytest.mark.parametrize(("text", "when"), [
    ("2027-01-02 03:04:05 UTC", "2027-01-02T03:04:05+00:00"), ("2027-01-02 03:04:05.5 +02:00", "2027-01-02T01:04:05"),
    ("2027-01-02T03:04:05Z", "2027-01-02T03:04:05"), ("yesterday", None), ("", None), ("9999-12-31 23:59 -23:59", None),
    ("x" * 200, None)])
def test_when_it_was_handed_in(tmp_path, text, when):
    (tmp_path / "timestamp.txt").write_text(text, encoding="utf-8")
    found, note = submissions.handed_in_at(tmp_path / "a.ipynb")
    assert found.isoformat().startswith(when) and not note if when else found is None and "timestamp.txt" in note


def test_without_a_time_stamp_the_files_own_time_counts(tmp_path):
    (tmp_path / "a.ipynb").write_bytes(GOOD)
    os.utime(tmp_path / "a.ipynb", (1_800_000_000, 1_800_000_000))
    assert submissions.handed_in_at(tmp_path / "a.ipynb")[0].timestamp() == 1_800_000_000
    assert submissions.handed_in_at(None) == (None, "")
    (tmp_path / "secret").write_text("2027-01-02 03:04:05 UTC", encoding="utf-8")
    (tmp_path / "timestamp.txt").symlink_to(tmp_path / "secret")
    assert submissions.handed_in_at(tmp_path / "a.ipynb") == (None, "timestamp.txt is not a file of a time")


def test_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_BYTES", 1_000)
    assert "more than 0 MiB" in written(tmp_path, [code("x" * 1_000)]).problem
    monkeypatch.setattr(submissions, "MOST_CELLS", 2)
    assert written(tmp_path, [code("x")] * 3).problem == "the notebook has more than 2 cells"

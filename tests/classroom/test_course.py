"""A course: made, graded, broken off, gone on with; its table and nbgrader's grade book."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import nbformat
import pytest

from course_lib.classroom import course as course_module
from course_lib.classroom import gradebook
from course_lib.classroom.__main__ import main
from course_lib.classroom.assignments import TOPICS, assignment_name
from course_lib.classroom.course import Course, grade, new_course
from course_lib.classroom.simulated import hand_in, right_functions, student_notebook

NAME = "02_pruning"
RIGHT = right_functions(NAME)


def rows(course):
    with open(course.folder / "grades" / f"{NAME}.csv", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def hand_in_some(course, count, functions=RIGHT, name="student"):
    for number in range(count):
        hand_in(course, f"{name}{number}", NAME, student_notebook(NAME, functions, words=f"I am {name}{number}."))


def test_a_new_course(course):
    assert {path.name for path in course.folder.iterdir()} == {"source", "submitted", "nbgrader_config.py",
                                                               ".hidden_seed"}
    assert len(list(course.folder.glob("source/*/*.ipynb"))) == len(TOPICS)
    assert oct((course.folder / ".hidden_seed").stat().st_mode)[-3:] == "600"
    assert oct(course.folder.stat().st_mode)[-3:] == "700"
    assert course.seed() == Course(course.folder).seed() != new_course(course.folder.parent / "other").seed()
    with pytest.raises(FileExistsError, match="expected a new or an empty folder"):
        new_course(course.folder)


def test_what_is_asked_wrongly(course, tmp_path):
    with pytest.raises(ValueError, match="expected a course"):
        grade(tmp_path, NAME)
    with pytest.raises(ValueError, match="assignment: expected one of 01_dqn"):
        grade(course, "09_none")
    hand_in_some(course, 1)
    with pytest.raises(ValueError, match="expected the results of 02_pruning, got none: grade it first"):
        course.results(NAME)
    with pytest.raises(ValueError, match="students: expected some of those .* got nobody"):
        grade(course, NAME, students=["nobody"])
    (course.folder / ".hidden_seed").write_text("no number", encoding="utf-8")
    with pytest.raises(ValueError, match="expected a course"):
        grade(course, NAME)


def test_the_table(course):
    hand_in_some(course, 1)
    hand_in(course, "-evil", NAME, student_notebook(NAME, {}))
    (course.folder / "submitted" / "absent").mkdir()
    results = {result.student: result for result in grade(course, NAME, n_jobs=2, record=False)}
    assert {name: result.points for name, result in results.items()} == {"student0": 60, "-evil": 0, "absent": 0}
    table = rows(course)
    assert table["student0"]["points"] == "60" and table["student0"]["to be read"] == "2"
    assert table["student0"]["02.entropy"] == "10" and table["student0"]["why"] == ""
    assert table["absent"]["points"] == "0" and "no notebook 02_pruning.ipynb" in table["absent"]["why"]
    assert "02.entropy: Not written yet." in table["'-evil"]["why"]  # a spreadsheet takes -evil for a formula


def test_what_has_not_changed_is_not_graded_again(course, monkeypatch):
    hand_in_some(course, 3)
    first = grade(course, NAME, n_jobs=1, record=False)
    tried = []
    real = course_module.grade_file
    monkeypatch.setattr(course_module, "grade_file", lambda path, student, *given, **more: (
        tried.append(student), real(path, student, *given, **more))[1])
    assert grade(course, NAME, n_jobs=1, record=False) == first and tried == []
    hand_in(course, "student1", NAME, student_notebook(NAME, {}))
    second = grade(course, NAME, n_jobs=1, record=False)
    assert tried == ["student1"] and [result.points for result in second] == [60, 0, 60]
    course.result("student2", NAME).write_text('{"damaged', encoding="utf-8")
    again = grade(course, NAME, n_jobs=1, record=False)
    assert [result.marks for result in again] == [result.marks for result in second]
    assert tried == ["student1", "student2"]
    source = nbformat.read(course.source(NAME), 4)
    source.cells = [cell for cell in source.cells if "entropy" not in cell.source]
    nbformat.write(source, course.source(NAME))
    third = grade(course, NAME, n_jobs=1, record=False)
    assert len(tried) == 5 and third[0].points == 50


def test_broken_off_and_gone_on_with(course):
    """A process is killed in the middle; the next one grades what is left, and only that."""
    slow = student_notebook(NAME, RIGHT, before=["import time\ntime.sleep(.5)"])
    for number in range(12):
        hand_in(course, f"student{number:02}", NAME, slow)
    script = (f"from course_lib.classroom.course import grade; grade({str(course.folder)!r}, {NAME!r}, n_jobs=1, "
              "record=False)")
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(course.folder.glob("results/*/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in course.folder.glob("results/*/*.json")}
    assert 3 <= len(done) < 12
    results = grade(course, NAME, n_jobs=2, record=False)
    assert [result.points for result in results] == [60] * 12 and len(rows(course)) == 12
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert not list(course.folder.glob("results/*/.*"))  # no half-written file stays in use


def test_a_grader_that_dies_takes_none_with_it(course, monkeypatch):
    """The first two tries end with the death of a worker; the third goes one by one."""
    hand_in_some(course, 4)
    calls = []

    class Dying:
        def __init__(self, n_jobs, **options):
            calls.append(n_jobs)

        def __call__(self, jobs):
            if len(calls) < 3:
                yield jobs[0][0](*jobs[0][1], **jobs[0][2])
                raise course_module.TerminatedWorkerError("a worker died")
            yield from (function(*given, **more) for function, given, more in jobs)

    monkeypatch.setattr(course_module.joblib, "Parallel", Dying)
    assert [result.points for result in grade(course, NAME, n_jobs=2, record=False)] == [60] * 4
    assert calls == [2, 2, 1]


def test_who_always_kills_the_grader_is_not_graded(course, monkeypatch):
    hand_in_some(course, 1)

    def dying(*given, **options):
        raise course_module.TerminatedWorkerError("a worker died")

    monkeypatch.setattr(course_module.joblib, "Parallel", lambda *given, **options: dying)
    result, = grade(course, NAME, n_jobs=2, record=False)
    assert not result.graded and "ends the grader's own processes" in result.problem
    assert rows(course)["student0"]["points"] == ""


def test_the_same_call_on_a_dask_cluster(course):
    distributed = pytest.importorskip("distributed")
    hand_in_some(course, 4)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", processes=True) as cluster:
        with distributed.Client(cluster), joblib.parallel_config("dask"):
            results = grade(course, NAME, record=False)
    assert [result.points for result in results] == [60] * 4


def test_without_bubblewrap_it_says_so_loudly(course, monkeypatch):
    monkeypatch.setattr(course_module.sandbox, "best_way", lambda: course_module.sandbox.Way(False, False))
    hand_in_some(course, 1)
    with pytest.warns(UserWarning, match="GRADING IS NOT SAFE HERE"):
        result, = grade(course, NAME, n_jobs=1, record=False)
    assert result.way == "plain process" and result.points == 60


def test_commands(tmp_path, capsys):
    folder = tmp_path / "course"
    assert main(["new", str(folder)]) == 0 and "is ready" in capsys.readouterr().out
    assert main(["new", str(folder)]) == 1 and "error: " in capsys.readouterr().err
    hand_in_some(Course(folder), 2)
    assert main(["grade", str(folder), NAME, "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert "student0                   60 of 70; 2 to be read" in out and "2 submissions in" in out
    assert main(["grade", str(folder), "nothing"]) == 1 and "expected one of" in capsys.readouterr().err
    assert main(["assignments", str(tmp_path / "all")]) == 0
    assert len(list(tmp_path.glob("all/*/*.ipynb"))) == len(TOPICS)


@pytest.fixture(scope="module")
def one_released(tmp_path_factory):
    pytest.importorskip("nbgrader")
    course = new_course(tmp_path_factory.mktemp("released") / "course")
    nbgrader(course, "generate_assignment", NAME)
    return course


@pytest.fixture
def released(one_released, tmp_path):
    """A course whose assignment nbgrader has released."""
    return Course(shutil.copytree(one_released.folder, tmp_path / "course"))


def nbgrader(course, *arguments):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as in an environment that is activated
    environment = os.environ | {"JUPYTER_PLATFORM_DIRS": "1", "PATH": path}
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=course.folder, env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_nbgrader_releases_what_students_need_and_no_more(released):
    text = (released.folder / "release" / NAME / f"{NAME}.ipynb").read_text("utf-8")
    student = nbformat.reads(text, 4)
    for word in ("SOLUTION", "HIDDEN", "expect_right", "counts.sum", "log2"):
        assert word not in text
    ours = student_notebook(NAME, {})  # what the tests hand in is what nbgrader hands out
    assert [(cell.cell_type, cell.source) for cell in student.cells] == [(cell.cell_type, cell.source)
                                                                         for cell in ours.cells]


def test_nbgrader_releases_every_topic(course, monkeypatch):
    """In one process: nbgrader's command does the same for one assignment."""
    pytest.importorskip("nbgrader")
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    api = NbGraderAPI(CourseDirectory(root=str(course.folder)))
    for topic in TOPICS:
        name = assignment_name(topic)
        done = api.generate_assignment(name)
        assert done["success"], done
        student = nbformat.read(course.folder / "release" / name / f"{name}.ipynb", 4)
        assert [cell.source for cell in student.cells] == [cell.source for cell in student_notebook(name, {}).cells]
        text = " ".join(cell.source for cell in student.cells)
        assert not any(word in text for word in ("SOLUTION", "HIDDEN", "expect_right"))


def test_the_grade_book(released):
    hand_in_some(released, 2)
    hand_in(released, "eve", NAME, "no notebook")
    hand_in(released, "late", NAME, student_notebook(NAME, RIGHT, words="Because.",
                                                     before=["extra = 'a cell of my own'"]))
    stamp = released.handed_in("late", NAME).parent / "timestamp.txt"
    stamp.write_text("2030-01-02 03:04:05 UTC", encoding="utf-8")
    stamp.with_name("submission_secret.txt").write_text("for the feedback", encoding="utf-8")
    grade(released, NAME, n_jobs=2)
    with gradebook.opened(released) as book:
        submissions = {one.student.id: one for one in book.find_assignment(NAME).submissions}
        assert {name: (one.score, one.max_score, one.needs_manual_grade) for name, one in submissions.items()} == {
            "student0": (60, 70, True), "student1": (60, 70, True), "eve": (0, 70, False), "late": (60, 70, True)}
        assert str(submissions["late"].timestamp) == "2030-01-02 03:04:05"
        assert "not a notebook" in book.find_comment("entropy", NAME, NAME, "eve").comment
        read = book.find_grade("question-1", NAME, NAME, "student0")
        read.manual_score, read.needs_manual_grade = 4, False
        book.find_comment("question-1", NAME, NAME, "student0").manual_comment = "Good."
        book.db.commit()
    hand_in(released, "student1", NAME, student_notebook(NAME, {}))
    grade(released, NAME, n_jobs=2)  # what people have graded stays
    with gradebook.opened(released) as book:
        assert [book.find_submission(NAME, name).score for name in ("student0", "student1", "late")] == [64, 0, 60]
        assert book.find_comment("question-1", NAME, NAME, "student0").comment == "Good."
        waiting = {name: book.find_grade(name, NAME, NAME, "student0").needs_manual_grade for name in
                   ("question-1", "question-2", "entropy-tests")}
        assert waiting == {"question-1": False, "question-2": True, "entropy-tests": False}
    folder = released.folder / "autograded" / "late" / NAME
    graded = nbformat.read(folder / f"{NAME}.ipynb", 4)
    assert {path.name for path in folder.iterdir()} == {f"{NAME}.ipynb", "timestamp.txt", "submission_secret.txt"}
    text = "\n".join(cell.source for cell in graded.cells)
    assert "a cell of my own" in text and "counts.sum" in text and "HIDDEN" not in text
    nbgrader(released, "generate_feedback", NAME)
    html = (released.folder / "feedback" / "student1" / NAME / f"{NAME}.html").read_text("utf-8")
    assert "Not written yet." in html and "expect_right" not in html
    nbgrader(released, "export")
    with open(released.folder / "grades.csv", encoding="utf-8") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {
            "student0": 64, "student1": 0, "eve": 0, "late": 60}


def test_an_assignment_that_was_not_released(course):
    pytest.importorskip("nbgrader")
    hand_in_some(course, 1)
    with pytest.warns(UserWarning, match="run nbgrader generate_assignment 02_pruning"):
        assert [result.points for result in grade(course, NAME, n_jobs=1)] == [60]
    assert rows(course)["student0"]["points"] == "60"


def test_students_who_handed_nothing_in_have_a_row(released):
    hand_in_some(released, 1)
    with gradebook.opened(released) as book:
        book.add_student("quiet")
    grade(released, NAME, n_jobs=1)
    assert rows(released)["quiet"]["points"] == "0" and "no notebook" in rows(released)["quiet"]["why"]


def test_stock_autograding_works_too(released):
    """nbgrader's own autograder, for those who trust their students: the hidden tests are found, and fail."""
    hand_in_some(released, 1)
    wrong = RIGHT | {"entropy": "def my_entropy(counts):\n    return 0.0"}
    hand_in(released, "wrong", NAME, student_notebook(NAME, wrong))
    nbgrader(released, "autograde", NAME)
    with gradebook.opened(released) as book:
        assert [book.find_submission(NAME, name).score for name in ("student0", "wrong")] == [60, 50]

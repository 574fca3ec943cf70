"""A course: made, graded, broken off, gone on with; its table and nbgrader's grade book."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import joblib
import nbformat
import numpy as np
import pytest
from students import hand_in, right_functions, student_notebook, with_project

from course_lib.classroom import course as course_module
from course_lib.classroom import gradebook
from course_lib.classroom.__main__ import main
from course_lib.classroom.assignments import TOPICS, assignment_name, topic_of
from course_lib.classroom.course import Course, grade, new_course
from course_lib.exercises.engine.project import AT_PAR, class_number

NAME = "02_pruning"
RIGHT = right_functions(NAME)
FIRST, SECOND = topic_of(NAME).graded.EXERCISES
WRONG = RIGHT | {FIRST.name: RIGHT[FIRST.name].partition("\n")[0] + "\n    return 0.125"}


def rows(course):
    with open(course.folder / "grades" / f"{NAME}.csv", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def hand_in_some(course, count, functions=RIGHT, name="student"):
    for number in range(count):
        hand_in(course, f"{name}{number}", NAME, student_notebook(NAME, functions, words=f"I am {name}{number}."))


def test_a_new_course(course):
    assert {path.name for path in course.folder.iterdir()} == {"source", "submitted", "nbgrader_config.py",
                                                               ".hidden_seed"}
    assert {path.name for path in course.folder.glob("source/*/*")} == {"02_pruning.ipynb", "02_project.json.gz"}
    assert oct((course.folder / ".hidden_seed").stat().st_mode)[-3:] == "600"
    assert oct(course.folder.stat().st_mode)[-3:] == "700"
    assert course.seed() == Course(course.folder).seed() != new_course(course.folder.parent / "other", [NAME]).seed()
    with pytest.raises(FileExistsError, match="expected a new or an empty folder"):
        new_course(course.folder)


def test_what_is_asked_wrongly(course, tmp_path):
    with pytest.raises(ValueError, match="expected a course"):
        grade(tmp_path, NAME)
    with pytest.raises(ValueError, match="assignment: expected one of 01_dqn"):
        grade(course, "09_none")
    with pytest.raises(ValueError, match="a teacher's notebook, got FileNotFoundError"):
        grade(course, "03_ensembling")
    hand_in_some(course, 1)
    with pytest.raises(ValueError, match="expected the results of 02_pruning, got none: grade it first"):
        course.results(NAME)
    with pytest.raises(ValueError, match="students: expected some of those .* got nobody"):
        grade(course, NAME, students=["nobody"])
    for text, expected in (("no number", "expected a course"), ("-3", "expected a whole number from 0 on, got -3")):
        (course.folder / ".hidden_seed").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=expected):
            grade(course, NAME)


@pytest.mark.parametrize(("line", "expected"), [
    ("due = {'02_pruning': 'soon'}", "due: expected a time such as .* got 'soon'"),
    ("due = {'02_pruning': 3}", "due: expected a time"), ("due = 'tomorrow'", "due: expected"),
    ("late = 2", "late: expected a share from 0 to 1, got 2"), ("late = float('nan')", "late: expected"),
    ("late = 'all'", "late: expected"), ("nonsense = 1", "expected settings due and late, got nonsense")])
def test_settings_that_are_none(course, line, expected):
    config = course.folder / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + f"\nc.LearnPruneFuse.{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=f"c.LearnPruneFuse.*{expected}"):
        grade(course, NAME)


def test_a_configuration_that_is_broken(course):
    (course.folder / "nbgrader_config.py").write_text("c = get_config(", encoding="utf-8")
    with pytest.raises(ValueError, match="nbgrader_config.py: SyntaxError"):
        grade(course, NAME)


@pytest.mark.parametrize("points", [float("nan"), -1, None, "many", float("inf")])
def test_points_that_are_none(course, points):
    source = nbformat.read(course.source(NAME), 4)
    for cell in source.cells:
        if "points" in cell.metadata.get("nbgrader", {}):
            cell.metadata.nbgrader.points = points
    course.source(NAME).write_text(json.dumps(source), encoding="utf-8")
    with pytest.raises(ValueError, match="02_pruning.ipynb: expected"):
        grade(course, NAME)


def test_a_course_that_students_code_can_read_is_refused(course, monkeypatch):
    monkeypatch.setattr(course_module.sandbox, "readable", lambda: [course.folder.parent])
    monkeypatch.setattr(course_module.sandbox, "best_way", lambda: course_module.sandbox.Way(True, False))
    with pytest.raises(ValueError, match="expected a place outside of .*, which students' code can read"):
        grade(course, NAME)


def test_due_dates(course):
    config = course.folder / "nbgrader_config.py"
    settings = "due = {'02_pruning': '2027-03-01 23:00 +01:00'}\nc.LearnPruneFuse.late = 0.1\n"
    config.write_text(f"{config.read_text('utf-8')}\nc.LearnPruneFuse.{settings}", encoding="utf-8")
    times = {"in time": "2027-03-01 22:00:00", "a second late": "2027-03-01 22:00:01",
             "two days": "2027-03-03 22:00:00", "weeks": "2027-04-03 22:00:00"}
    for student, when in times.items():
        path = hand_in(course, student, NAME, student_notebook(NAME, RIGHT))
        path.with_name("timestamp.txt").write_text(f"{when} UTC", encoding="utf-8")
    results = {result.student: result for result in grade(course, NAME, n_jobs=1, record=False)}
    assert {student: result.points for student, result in results.items()} == pytest.approx(
        {"in time": 20, "a second late": 18, "two days": 16, "weeks": 0})
    assert rows(course)["a second late"]["late"] == "10%" and rows(course)["in time"]["late"] == ""
    assert rows(course)["weeks"]["handed in"] == "2027-04-03T22:00:00+00:00"
    config.write_text(config.read_text("utf-8").replace("2027-03-01 23:00", "2027-05-01 23:00"), encoding="utf-8")
    assert {result.points for result in grade(course, NAME, n_jobs=1, record=False)} == {20}  # a new date counts


def test_what_failed_for_want_of_a_machine_is_tried_again_alone(course, monkeypatch):
    hand_in_some(course, 3)
    real, tried = course_module.grade_one, []

    def starving(folder, student, *given):
        tried.append(student)
        result = real(folder, student, *given)
        return replace(result, starved=tried.count("student1") == 1 and student == "student1")

    monkeypatch.setattr(course_module, "grade_one", starving)
    assert [result.points for result in grade(course, NAME, n_jobs=1, record=False)] == [20] * 3
    assert sorted(tried) == ["student0", "student1", "student1", "student2"] and tried[-1] == "student1"


def test_the_table(course):
    hand_in_some(course, 1)
    hand_in(course, "-evil", NAME, student_notebook(NAME, {}))
    (course.folder / "submitted" / "absent").mkdir()
    results = {result.student: result for result in grade(course, NAME, n_jobs=2, record=False)}
    assert {name: result.points for name, result in results.items()} == {"student0": 20, "-evil": 0, "absent": 0}
    table = rows(course)
    assert table["student0"]["points"] == "20" and table["student0"]["to be read"] == "2"
    assert table["student0"][FIRST.id] == "10" and table["student0"]["why"].startswith("02.project: Nothing")
    assert table["student0"]["framework"] == "" and table["student0"]["question-1"] == ""
    assert table["absent"]["points"] == "0" and table["absent"]["why"] == "no notebook 02_pruning.ipynb was handed in"
    assert f"{FIRST.id}: Not written yet." in table["'-evil"]["why"]  # a spreadsheet takes -evil for a formula


def test_what_has_not_changed_is_not_graded_again(course, monkeypatch):
    hand_in_some(course, 3)
    first = grade(course, NAME, n_jobs=1, record=False)
    tried = []
    real = course_module.grade_one
    monkeypatch.setattr(course_module, "grade_one", lambda folder, student, *given: (
        tried.append(student), real(folder, student, *given))[1])
    assert grade(course, NAME, n_jobs=1, record=False) == first and tried == []
    hand_in(course, "student1", NAME, student_notebook(NAME, {}))
    second = grade(course, NAME, n_jobs=1, record=False)
    assert tried == ["student1"] and [result.points for result in second] == [20, 0, 20]
    course.result("student2", NAME).write_text('{"damaged', encoding="utf-8")
    again = grade(course, NAME, n_jobs=1, record=False)
    assert [result.marks for result in again] == [result.marks for result in second]
    assert tried == ["student1", "student2"]
    source = nbformat.read(course.source(NAME), 4)
    source.cells = [cell for cell in source.cells if FIRST.name not in cell.source]
    nbformat.write(source, course.source(NAME))
    third = grade(course, NAME, n_jobs=1, record=False)
    assert len(tried) == 5 and third[0].points == 10


def test_a_leavers_damaged_result_stops_nobody(course):
    hand_in_some(course, 1)
    grade(course, NAME, n_jobs=1, record=False)
    course.result("gone", NAME).write_text("{}", encoding="utf-8")
    with pytest.warns(UserWarning, match="gone.json: expected a result, got a damaged file; it is left out"):
        grade(course, NAME, n_jobs=1, record=False)
    assert list(rows(course)) == ["student0"]


def test_the_projects_points_grow_with_the_score(course):
    project = topic_of(NAME).project
    answers = {"best": project.par, "fair": project.baseline, "none": lambda given: project.floor(
        given, np.random.default_rng(0)), "odd": lambda given: "no answer"}
    for student, answer in answers.items():
        hand_in(course, student, NAME, with_project(course, student, NAME, student_notebook(NAME, RIGHT), answer))
    swapped = with_project(course, "another name", NAME, student_notebook(NAME, RIGHT), project.par)
    student = "other"
    while class_number("another name") == class_number(student):
        student += "x"
    hand_in(course, student, NAME, swapped)
    marks = {result.student: next(mark for mark in result.marks if mark.id == "02.project")
             for result in grade(course, NAME, n_jobs=1, record=False)}
    assert marks["best"].points == 20 * AT_PAR > marks["fair"].points > 3 > marks["none"].points
    assert marks["best"].state == "partly" and marks["best"].comment.startswith("Score ")
    assert marks["odd"].state == "wrong" and marks["odd"].points == 0
    assert marks[student].state == "to be read" and "another name" in marks[student].comment


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
    assert [result.points for result in results] == [20] * 12 and len(rows(course)) == 12
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
    assert [result.points for result in grade(course, NAME, n_jobs=2, record=False)] == [20] * 4
    assert calls == [2, 2, 2, 2]


def test_who_always_kills_the_grader_is_not_graded(course, monkeypatch):
    hand_in_some(course, 1)

    def dying(*given, **options):
        raise course_module.TerminatedWorkerError("a worker died")

    monkeypatch.setattr(course_module.joblib, "Parallel", lambda *given, **options: dying)
    result, = grade(course, NAME, n_jobs=2, record=False)
    assert not result.graded and "it ends the grader's own process" in result.problem
    assert rows(course)["student0"]["points"] == ""


def test_the_same_call_on_a_dask_cluster(course):
    distributed = pytest.importorskip("distributed")
    hand_in_some(course, 4)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", processes=True) as cluster:
        with distributed.Client(cluster), joblib.parallel_config("dask"):
            results = grade(course, NAME, record=False)
    assert [result.points for result in results] == [20] * 4


def test_without_bubblewrap_it_says_so_loudly(course, monkeypatch):
    monkeypatch.setattr(course_module.sandbox, "best_way", lambda: course_module.sandbox.Way(False, False))
    hand_in_some(course, 1)
    with pytest.warns(UserWarning, match="GRADING IS NOT SAFE HERE"):
        result, = grade(course, NAME, n_jobs=1, record=False)
    assert result.way == "plain process" and result.points == 20


def test_commands(tmp_path, capsys):
    folder = tmp_path / "course"
    assert main(["new", str(folder)]) == 0 and "is ready" in capsys.readouterr().out
    assert main(["new", str(folder)]) == 1 and "error: " in capsys.readouterr().err
    hand_in_some(Course(folder), 2)
    assert main(["grade", str(folder), NAME, "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert "student0                   20 of 50; 2 to be read" in out and "2 submissions in" in out
    assert main(["grade", str(folder), "nothing"]) == 1 and "expected one of" in capsys.readouterr().err
    assert main(["grade", str(folder), NAME, "--seconds", "0"]) == 1
    assert "expected a positive number of seconds, got 0" in capsys.readouterr().err
    assert main(["assignments", str(tmp_path / "all")]) == 0
    assert len(list(tmp_path.glob("all/*/*.ipynb"))) == len(TOPICS)


@pytest.fixture(scope="module")
def one_released(tmp_path_factory):
    pytest.importorskip("nbgrader")
    course = new_course(tmp_path_factory.mktemp("released") / "course", [NAME])
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
    body = RIGHT[FIRST.name].splitlines()[1:]
    for word in ("SOLUTION", "HIDDEN", "expect_right", *(line.strip() for line in body if len(line) > 20)):
        assert word not in text
    assert (released.folder / "release" / NAME / "02_project.json.gz").is_file()
    ours = student_notebook(NAME, {})  # what the tests hand in is what nbgrader hands out
    assert [(cell.cell_type, cell.source) for cell in student.cells] == [(cell.cell_type, cell.source)
                                                                         for cell in ours.cells]


def test_nbgrader_releases_every_topic(tmp_path, monkeypatch):
    """In one process: nbgrader's command does the same for one assignment."""
    pytest.importorskip("nbgrader")
    course = new_course(tmp_path / "all")
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
    stamp = released.handed_in("late", NAME) / "timestamp.txt"
    stamp.write_text("2030-01-02 03:04:05 UTC", encoding="utf-8")
    stamp.with_name("submission_secret.txt").write_text("for the feedback", encoding="utf-8")
    grade(released, NAME, n_jobs=2)
    with gradebook.opened(released) as book:
        submissions = {one.student.id: one for one in book.find_assignment(NAME).submissions}
        assert {name: (one.score, one.max_score, one.needs_manual_grade) for name, one in submissions.items()} == {
            "student0": (20, 50, True), "student1": (20, 50, True), "eve": (0, 50, False), "late": (20, 50, True)}
        assert str(submissions["late"].timestamp) == "2030-01-02 03:04:05"
        assert "not a notebook" in book.find_comment(FIRST.name, NAME, NAME, "eve").comment
        read = book.find_grade("question-1", NAME, NAME, "student0")
        read.manual_score, read.needs_manual_grade = 4, False
        book.find_comment("question-1", NAME, NAME, "student0").manual_comment = "Good."
        book.db.commit()
    hand_in(released, "student1", NAME, student_notebook(NAME, {}))
    grade(released, NAME, n_jobs=2)  # what people have graded stays
    with gradebook.opened(released) as book:
        assert [book.find_submission(NAME, name).score for name in ("student0", "student1", "late")] == [24, 0, 20]
        assert book.find_comment("question-1", NAME, NAME, "student0").comment == "Good."
        waiting = {name: book.find_grade(name, NAME, NAME, "student0").needs_manual_grade for name in
                   ("question-1", "question-2", f"{FIRST.name}-tests")}
        assert waiting == {"question-1": False, "question-2": True, f"{FIRST.name}-tests": False}
    folder = released.folder / "autograded" / "late" / NAME
    graded = nbformat.read(folder / f"{NAME}.ipynb", 4)
    assert {path.name for path in folder.iterdir()} == {f"{NAME}.ipynb", "timestamp.txt", "submission_secret.txt"}
    text = "\n".join(cell.source for cell in graded.cells)
    assert "a cell of my own" in text and RIGHT[FIRST.name] in text and "HIDDEN" not in text
    nbgrader(released, "generate_feedback", NAME)
    html = (released.folder / "feedback" / "student1" / NAME / f"{NAME}.html").read_text("utf-8")
    assert "Not written yet." in html and "expect_right" not in html
    nbgrader(released, "export")
    with open(released.folder / "grades.csv", encoding="utf-8") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {
            "student0": 24, "student1": 0, "eve": 0, "late": 20}
    assert rows(released)["student0"]["points"] == "24" and rows(released)["student0"]["question-1"] == "4"


MARKUP = "<script>alert(1)</script> <img src=x onerror=alert(2)> [x](javascript:alert(3)) $<b>$ ~~~~ <iframe src=x>"


def tags(html):
    """The elements of a page that can act, as (name, attributes)."""
    found = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, dict(attributes)))

    Parser().feed(html)
    return found


def test_a_students_markup_acts_in_no_page(released):
    notebook = student_notebook(NAME, WRONG | {SECOND.name: f"# {MARKUP}\nraise ValueError('{MARKUP}')"}, words=MARKUP)
    shown = {"text/html": MARKUP, "image/svg+xml": MARKUP, "application/javascript": "alert(4)"}
    notebook.cells += [nbformat.v4.new_markdown_cell(MARKUP), nbformat.v4.new_raw_cell(MARKUP),
                       nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data=shown)])]
    notebook.cells[0].attachments = {"x": {"image/svg+xml": MARKUP}}
    hand_in(released, "eve", NAME, notebook)
    hand_in(released, "ann", NAME, student_notebook(NAME, RIGHT, words="Because."))
    grade(released, NAME, n_jobs=2)
    nbgrader(released, "generate_feedback", NAME)
    pages = {name: (released.folder / "feedback" / name / NAME / f"{NAME}.html").read_text("utf-8")
             for name in ("eve", "ann")}
    assert "alert(1)" in pages["eve"]  # it is shown, as text
    acting = [[(tag, sorted(given)) for tag, given in tags(page) if tag in ("script", "img", "iframe", "svg", "object")
               or any(name.startswith("on") or str(value).startswith("javascript:") for name, value in given.items())]
              for page in pages.values()]
    assert acting[0] == acting[1]


def test_what_ran_is_what_is_shown(released):
    """Code between the marks of hidden tests, in a cell of our own, or in one with a name that is there twice."""
    inside = "### BEGIN HIDDEN TESTS\nseen_1 = 1\n### END HIDDEN TESTS\n"
    notebook = student_notebook(NAME, RIGHT | {FIRST.name: inside + RIGHT[FIRST.name]}, before=[inside + "seen_2 = 2"])
    for cell in list(notebook.cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name == f"{FIRST.name}-tests":
            cell.source += f"\n{inside}seen_3 = 3"
        if name in (SECOND.name, "setup"):
            again = nbformat.from_dict(cell)
            again.source = f"{cell.source}\nseen_4_{name} = 4"
            notebook.cells.append(again)
    unknown = nbformat.v4.new_code_cell("seen_5 = 5", metadata={"nbgrader": {"grade_id": "unheard of", "grade": True}})
    notebook.cells.append(unknown)
    hand_in(released, "eve", NAME, notebook)
    grade(released, NAME, n_jobs=1)
    shown = nbformat.read(released.folder / "autograded" / "eve" / NAME / f"{NAME}.ipynb", 4)
    text = "\n".join(cell.source for cell in shown.cells if cell.cell_type == "code")
    for word in ("seen_1", "seen_2", "seen_3", f"seen_4_{SECOND.name}", "seen_4_setup", "seen_5"):
        assert word in text, word


@pytest.mark.parametrize("state", ["locked", "damaged"])
def test_a_grade_book_that_cannot_be_used(released, state, capsys):
    hand_in_some(released, 1)
    path = released.folder / "gradebook.db"
    if state == "damaged":
        path.write_bytes(b"SQLite format 3\0" + bytes(2_000))
    with sqlite3.connect(path) as other:
        if state == "locked":
            other.execute("BEGIN EXCLUSIVE")
        assert main(["grade", str(released.folder), NAME, "--jobs", "1"]) == 1
    assert "error: " in (error := capsys.readouterr().err) and "expected nbgrader's grade book, got" in error


def test_an_assignment_that_was_not_released(course):
    pytest.importorskip("nbgrader")
    hand_in_some(course, 1)
    with pytest.warns(UserWarning, match="run nbgrader generate_assignment 02_pruning"):
        assert [result.points for result in grade(course, NAME, n_jobs=1)] == [20]
    assert rows(course)["student0"]["points"] == "20"


def test_students_who_handed_nothing_in_have_a_row(released):
    hand_in_some(released, 1)
    with gradebook.opened(released) as book:
        book.add_student("quiet")
    grade(released, NAME, n_jobs=1)
    assert rows(released)["quiet"]["points"] == "0" and "no notebook" in rows(released)["quiet"]["why"]


def test_stock_autograding_works_too(released):
    """nbgrader's own autograder, for those who trust their students: the hidden tests are found, and fail."""
    hand_in_some(released, 1)
    hand_in(released, "wrong", NAME, student_notebook(NAME, WRONG))
    nbgrader(released, "autograde", NAME)
    with gradebook.opened(released) as book:
        assert [book.find_submission(NAME, name).score for name in ("student0", "wrong")] == [20, 10]

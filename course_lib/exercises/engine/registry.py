"""All exercises and quizzes, and what a notebook calls: check, hint, solution, progress, quiz."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import html
import json
import random
import textwrap
from pathlib import Path

from course_lib.common.framework import current
from course_lib.exercises import (
    applications,
    dqn,
    ensembling,
    fusion,
    gan,
    merging,
    pruning,
    recommendation,
    start_here,
    training,
    tuning,
)
from course_lib.exercises.engine import diagnoses, judge, record, wire
from course_lib.exercises.engine.project import class_number
from course_lib.exercises.engine.source import shown_source
from course_lib.exercises.engine.tensors import bridge

TOPICS = tuple(content.TOPIC for content in (start_here, dqn, pruning, ensembling, gan, fusion, merging, applications,
                                             recommendation, training, tuning))

_hints_shown: dict[str, int] = {}
_statements_shown: set[str] = set()


def by_id(topics):
    """The exercises of topics, keyed by id.

    Raises
    ------
    ValueError
        If an id occurs twice or does not start with its topic's number.
    """
    exercises = {}
    for topic in topics:
        for exercise in topic.exercises:
            if exercise.id in exercises:
                raise ValueError(f"exercise id {exercise.id!r} occurs twice: ids must differ")
            if not exercise.id.startswith(topic.number + "."):
                raise ValueError(f"exercise id {exercise.id!r}: expected it to start with {topic.number}.")
            exercises[exercise.id] = exercise
    return exercises


EXERCISES = by_id(TOPICS)
PROJECTS = {topic.project_id: topic for topic in TOPICS if topic.project_id}


def find(exercise_id):
    """The exercise with an id such as "01.td_target".

    Raises
    ------
    ValueError
        If there is none; the message lists the nearest ids.
    """
    if exercise_id not in EXERCISES:
        topic = next((topic for topic in TOPICS if topic.is_graded and str(exercise_id).startswith(topic.number)), None)
        for exercise in topic.graded.EXERCISES if topic else ():
            if exercise.id == exercise_id:
                return exercise
        if str(exercise_id).endswith(".project"):
            raise ValueError(f"{exercise_id}: expected an exercise, got a project; it has no hints and no solution")
        near = difflib.get_close_matches(str(exercise_id), EXERCISES, n=3, cutoff=0)
        raise ValueError(f"no exercise {exercise_id!r}; the nearest are {', '.join(near)}")
    return EXERCISES[exercise_id]


def check(exercise_id, function):
    """Try a function on an exercise's cases, print the outcome, and record it; at the first call the statement too.

    Parameters
    ----------
    exercise_id : str
    function : callable
        The learner's; where the exercise is about tensors, it gets those of the framework in use. For a project
        ("01.project") the answer itself, or a function that makes it of what `project` gives.
    """
    if exercise_id in PROJECTS:
        return _check_project(PROJECTS[exercise_id].project, function)
    exercise = find(exercise_id)
    if not callable(function):
        raise ValueError(f"check: expected your function {exercise.name}, got {type(function).__name__}")
    key, tensors = judge.AnswerKey(exercise, exercise.draw()), bridge(current().name) if exercise.tensors else None
    cases = key.cases
    _state_once(exercise)
    try:
        answers = judge.run(exercise, function, cases=cases, bridge=tensors)
    except judge.NotWritten:
        print(f"… {exercise_id}: not written yet")
        return

    def run(tried, drawn):
        return judge.run(exercise, tried, cases=drawn, bridge=None if tried is exercise.reference else tensors)

    verdict = key.judge(answers, unused=lambda: diagnoses.unused(exercise, function, run, key.same))
    record.record(exercise_id, "solved" if verdict.case is None else "tried")
    if verdict.case is None:
        print(f"✓ {exercise_id}: all {len(cases)} cases")
        return
    inputs = ", ".join(f"{name}={judge.show(value)}" for name, value in cases[verdict.case].items())
    print(f"✗ {exercise_id}: case {verdict.case + 1} of {len(cases)}: {verdict.complaint}")
    print(f"  {exercise.name}({judge.shorten(inputs, 300)})")
    print(f"  Hint: {verdict.hint}" if verdict.hint else f'  Perhaps hint("{exercise_id}") helps.')


def _state_once(task):
    if task.id not in _statements_shown:
        _statements_shown.add(task.id)
        title = task.title if task.title.endswith("?") else f"{task.title}."
        print(textwrap.fill(f"{title} {task.statement}", 100), end="\n\n")


def _check_project(task, answer):
    _state_once(task)
    if answer is None:
        print(f"… {task.id}: nothing handed in yet")
        return
    scores = task.scores()
    try:
        score = task.score(answer)
    except ValueError as error:
        record.record(task.id, "tried")
        print(f"✗ {task.id}: {error}")
        return
    done = score >= scores["par"]
    best = record.record(task.id, "solved" if done else "tried", score=score)
    print(f"{'✓' if done else '…'} {task.id}: score {round(score)}, your best {round(best)} (without thought 0, "
          f"baseline {scores['baseline']:.0f}, par {scores['par']:.0f}, the best known 100)")


def project(number, *, seed=0):
    """What a lesson's project gives you, a dict; its statement is printed by `check("<number>.project", None)`.

    Parameters
    ----------
    number : str
        The notebook's number, such as "01".
    seed : int
        Other seeds give other instances; `check` judges that of seed 0.

    Raises
    ------
    ValueError
        If there is no such project.
    """
    if f"{number}.project" not in PROJECTS:
        raise ValueError(f"project: expected one of {', '.join(name[:2] for name in PROJECTS)}, got {number!r}")
    return PROJECTS[f"{number}.project"].project.instance(seed)[0]


def hint(exercise_id):
    """Print one more hint at each call."""
    hints = find(exercise_id).hints
    public = exercise_id in EXERCISES
    shown = _hints_shown[exercise_id] = min(_hints_shown.get(exercise_id, 0) + 1, len(hints))
    last = f' (the last one; next: solution("{exercise_id}"))' if shown == len(hints) and public else ""
    print(f"Hint {shown} of {len(hints)}: {hints[shown - 1]}{last}")


def solution(exercise_id):
    """Print the source of the right answer, in the framework in use where the exercise is about tensors."""
    exercise = find(exercise_id)
    if exercise_id not in EXERCISES:
        raise ValueError(f"solution: expected an exercise of a lesson, got {exercise_id!r}, on which a class is graded")
    function = exercise.reference
    if exercise.tensors:
        package = next(topic.package for topic in TOPICS if exercise in topic.exercises)
        function = getattr(current().load(package), function.__name__)
    print(f"# {function.__module__}.{function.__name__}\n{shown_source(function, exercise.draw()[0])}")


def class_project(number, student, folder="."):
    """What a lesson's project gives a student of a class, from the file that the teacher hands out with the assignment.

    Parameters
    ----------
    number : str
    student : str
        The name under which the work is handed in.
    folder : path-like
        Where the file is. Without it the instance is one of `project`: enough to try the notebook.

    Returns
    -------
    dict
    """
    if not isinstance(student, str) or not student.strip():
        raise ValueError(f"student: expected your name, got {student!r}")
    path = Path(folder, f"{number}_project.json.gz")
    if not path.exists():
        print(f"{path.name} is not here: this is a public instance, which no teacher grades.")
        return project(number, seed=class_number(student))
    with gzip.open(path, "rt", encoding="ascii") as file:
        return wire.decode(json.load(file)[class_number(student)])


def hand_in(number, given, answer):
    """Leave an answer to a project in the notebook's output, where a grader reads it.

    Parameters
    ----------
    number : str
    given : dict
        What `class_project` gave.
    answer : object
        As the project's statement asks.

    Raises
    ------
    ValueError
        If the answer is not made of numbers, arrays and lists of these.
    """
    from IPython.display import display

    if answer is None:
        print(f"… {number}.project: nothing handed in yet")
        return
    data = {"id": f"{number}.project", "given": digest(given), "answer": wire.encode(judge.plain(answer))}
    display({"text/plain": f"✓ {number}.project: handed in. Save the notebook now.", wire.MIME: data}, raw=True)


def digest(given):
    """A short text that names an instance of a project."""
    return hashlib.sha256(json.dumps(wire.encode(given)).encode()).hexdigest()[:16]


def progress():
    """The state of every exercise and project: "not started", "tried" or "solved" (of a project: par is reached).

    Returns
    -------
    dict of str to str
    """
    states = record.read()
    return {name: states.get(name, "not started") for name in (*EXERCISES, *PROJECTS)}


def progress_bars(ax=None):
    """Draw one bar per topic: the share of its exercises that are solved.

    Parameters
    ----------
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    states, rows = progress(), []
    for topic in filter(lambda topic: topic.exercises or topic.project_id, TOPICS):
        here = [states[name] for name in states if name.startswith(f"{topic.number}.")]
        rows.append((f"{topic.number} {topic.title}", here.count("solved"), here.count("tried"), len(here)))
    return record.draw(rows, ax)


def quiz(number):
    """Display a topic's multiple-choice quiz; every answer, right or wrong, is explained.

    Parameters
    ----------
    number : str
        The notebook's number, such as "01".

    Raises
    ------
    ValueError
        If there is no such quiz.
    """
    questions = {topic.number: topic.questions for topic in TOPICS if topic.questions}
    if number not in list(questions):
        raise ValueError(f"quiz: expected one of {', '.join(questions)}, got {number!r}")
    from IPython.display import Javascript, display
    from jupyterquiz import display_quiz

    # JupyterLab leaves this part of MathJax out; jupyterquiz would ask a distant host for it. Our questions need none.
    display(Javascript("if (window.MathJax?.version) MathJax.typeset ??= () => {};"))
    state = random.getstate()
    random.seed(f"quiz {number}")  # the element's id is random: fixed, so that stored outputs stay equal
    try:
        display_quiz(questions_as_data(questions[number]))
    finally:
        random.setstate(state)


def questions_as_data(questions):
    """Questions in jupyterquiz's format, with HTML's special characters escaped."""
    def answer(one):
        return {**one, "answer": html.escape(one["answer"]), "feedback": html.escape(one["feedback"])}

    return [{"question": html.escape(question["question"]), "type": "multiple_choice", "answer_cols": 1,
             "answers": [answer(one) for one in question["answers"]]} for question in questions]

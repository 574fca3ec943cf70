"""The mechanics of check, hint, progress and quiz. No framework is imported here."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import course_lib
from course_lib.exercises import check, find, hint, progress, progress_bars, quiz
from course_lib.exercises.engine import judge, record, registry


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    file = tmp_path / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(file))
    return file


def outcome(capsys, function, name="01.soft_update"):
    check(name, function)
    return capsys.readouterr().out.splitlines()


def test_value_that_no_known_mistake_explains_gets_no_diagnosis(capsys):
    lines = outcome(capsys, lambda step, start, end, decay_steps: start - step * decay_steps * end, "01.epsilon_at")
    assert lines == [f"✗ 01.epsilon_at: case 2 of {len(find('01.epsilon_at').draw())}: expected 0.55, got -499",
                     "  epsilon_at(step=50, start=1, end=0.1, decay_steps=100)",
                     '  Perhaps hint("01.epsilon_at") helps.']


def test_exception_is_one_line_with_its_place(capsys):
    def broken(target_weights, weights, tau):
        scale = len(weights) - len(weights)
        return [w / scale for w in target_weights] + tau / scale

    def broken_within(target_weights, weights, tau):
        return np.concatenate([])  # the error is raised in NumPy, its place is here

    lines = outcome(capsys, lambda *given: {}["q_net"])
    assert lines[0].startswith("✗ 01.soft_update: case 1 of 5: KeyError: 'q_net' (line ")
    assert lines[2:] == ["  Hint: That key is not in the dictionary."]
    first = broken.__code__.co_firstlineno
    line = outcome(capsys, broken)[0]
    assert f"ZeroDivisionError: float division by zero (line {first + 2}: return [w / scale" in line
    line = outcome(capsys, broken_within)[0]
    assert "ValueError: need at least one array to concatenate (line" in line and "np.concatenate([])" in line


def test_warnings_of_the_learners_code_stay_silent(capsys, recwarn):
    line = outcome(capsys, lambda old, new, tau: [w / np.zeros(1, np.float32) for w in new])[0]
    assert line == "✗ 01.soft_update: case 1 of 5: item 0: expected [1., 9.], got [inf, nan]"
    assert not recwarn.list


def test_wrong_number_of_parameters_is_told(capsys):
    line = outcome(capsys, lambda tau: None)[0]
    assert "TypeError" in line and "1 positional argument but 3 were given" in line


def test_any_whole_numbers_are_right():
    expected = np.array([2, 0, 1])
    assert all(judge.compare(expected, expected.astype(kind), 1e-5) == "" for kind in ("uint8", "int32", "int64"))
    assert judge.compare(expected, expected.astype(float), 1e-5) == ""
    assert judge.compare(expected, expected > 0, 1e-5) == "expected [2, 0, 1], got [ True, False, True]"
    assert judge.compare(expected > 0, [1, 0, 1], 1e-5) == judge.compare(2.0, np.array(2), 1e-5) == ""
    assert judge.compare([1.0, expected], (np.float32(1), expected.tolist()), 1e-5) == ""
    assert judge.compare((1.0, 2.0), np.array([1.0, 2.0]), 1e-5) == ""


def test_the_row_that_differs_is_shown():
    expected = np.arange(40.0).reshape(20, 2)
    got = expected.copy()
    got[17, 1] = 0
    assert judge.compare(expected, got, 1e-5) == "at [17]: expected [34., 35.], got [34., 0.]; 1 of 40 entries differ"
    assert judge.compare(np.arange(9.0), np.arange(9.0) + 1e-3, 1e-5).startswith("at [0]: expected 0, got 0.001; 9")
    assert judge.compare(np.array([0.123451]), np.array([0.123459]), 1e-6) == "expected [0.123451], got [0.123459]"


@pytest.mark.parametrize(("result", "complaint"), [
    (lambda new: None, "your function returned None: is the `return` missing?"),
    (lambda new: new[0].copy(), "expected a list of 1, got an array of shape (2,)"),
    (lambda new: [], "expected a list of 1, got a list of 0"),
    (lambda new: (w.copy() for w in new), "expected a list of 1, got a generator"),
    (lambda new: [np.zeros((2, 1))], "item 0: expected an array of shape (2,), got an array of shape (2, 1)"),
    (lambda new: [w.tolist() for w in new], "item 0: expected [1., 9.], got [10., 0.]"),
    (lambda new: [w.astype(object) for w in new], "item 0: expected [1., 9.], got [10., 0.]"),
    (lambda new: [np.array([object(), 1])], "item 0: expected an array of shape (2,), got an array of objects"),
    (lambda new: [w * np.nan for w in new], "item 0: expected [1., 9.], got [nan, nan]"),
    (lambda new: [w[::-1] for w in new], "item 0: expected [1., 9.], got [ 0., 10.]"),  # an input, but wrong as well
    (lambda new: new[0].fill(1) or new[0].copy(), "your function changes its input `weights` in place: "
                                                  "make a new array"),
    (lambda new: new.clear() or [], "your function changes its input `weights` in place: make a new array"),
])
def test_each_kind_of_wrong_output_is_named(capsys, result, complaint):
    lines = outcome(capsys, lambda old, new, tau: result(new))
    assert lines[0] == f"✗ 01.soft_update: case 1 of 5: {complaint}"


def test_an_input_handed_back_is_named_if_it_is_right_otherwise():
    """And no known mistake is taken for it: there is no wrong output that one could explain."""
    def cut_dense(kernel, bias, next_kernel, keep):
        full = len(keep) == len(bias)
        return [kernel[:, keep], bias[keep], next_kernel[keep]] if not full else [kernel, bias, next_kernel]

    def clip(gradients, max_norm):
        norm = np.sqrt(sum((part**2).sum() for part in gradients))
        return [part * max_norm / norm for part in gradients] if norm > max_norm else gradients

    def dropout(x, draws, rate):
        return np.where(draws < rate, 0, x / (1 - rate)) if rate else x

    full = dict(kernel=np.eye(2), bias=np.ones(2), next_kernel=np.eye(2), keep=np.arange(2))
    for name, function, cases, kept in (("02.cut_dense", cut_dense, [full], "kernel"),
                                        ("09.clip_by_norm", clip, None, "gradients"),
                                        ("09.dropout", dropout, None, "x")):
        exercise = find(name)
        cases = cases or exercise.draw()
        found = judge.judge(exercise, cases, judge.run(exercise, function, cases=cases))
        assert found.complaint == f"you return the input `{kept}` itself, not a copy: both change together"
        assert found.hint.startswith("Copy first")


@pytest.mark.parametrize(("value", "complaint"), [
    ("1", "expected a number, got a str"),
    (True, "expected a number, got a bool"),
    (float("nan"), "expected 1, got nan"),
    (float("inf"), "expected 1, got inf"),
    (np.ones(1), "expected a number, got an array of shape (1,)"),
])
def test_wrong_numbers_are_named(capsys, value, complaint):
    lines = outcome(capsys, lambda *_: value, "01.epsilon_at")
    assert lines[0] == f"✗ 01.epsilon_at: case 1 of {len(find('01.epsilon_at').draw())}: {complaint}"


def test_numpy_scalars_and_integers_count_as_numbers(capsys):
    right = find("01.epsilon_at").reference
    assert outcome(capsys, lambda *given: np.float64(right(*given)), "01.epsilon_at")[0].startswith("✓")
    lines = outcome(capsys, lambda step, *rest: right(step, *rest) if step else 1, "01.epsilon_at")
    assert lines[0].startswith("✓")


def test_tolerance(capsys):
    right = find("01.epsilon_at").reference
    assert outcome(capsys, lambda *given: right(*given) + 1e-7, "01.epsilon_at")[0].startswith("✓")
    assert outcome(capsys, lambda *given: right(*given) + 1e-4, "01.epsilon_at")[0].startswith("✗")


def test_not_implemented_error_from_a_library_is_no_stub(capsys):
    library = {}
    exec(compile("def relu(x):\n    raise NotImplementedError('no kernel')", "library.py", "exec"), library)
    assert "NotImplementedError: no kernel (line" in outcome(capsys, lambda *given: library["relu"](given))[0]


def test_not_implemented_error_raised_in_c_is_no_stub(capsys):
    grid = memoryview(b"ab").cast("B", (2, 1))
    lines = outcome(capsys, lambda *given: grid[0])
    assert "NotImplementedError: multi-dimensional" in lines[0]


def test_check_wants_a_function():
    with pytest.raises(ValueError, match="expected your function soft_update, got int"):
        check("01.soft_update", 3)


def test_unknown_id_lists_the_nearest():
    with pytest.raises(ValueError, match=r"no exercise '01.tdtarget'; the nearest are 01.td_target, "):
        find("01.tdtarget")


def test_duplicate_or_misplaced_ids_are_refused():
    topic = registry.TOPICS[1]
    with pytest.raises(ValueError, match="'01.td_target' occurs twice"):
        registry.by_id([topic, topic])
    with pytest.raises(ValueError, match="'01.td_target': expected it to start with 02."):
        registry.by_id([replace(topic, number="02")])


def test_hints_come_one_by_one_and_stay_at_the_last(capsys, monkeypatch):
    monkeypatch.setattr(registry, "_hints_shown", {})
    for _ in range(4):
        hint("01.soft_update")
    hint("01.epsilon_at")
    lines = capsys.readouterr().out.splitlines()
    assert [line[5:11] for line in lines] == ["1 of 3", "2 of 3", "3 of 3", "3 of 3", "1 of 3"]
    assert lines[2].endswith('(the last one; next: solution("01.soft_update"))')


def test_progress_is_recorded_and_solved_stays_solved(capsys, progress_file):
    right = find("01.soft_update").reference
    names = registry.EXERCISES.keys() | registry.PROJECTS.keys()
    assert set(progress().values()) == {"not started"} and progress().keys() == names
    check("01.soft_update", lambda *given: None)
    assert progress()["01.soft_update"] == "tried"
    check("01.soft_update", right)
    check("01.soft_update", lambda *given: None)
    assert progress() == {name: "not started" for name in names} | {"01.soft_update": "solved"}
    assert json.loads(progress_file.read_text()) == {"01.soft_update": "solved"}
    assert [file.name for file in progress_file.parent.iterdir()] == ["progress.json"]


def test_what_check_prints_does_not_depend_on_progress(capsys):
    right = find("01.soft_update").reference
    assert outcome(capsys, right) == outcome(capsys, right) == ["✓ 01.soft_update: all 5 cases"]


@pytest.mark.parametrize("content", [b"", b"{\"01.soft_up", b"\xff\xfe\x00", b"[1, 2]", b"[" * 100_000])
def test_damaged_file_is_kept_aside(progress_file, content):
    progress_file.write_bytes(content)
    with pytest.warns(UserWarning, match="progress.json is damaged: kept as progress.json.bak"):
        record.record("01.soft_update", "solved")
    assert Path(f"{progress_file}.bak").read_bytes() == content
    assert record.read() == {"01.soft_update": "solved"}


def test_entries_that_make_no_sense_are_passed_over(progress_file):
    progress_file.write_text('{"01.soft_update": "done", "01.td_target": 3, "09.of_later": "solved"}')
    assert set(progress().values()) == {"not started"}
    record.record("01.td_target", "tried")
    assert record.read() == {"01.td_target": "tried", "09.of_later": "solved"}


def test_file_that_cannot_be_written_only_warns(capsys, monkeypatch, tmp_path):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "a_file" / "progress.json"))
    with pytest.warns(UserWarning, match="progress cannot be kept"):
        assert outcome(capsys, find("01.soft_update").reference)[0].startswith("✓")


def test_interrupted_write_leaves_the_old_file(progress_file, monkeypatch):
    record.record("01.soft_update", "solved")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        record.record("01.td_target", "solved")
    assert record.read() == {"01.soft_update": "solved"}
    assert [file.name for file in progress_file.parent.iterdir()] == ["progress.json"]


def test_lock_of_a_killed_process_does_not_block(progress_file):
    progress_file.with_name("progress.json.lock").touch()
    record.record("01.td_target", "tried")
    assert record.read() == {"01.td_target": "tried"}


def test_processes_that_record_at_once_lose_nothing(progress_file):
    code = ("import sys; from course_lib.exercises.engine import record\n"
            "for i in range(20): record.record(f'{sys.argv[1]}.{i}', 'tried')")
    root = str(Path(course_lib.__file__).parents[1])
    workers = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(name)], cwd=root)
               for name in range(3)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    assert record.read().keys() == {f"{name}.{i}" for name in range(3) for i in range(20)}


def test_where_progress_is_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_PROGRESS_FILE")
    module = tmp_path / "checkout" / "course_lib" / "exercises" / "engine" / "record.py"
    monkeypatch.setattr(record, "__file__", str(module))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert record.path() == tmp_path / "home" / ".course_progress.json"  # installed, no checkout
    module.parent.mkdir(parents=True)
    (tmp_path / "checkout" / "pyproject.toml").touch()
    assert record.path() == tmp_path / "checkout" / ".course_progress.json"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert record.path() == tmp_path / "home" / ".course_progress.json"  # read-only checkout


def test_progress_bars():
    plt = pytest.importorskip("matplotlib.pyplot")
    record.record("01.td_target", "solved")
    record.record("01.epsilon_at", "tried")
    record.record("01.soft_update", "tried")
    figure, ax = plt.subplots()
    assert progress_bars(ax) is ax
    topics = sum(bool(topic.exercises or topic.project_id) for topic in registry.TOPICS)
    widths = [container[1].get_width() for container in ax.containers]
    tasks = 6 + (registry.TOPICS[1].project_id is not None)
    np.testing.assert_allclose(widths, [1 / tasks, 2 / tasks, (tasks - 3) / tasks])
    assert [text.get_text() for text in ax.texts][1] == f"1 of {tasks}" and len(ax.texts) == topics
    assert ax.get_yticklabels()[1].get_text() == "01 Deep Q-learning"
    plt.close(figure)
    own = progress_bars()
    assert own is not ax
    plt.close(own.figure)


@pytest.fixture
def shown(monkeypatch):
    pytest.importorskip("jupyterquiz")
    outputs = []
    monkeypatch.setattr(sys.modules["jupyterquiz.dynamic.display"], "display",
                        lambda output: outputs.append(output.data))
    return outputs


def test_quiz_is_the_same_each_time_and_leaves_random_alone(shown):
    random.seed(7)
    state = random.getstate()
    quiz("01")
    assert random.getstate() == state
    random.seed(8)
    quiz("01")
    assert len(shown) == 4 and shown[:2] == shown[2:]
    assert "overestimat" not in shown[0] and "Double DQN lets one network" in shown[1]


@pytest.mark.parametrize("topic", registry.TOPICS[1:], ids=lambda topic: topic.number)
def test_every_answer_of_a_quiz_is_explained(topic):
    questions = registry.questions_as_data(topic.questions)
    assert questions
    for question in questions:
        assert [answer["correct"] for answer in question["answers"]] == [True, False, False, False]
        assert all(len(answer["feedback"]) > 20 for answer in question["answers"])
        assert len({answer["answer"] for answer in question["answers"]}) == 4


def test_quiz_escapes_html():
    question = {"question": "a < b?", "answers": [{"answer": "yes & no", "correct": True, "feedback": "x < y"},
                                                  {"answer": "<b>", "correct": False, "feedback": "&"}]}
    assert registry.questions_as_data([question]) == [
        {"question": "a &lt; b?", "type": "multiple_choice", "answer_cols": 1, "answers": [
            {"answer": "yes &amp; no", "correct": True, "feedback": "x &lt; y"},
            {"answer": "&lt;b&gt;", "correct": False, "feedback": "&amp;"}]}]


def test_unknown_quiz():
    with pytest.raises(ValueError, match="quiz: expected one of 01.*, got '99'"):
        quiz("99")


def test_the_statement_is_printed_at_the_first_check(capsys, monkeypatch):
    monkeypatch.setattr(registry, "_statements_shown", set())
    exercise = find("01.epsilon_at")
    lines = outcome(capsys, exercise.reference, exercise.id)
    assert " ".join(lines[:-2]) == f"{exercise.title}. {exercise.statement}" and lines[-2] == ""
    assert max(map(len, lines)) <= 100
    assert len(outcome(capsys, exercise.reference, exercise.id)) == 1

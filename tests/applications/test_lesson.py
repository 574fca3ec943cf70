"""What lesson 07 computes in the open is what its studies and the library compute."""

import ast
from functools import partial
from pathlib import Path

import applications as study
import nbformat
import numpy as np
import pytest
from scipy.special import softmax
from statsmodels.tsa.ar_model import AutoReg

from course_lib.common import data
from course_lib.exercises import applications as exercises
from course_lib.fusion.inputs import halves

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "07_applications.ipynb"
WANTED = {"allowed", "may_follow", "times", "source", "examples", "first_violation", "possible", "windows",
          "autoregression", "ewma", "forecast", "garch", "with_trigger", "poisoned", "private_regression", "epsilon",
          "rule"}
SERIES = np.random.default_rng(0).normal(size=300).cumsum()


def lesson(framework="neither"):
    """What its cells define."""
    names = {"np": np, "seed": 0, "softmax": softmax, "AutoReg": AutoReg}
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type == "code" and cell.source.startswith(f"%%{framework}\n"):
            exec(cell.source.partition("\n")[2], names)
        elif cell.cell_type == "code" and not cell.source.startswith("%%"):
            for part in ast.parse(cell.source).body:
                constant = isinstance(part, ast.Assign) and ast.unparse(part.targets[0]).strip("()").isupper() or (
                    isinstance(part, ast.Assign) and ast.unparse(part.targets[0]).startswith("(CHARS"))
                plain = constant and not any(isinstance(node, ast.Call) for node in ast.walk(part))
                if plain or isinstance(part, (ast.FunctionDef, ast.ClassDef)) and part.name in {*WANTED, "Fused"}:
                    exec(ast.unparse(part), names)
    return names


@pytest.fixture(scope="module")
def names():
    return lesson()


def test_everything_is_there(names):
    assert set(names) >= WANTED | {"CHARS", "LETTERS", "Fused"}


def test_the_rules_of_sums(names):
    assert set(names["allowed"]("")) == set("xyz([{") and set(names["allowed"]("x+[y")) == set("]+-*")
    assert names["allowed"]("x" + "+x" * 14) == "."
    assert "(" in names["allowed"]("[[[") and "(" not in names["allowed"]("[[[[")
    assert names["first_violation"]("x+[y*(z-x)].") == 12 and names["first_violation"]("x+)y.") == 2
    prefixes = ["", "x", "x+", "(x", "(x+y)"]
    said = names["source"](prefixes)
    assert [names["CHARS"][row.argmax()] for row in said] == ["x", "+", "y", "+", "-"]
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert not said[~names["may_follow"](prefixes)].any()
    model = np.random.default_rng(0).dirichlet(np.ones(13), 5)
    np.testing.assert_allclose(names["times"](model, names["may_follow"](prefixes)),
                               exercises.apply_rules(model, names["may_follow"](prefixes)))
    texts, following = names["examples"](["x.", "y+z."])
    assert texts == ["", "x", "", "y", "y+", "y+z"] and "".join(names["CHARS"][i] for i in following) == "x.y+z."


def test_the_rule_about_letters(names):
    every = [name for found in study.names_of_places().values() for name in found[::9]]
    np.testing.assert_array_equal(names["possible"](every), study.possible(every))
    assert names["LETTERS"] == study.LETTERS


def test_forecasts(names):
    for lags in (3, 20):
        for name in ("autoregression", "ewma"):
            ours, theirs = (place(lags, SERIES[:200]) for place in (names[name], getattr(study, name)))
            past = study.windows(SERIES, 200)[0]
            np.testing.assert_allclose(ours(past), theirs(past))
    y, found = names["forecast"](SERIES, start=150, validation=40, lags=5)
    members = {"AR": partial(study.autoregression, 5), "EWMA": partial(study.ewma, 5)}
    wanted, theirs = study.compare(SERIES, members, [150], validation=40, period=1)
    np.testing.assert_allclose(y, wanted)
    theirs["constant"] = np.full(110, np.median(SERIES[:150]))
    assert set(found) <= set(theirs)
    for name in found:
        np.testing.assert_allclose(found[name], theirs[name])
    for one, two in zip(names["garch"](300, 5), study.garch(300, seed=5), strict=True):
        np.testing.assert_allclose(one, two)


def test_poison(names):
    digits = data.load("digits")
    x, y = digits.x_train[:60], digits.y_train[:60]
    for one, two in zip(names["poisoned"](x, y, 0.1, np.random.default_rng(3)),
                        study.poisoned(x, y, 0.1, np.random.default_rng(3)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_private_regression(names):
    digits = data.load("digits")
    x, y = digits.x_train[:60], digits.y_train[:60]
    one, two = (place(x, y, noise=2.0, steps=5, rng=np.random.default_rng(0))
                for place in (names["private_regression"], study.private_regression))
    np.testing.assert_allclose(one(x), two(x))
    assert names["epsilon"](6.0, 100, 1e-3) == study.epsilon(6.0, 100, 1e-3)


def test_the_mean_of_rule_and_agent(names):
    class Agent:
        def q_values(self, obs):
            return np.random.default_rng(0).normal(size=(len(obs), 2))

    obs = np.random.default_rng(1).normal(size=(40, 4))
    share = np.linspace(0, 1, 40)
    one, two = (place(Agent(), share, 0.5).act(obs) for place in (names["Fused"], study.Fused))
    np.testing.assert_array_equal(one, two)


def weights(net):
    return [values.detach().numpy() if hasattr(values, "detach") else np.asarray(values)
            for values in (net.parameters() if hasattr(net, "parameters") else net.weights)]


@pytest.mark.parametrize("model", ["new_cnn", "RNN", "Both"])
def test_its_networks_and_a_step_of_their_training(twin, model):
    """Adam's first step moves each weight by the learning rate, against the sign of its gradient."""
    framework = twin("networks").__name__.rpartition("in_")[2]
    own, digits = lesson(framework), data.load("digits")
    network, nets = own[model](), twin("networks")
    inputs = halves(digits.x_train[:64]) if model == "Both" else (digits.x_train[:64],)
    before = [values.copy() for values in weights(network)]
    said = nets.predict(network, inputs if len(inputs) > 1 else inputs[0])
    assert said.shape == (64, 10)
    own["train"](network, inputs, digits.y_train[:64], epochs=1, rate=1e-3)
    steps = [np.abs(new - old) for new, old in zip(weights(network), before, strict=True)]
    assert all(step.max() < 1.01e-3 for step in steps) and np.mean([np.median(step) for step in steps]) > 5e-4
    own["train"](network, inputs, digits.y_train[:64], epochs=30)
    assert nets.accuracy(network, inputs if len(inputs) > 1 else inputs[0], digits.y_train[:64]) > 0.5

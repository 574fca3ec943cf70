"""Whatever is handed to both twins of a public function: both give the same, or both refuse it in the same words."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from strange import ARRAYS, NUMBERS, same  # noqa: E402

from course_lib.applications import in_keras as applications_keras  # noqa: E402
from course_lib.applications import in_pytorch as applications_pytorch  # noqa: E402
from course_lib.dqn import in_keras as dqn_keras  # noqa: E402
from course_lib.dqn import in_pytorch as dqn_pytorch  # noqa: E402
from course_lib.dqn.config import DQNConfig  # noqa: E402
from course_lib.dqn.replay import Batch  # noqa: E402
from course_lib.ensembling import in_keras as ensembling_keras  # noqa: E402
from course_lib.ensembling import in_pytorch as ensembling_pytorch  # noqa: E402
from course_lib.gan import in_keras as gan_keras  # noqa: E402
from course_lib.gan import in_pytorch as gan_pytorch  # noqa: E402
from course_lib.gan.config import GANConfig  # noqa: E402
from course_lib.merging import in_keras as merging_keras  # noqa: E402
from course_lib.merging import in_pytorch as merging_pytorch  # noqa: E402
from course_lib.networks import in_keras as networks_keras  # noqa: E402
from course_lib.networks import in_pytorch as networks_pytorch  # noqa: E402
from course_lib.networks.config import TrainingConfig  # noqa: E402
from course_lib.pruning import in_keras as pruning_keras  # noqa: E402
from course_lib.pruning import in_pytorch as pruning_pytorch  # noqa: E402


class Twins:
    """One framework's twins, and networks and agents of the same weights in both."""

    def __init__(self, networks, pruning, merging, applications, ensembling, dqn, gan):
        self.networks, self.pruning, self.merging, self.applications = networks, pruning, merging, applications
        self.ensembling, self.dqn = ensembling, dqn
        self.model, self.copy = (networks.make_mlp((4,), 3, hidden=(5,)) for _ in range(2))
        self.agent = dqn.DQNAgent((4,), 2, DQNConfig(hidden=(5,), batch_size=6, act_with_target=False))
        self.gan = gan.GAN((2,), 3, GANConfig(hidden=(5,), latent_size=3, batch_size=4, steps=2, record_every=2))
        rng = np.random.default_rng(3)
        self.layers = [(rng.normal(size=kernel.shape), rng.normal(size=bias.shape)) for kernel, bias in
                       networks.get_layers(self.model)]
        self.state = self.agent.state()

    def fresh(self):
        self.agent.restore(self.state)
        for model in (self.model, self.copy):
            self.networks.set_layers(model, self.layers)
        return self


BOTH = [Twins(networks_pytorch, pruning_pytorch, merging_pytorch, applications_pytorch, ensembling_pytorch, dqn_pytorch,
              gan_pytorch),
        Twins(networks_keras, pruning_keras, merging_keras, applications_keras, ensembling_keras, dqn_keras, gan_keras)]
ONCE = TrainingConfig(epochs=1, batch_size=9)


def x(rng):
    return rng.random((9, 4))


def y(rng):
    return rng.integers(0, 3, 9)


def _trained(t, inputs, classes):
    return t.networks.train(t.model, inputs, classes, ONCE), t.networks.get_kernels(t.model)


def _written(t, kernel, bias):
    t.networks.set_layer(t.model, 0, kernel, bias)
    return t.networks.get_layers(t.model)


def _masked(t, mask):
    t.pruning.apply_masks(t.copy, [mask, np.ones((5, 3), bool)])
    return t.networks.get_kernels(t.copy)


def _taught(t, inputs, classes, logits, temperature, share):
    return t.merging.distill(t.model, inputs, classes, logits, ONCE, temperature=temperature, share=share)


def _shape(found):
    return np.shape(found)


# A use of the twins, and arguments that it takes; at last whether the results are equal, or only of one shape.
ENTRIES = {
    "predict": (lambda t, x: t.networks.predict(t.model, x), lambda rng: (x(rng),), True),
    "accuracy": (lambda t, x, y: t.networks.accuracy(t.model, x, y), lambda rng: (x(rng), y(rng)), True),
    "train": (_trained, lambda rng: (x(rng), y(rng)), True),
    "set_layer": (_written, lambda rng: (rng.normal(size=(4, 5)), rng.normal(size=5)), True),
    "collect_activations": (lambda t, x: t.networks.collect_activations(t.model, x), lambda rng: (x(rng),), True),
    "apply_masks": (_masked, lambda rng: (rng.random((4, 5)) < 0.5,), True),
    "shrink": (lambda t, keep: t.networks.get_layers(t.pruning.shrink(t.model, [keep])),
               lambda rng: (rng.permutation(5)[:3],), True),
    "distill": (_taught, lambda rng: (x(rng), y(rng), rng.normal(size=(9, 3)), 2.0, 0.5), True),
    "fgsm": (lambda t, x, y, step: t.applications.fgsm(t.model, x, y, step=step), lambda rng: (x(rng), y(rng), 0.1),
             True),
    "act": (lambda t, obs: t.agent.act(obs), lambda rng: (rng.normal(size=(6, 4)),), False),
    "update": (lambda t, *batch: t.agent.update(Batch(*batch)),
               lambda rng: (rng.normal(size=(6, 4)), rng.integers(0, 2, 6), rng.normal(size=6), rng.normal(size=(6, 4)),
                            np.zeros(6), np.full(6, 0.9)), False),
    "NetRegressor": (lambda t, x, y: t.ensembling.NetRegressor((3,), epochs=1).fit(x, y).predict(x),
                     lambda rng: (x(rng), rng.normal(size=9)), False),
    "GAN": (lambda t, x, y: t.gan.fit(x, y, steps=1).samples[-1], lambda rng: (rng.random((9, 2)), y(rng)), False),
    "sample": (lambda t, labels: t.gan.sample(labels), lambda rng: (y(rng),), False),
}


def outcome(t, name, values):
    """What a twin gives, or the words in which it refuses."""
    try:
        return ENTRIES[name][0](t.fresh(), *values)
    except ValueError as error:
        return str(error)
    except TypeError as error:  # scikit-learn's own, of a dict
        if name != "NetRegressor":
            raise
        return str(error)


def verdict(name, seed, changes):
    """What is wrong with what both twins make of arguments changed so, {place: change}; None if nothing is."""
    rng = np.random.default_rng(seed)
    values = list(ENTRIES[name][1](rng))
    for place, change in changes.items():
        values[place] = kinds(values[place])[change](values[place], rng)
    try:
        one, other = (outcome(t, name, values) for t in BOTH)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if isinstance(one, str) or isinstance(other, str):
        clear = name == "NetRegressor" or "expected" in str(one) and "got" in str(one)  # scikit-learn has its own words
        return None if one == other and clear else f"in PyTorch {one}; in Keras {other}"
    fits = same(one, other) if ENTRIES[name][2] else np.shape(one) == np.shape(other) and np.isfinite(one).all()
    return None if fits else f"in PyTorch {one}; in Keras {other}"


def kinds(value):
    return ARRAYS if np.ndim(value) else NUMBERS


@pytest.mark.parametrize("name", ENTRIES)
def test_alike(name):
    """Every change of every argument by itself."""
    wrong = {(place, change): verdict(name, 0, {place: change})
             for place, value in enumerate(ENTRIES[name][1](np.random.default_rng(0))) for change in kinds(value)}
    assert {case: what for case, what in wrong.items() if what} == {}


@pytest.mark.parametrize("name", ENTRIES)
@settings(max_examples=20, deadline=None, derandomize=True, database=None, phases=(Phase.generate,),
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_two_slips_at_once(name, data):
    values = list(ENTRIES[name][1](np.random.default_rng(0)))
    places = data.draw(st.lists(st.sampled_from(range(len(values))), min_size=1, max_size=2, unique=True))
    changes = {place: data.draw(st.sampled_from(sorted(kinds(values[place])))) for place in places}
    assert verdict(name, 0, changes) is None

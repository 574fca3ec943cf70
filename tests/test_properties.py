"""Whatever is handed to a public function: the result is right, or a ValueError says what was expected and what came.

Right means: what the function gives for the same numbers as plain float64, int64 or bool; the functions' own tests
compare those with values computed by hand.
"""

import dataclasses
import math
import typing

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from strange import ARRAYS, NUMBERS, plain, same

from course_lib.common import checkpoint, data
from course_lib.common.bandits import LinearBandit
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.replay import Batch, ReplayBuffer
from course_lib.ensembling import uncertainty
from course_lib.ensembling import weights as shares
from course_lib.fusion import outputs
from course_lib.gan import metrics as distances
from course_lib.gan.config import GANConfig
from course_lib.merging import weights as merging
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss
from course_lib.pruning import information, scores
from course_lib.pruning.config import PruningConfig
from course_lib.recommendation import metrics, ope
from course_lib.recommendation.log import ShopLog
from course_lib.recommendation.shop import ShopConfig
from course_lib.tuning.config import TuningConfig
from course_lib.tuning.tasks import TaskConfig

TRIES = settings(max_examples=60, deadline=None, derandomize=True, database=None,
                 suppress_health_check=[HealthCheck.function_scoped_fixture],
                 phases=(Phase.generate, Phase.shrink))


def probabilities(rng, *shape):
    values = rng.random(shape) + 0.05
    return values / values.sum(axis=-1, keepdims=True)


def _layers(rng):
    return [(rng.normal(size=(3, 4)), rng.normal(size=4)), (rng.normal(size=(4, 2)), rng.normal(size=2))]


def _one_layer(function):
    """A function of networks as one of an array: the first kernel of the first network."""
    def call(kernel, *rest):
        layers = _layers(np.random.default_rng(1))
        return function([(kernel, layers[0][1]), layers[1]], *rest)

    return call


def _greedy(predictions, y, rounds):
    return shares.greedy_ensemble_selection(predictions, y, rounds=rounds)


def _learned(contexts, chosen, rewards):
    bandit = LinearBandit(2)
    bandit.learn(contexts, chosen, rewards)
    return bandit.coefficients, bandit.choose(contexts)


def _log(user, item, basket, time):
    log = ShopLog(user, item, basket, time, ("a", "b", "c"))
    return log.users, len(log)


# A public function, and arguments that it takes: arrays, and numbers.
ENTRIES = {
    "two_model_weight": (shares.two_model_weight, lambda rng: rng.normal(size=(3, 8))),
    "nnls_weights": (shares.nnls_weights, lambda rng: (rng.normal(size=(3, 8)), rng.normal(size=8))),
    "simplex_weights": (shares.simplex_weights, lambda rng: (rng.normal(size=(3, 8)), rng.normal(size=8))),
    "greedy_ensemble_selection": (_greedy, lambda rng: (rng.normal(size=(3, 8)), rng.normal(size=8), 5)),
    "log_loss": (log_loss, lambda rng: (probabilities(rng, 6, 3), rng.integers(0, 3, 6))),
    "expected_calibration_error": (lambda p, y, bins: uncertainty.expected_calibration_error(p, y, bins=bins),
                                   lambda rng: (probabilities(rng, 6, 3), rng.integers(0, 3, 6), 4)),
    "rotated": (uncertainty.rotated, lambda rng: (rng.random((2, 5, 5)), 30)),
    "magnitude_mask": (lambda a, b, share: scores.magnitude_mask([a, b], share),
                       lambda rng: (rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), 0.5)),
    "lamp_scores": (scores.lamp_scores, lambda rng: (rng.normal(size=(4, 3)),)),
    "binned_entropy": (lambda a, bins: scores.binned_entropy(a, bins=bins), lambda rng: (rng.random((20, 3)), 5)),
    "class_mutual_information": (scores.class_mutual_information,
                                 lambda rng: (rng.random((20, 3)), rng.integers(0, 3, 20))),
    "live_neurons": (lambda kernel, tolerance: scores.live_neurons([kernel], tolerance=tolerance),
                     lambda rng: (rng.normal(size=(4, 3)), 0.05)),
    "gaussian_mi_selection": (information.gaussian_mi_selection,
                              lambda rng: (rng.normal(size=(20, 4)), rng.normal(size=(20, 3)), 2)),
    "least_squares_reconstruction": (information.least_squares_reconstruction,
                                     lambda rng: (rng.normal(size=(20, 4)), rng.normal(size=(20, 3)))),
    "top_k": (metrics.top_k, lambda rng: (rng.permutation(30).reshape(5, 6) / 30, 3)),
    **{name: (getattr(metrics, name), lambda rng: (np.argsort(rng.random((4, 6)))[:, :3],
                                                   np.maximum(rng.random((4, 6)) < 0.4, np.eye(4, 6))))
       for name in ("hits", "hit_rate", "ndcg")},
    "inverse_propensity": (lambda *a: dataclasses.astuple(ope.inverse_propensity(*a)),
                           lambda rng: (rng.normal(size=9), rng.random(9), rng.uniform(0.1, 1, 9))),
    "self_normalised": (lambda *a: dataclasses.astuple(ope.self_normalised(*a)),
                        lambda rng: (rng.normal(size=9), rng.random(9), rng.uniform(0.1, 1, 9))),
    "direct": (lambda *a: dataclasses.astuple(ope.direct(*a)),
               lambda rng: (rng.normal(size=(9, 3)), probabilities(rng, 9, 3))),
    "doubly_robust": (lambda *a: dataclasses.astuple(ope.doubly_robust(*a)),
                      lambda rng: (rng.normal(size=9), rng.integers(0, 3, 9), rng.random(9), rng.uniform(0.1, 1, 9),
                                   rng.normal(size=(9, 3)), probabilities(rng, 9, 3))),
    "per_decision": (lambda *a: dataclasses.astuple(ope.per_decision(*a)),
                     lambda rng: (rng.normal(size=(9, 2)), rng.random((9, 2)), rng.uniform(0.1, 1, (9, 2)))),
    "weighted": (outputs.weighted, lambda rng: (rng.normal(size=(3, 5)), probabilities(rng, 3))),
    "product_of_experts": (outputs.product_of_experts, lambda rng: (probabilities(rng, 2, 5, 3),)),
    "median": (outputs.median, lambda rng: (probabilities(rng, 2, 5, 3),)),
    "best_alpha": (outputs.best_alpha, lambda rng: (probabilities(rng, 6, 3), probabilities(rng, 6, 3),
                                                    rng.integers(0, 3, 6))),
    "permute": (_one_layer(lambda layers, order: merging.permute(layers, [order])),
                lambda rng: (rng.normal(size=(3, 4)), rng.permutation(4))),
    "match_weights": (_one_layer(lambda layers: merging.match_weights(layers, _layers(np.random.default_rng(2)))),
                      lambda rng: (rng.normal(size=(3, 4)),)),
    "task_arithmetic": (_one_layer(lambda layers, scale: merging.task_arithmetic(
        _layers(np.random.default_rng(2)), [layers], scale)), lambda rng: (rng.normal(size=(3, 4)), 0.5)),
    "ties": (_one_layer(lambda layers, keep: merging.ties(_layers(np.random.default_rng(2)), [layers], keep=keep)),
             lambda rng: (rng.normal(size=(3, 4)), 0.5)),
    "regmean": (_one_layer(lambda layers, x: merging.regmean([layers, _layers(np.random.default_rng(2))], [x, x])),
                lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(9, 3)))),
    "average": (_one_layer(lambda layers, weights: merging.average([layers, _layers(np.random.default_rng(2))],
                                                                   weights)),
                lambda rng: (rng.normal(size=(3, 4)), probabilities(rng, 2))),
    "frechet_distance": (distances.frechet_distance, lambda rng: (rng.normal(size=(9, 2)), rng.normal(size=(8, 2)))),
    "neighbourhoods": (lambda real, fake, k: distances.neighbourhoods(real, fake, k=k),
                       lambda rng: (rng.normal(size=(9, 2)), rng.normal(size=(8, 2)), 2)),
    "memorised": (distances.memorised, lambda rng: (rng.normal(size=(9, 2)), rng.normal(size=(7, 2)),
                                                    rng.normal(size=(8, 2)))),
    "LinearBandit": (_learned, lambda rng: (rng.normal(size=(6, 3, 2)), rng.integers(0, 3, 6), rng.normal(size=6))),
    "ShopLog": (_log, lambda rng: (rng.integers(0, 4, 6), rng.integers(0, 3, 6), np.arange(6), np.arange(6.0))),
}


OPTIONAL = {("weighted", 1), ("average", 1)}  # None stands for equal weights


def verdict(name, seed, changes):
    """What is wrong with what a function makes of arguments changed so, {place: change}; None if nothing is."""
    call, arguments = ENTRIES[name]
    rng = np.random.default_rng(seed)
    given_ = list(arguments(rng))
    changed = {place: kinds(given_[place])[change](given_[place], rng) for place, change in changes.items()}
    try:
        found = call(*(changed.get(place, value) for place, value in enumerate(given_)))
    except ValueError as error:
        return None if "expected" in str(error) and "got" in str(error) else f"an obscure error: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    meant = {place: plain(value, finite=name != "top_k") for place, value in changed.items()}
    if any(value is None and (name, place) not in OPTIONAL for place, value in meant.items()):
        return f"taken for numbers: {found}"
    again = call(*(value[()] if isinstance(value, np.ndarray) and not value.ndim else value for value in
                   (meant.get(place, value) for place, value in enumerate(given_))))
    return None if same(found, again) else f"{found}, of the same as float64: {again}"


def kinds(value):
    return ARRAYS if np.ndim(value) else NUMBERS


@pytest.mark.parametrize("name", ENTRIES)
def test_right_or_refused(name):
    """Every change of every argument by itself."""
    wrong = {(place, change): verdict(name, 0, {place: change})
             for place, value in enumerate(ENTRIES[name][1](np.random.default_rng(0))) for change in kinds(value)}
    assert {case: what for case, what in wrong.items() if what} == {}


@pytest.mark.parametrize("name", ENTRIES)
@TRIES
@given(st.data())
def test_two_slips_at_once(name, data):
    seed = data.draw(st.integers(0, 9))
    values = list(ENTRIES[name][1](np.random.default_rng(seed)))
    places = data.draw(st.lists(st.sampled_from(range(len(values))), min_size=1, max_size=2, unique=True))
    changes = {place: data.draw(st.sampled_from(sorted(kinds(values[place])))) for place in places}
    assert verdict(name, seed, changes) is None


CONFIGS = (DQNConfig, GANConfig, TrainingConfig, PruningConfig, ShopConfig, TuningConfig, TaskConfig)


@pytest.mark.parametrize("config", CONFIGS)
@TRIES
@given(st.data())
def test_settings_are_of_their_type_and_finite_or_refused(config, data):
    field = data.draw(st.sampled_from(dataclasses.fields(config)))
    value = data.draw(st.sampled_from([-1, 0, 1, 0.5, 2.5, np.nan, np.inf, -np.inf, True, False, None, "1", "no",
                                       (), (1,), (0.5, 0.1), (1, 2), ("a",), [1], np.int64(2), np.float32(0.5), {},
                                       10**30]))
    try:
        made = config(**{field.name: value})
    except ValueError as error:
        assert str(error).startswith(f"{config.__name__}.") and "expected" in str(error) and "got" in str(error)
        return
    kind = typing.get_type_hints(config)[field.name]
    for entry in value if isinstance(value, tuple) else (value,):
        assert entry is None or isinstance(entry, str) or math.isfinite(entry)
        assert isinstance(entry, bool) == (kind is bool)
    assert isinstance(value, tuple) == (typing.get_origin(kind) is tuple) and getattr(made, field.name) == value


@TRIES
@given(st.data())
def test_checkpoints_keep_or_refuse(tmp_path, data):
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(
        [np.float32(1), np.array([1, 2], np.uint8), np.zeros((0, 3)), np.array(["a"]), np.array([None]), 1j, b"a", {1},
         np.ma.masked_array([1], [True]), np.array([1], ">f4"), np.datetime64("2020"), object()]))
    state = data.draw(st.recursive(leaf, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(
        st.one_of(st.text(max_size=3), st.integers(0, 3)), inner, max_size=3), st.tuples(inner)), max_leaves=6))
    path = tmp_path / "state.npz"
    path.unlink(missing_ok=True)
    try:
        checkpoint.save(path, state)
    except ValueError as error:
        assert "expected" in str(error) and "got" in str(error) and not path.exists()
        return
    _equal(state, checkpoint.load(path))


def _equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            _equal(one[name], other[name])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            _equal(first, second)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other or one != one and other != other


@TRIES
@given(st.data())
def test_files_of_images_are_read_or_refused(tmp_path, case):
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.integers(0, 256, (6, 3, 4)).astype(np.uint8), "y_train": np.arange(6) % 3,
              "x_test": rng.integers(0, 256, (3, 3, 4)).astype(np.uint8), "y_test": np.arange(3)}
    name = case.draw(st.sampled_from(sorted(arrays)))
    changed = ARRAYS[case.draw(st.sampled_from(sorted(ARRAYS)))](arrays[name], rng)
    try:
        np.savez(tmp_path / "a.npz", **arrays | {name: changed})
    except ValueError:  # a ragged list is no array, and goes into no file
        return
    try:
        found = data.load(tmp_path / "a.npz")
    except ValueError as error:
        assert "expected" in str(error) and "got" in str(error) and "pickle" not in str(error), error
        return
    for part in (found.x_train, found.x_test):
        assert part.dtype == np.float32 and part.shape[1:] == (3, 4) and 0 <= part.min() <= part.max() <= 1
    assert len(found.x_train) == len(found.y_train) and found.y_train.max() < len(found.classes) < 50


@TRIES
@given(st.data())
def test_replay_gives_back_what_it_was_given(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    size, dtype = data.draw(st.integers(1, 9)), data.draw(st.sampled_from(["uint8", "float32", "float64", "int16"]))
    buffer = ReplayBuffer(20, (2,), dtype)
    batch = Batch((rng.random((size, 2)) * 100).astype(dtype), rng.integers(0, 3, size), rng.random(size),
                  (rng.random((size, 2)) * 100).astype(dtype), np.zeros(size), np.ones(size))
    buffer.add(batch)
    drawn = buffer.sample(rng, 50)
    rows = {tuple(row) for row in batch.obs}
    assert len(buffer) == size and {tuple(row) for row in drawn.obs} <= rows and drawn.obs.dtype == dtype

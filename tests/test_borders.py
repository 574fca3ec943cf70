"""What people handed to other libraries and were not told about: each is right here, or refused with a clear error."""

import io
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import VectorEnv, VectorObservationWrapper, VectorWrapper
from gymnasium.vector.utils import batch_space

from course_lib.common import checkpoint, checks, data
from course_lib.common.bandits import LinearBandit
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import GridWorld, make_vec
from course_lib.dqn.replay import Batch, ReplayBuffer
from course_lib.dqn.vector import NextStepVectorEnv
from course_lib.ensembling.uncertainty import expected_calibration_error
from course_lib.ensembling.weights import greedy_ensemble_selection
from course_lib.gan.config import GANConfig
from course_lib.networks.config import TrainingConfig
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.information import gaussian_mi_selection
from course_lib.recommendation import metrics
from course_lib.recommendation.log import ShopLog

SMALL = DQNConfig(hidden=(8,), batch_size=8, warmup_steps=32, updates_per_block=2, total_steps=200, eval_every=100,
                  eval_episodes=2, checkpoint_every=100, buffer_size=500)
rng = np.random.default_rng(0)


class Bytes(VectorEnv):
    """Two copies of an environment that is never over, of observations in uint8."""

    metadata = {"autoreset_mode": gym.vector.AutoresetMode.NEXT_STEP}

    def __init__(self):
        self.num_envs, self.steps = 2, 0
        self.single_observation_space = gym.spaces.Box(0, 255, (3,), np.uint8)
        self.single_action_space = gym.spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, 2)
        self.action_space = batch_space(self.single_action_space, 2)

    def reset(self, *, seed=None, options=None):
        return np.full((2, 3), 200, np.uint8), {}

    def step(self, actions):
        self.steps += 1
        return np.full((2, 3), 100, np.uint8), np.ones(2), np.zeros(2, bool), np.zeros(2, bool), {}


class Numbered(VectorWrapper):
    """Flags of CartPole as 0 and 1, and rewards in a column too many."""

    def __init__(self, env, column):
        super().__init__(env)
        self.column = column

    def step(self, actions):
        obs, reward, terminated, truncated, infos = self.env.step(actions)
        reward = reward[:, None] if self.column else reward
        return obs, reward, terminated.astype(int), truncated.astype(int), infos


class Scaled(VectorObservationWrapper):
    def observations(self, observations):
        return (observations / 255).astype("float32")


class Spoiled(VectorWrapper):
    """Puts NaN into one copy's observation or reward, in step 40."""

    def __init__(self, env, what):
        super().__init__(env)
        self.what, self.done = what, 0

    def step(self, actions):
        obs, reward, *rest = self.env.step(actions)
        self.done += 1
        if self.done == 40:
            obs, reward = obs.copy(), np.array(reward, float)
            (obs if self.what == "obs" else reward)[1] = np.nan
        return obs, reward, *rest


# Deep Q-learning


def test_observations_that_their_space_cannot_hold(twin):
    with pytest.raises(ValueError, match="expected observations .* of uint8.*got .* of float32"):
        twin("dqn").train(Scaled(Bytes()), SMALL, eval_env=False)
    assert len(twin("dqn").train(Bytes(), SMALL, eval_env=False).losses) > 5


@pytest.mark.parametrize(("what", "words"), [("obs", "expected finite observations"), ("reward", "rewards: expected")])
def test_nan_from_an_environment_stops_training_and_names_the_step(twin, what, words):
    with pytest.raises(ValueError, match=f"env: {words}.* got NaN.* after 1[45]. steps"):
        twin("dqn").train(Spoiled(make_vec("CartPole-v1", 4), what), SMALL, eval_env=False)
    agent = twin("dqn").DQNAgent((4,), 2, SMALL)
    with pytest.raises(ValueError, match="obs: expected finite numbers"):
        agent.act(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match=f"env: {words}"):
        twin("dqn").evaluate(agent, Spoiled(make_vec("CartPole-v1", 2), what), 20)


def test_flags_as_numbers_and_rewards_of_another_shape(twin):
    dqn = twin("dqn")
    histories = [dqn.train(env, SMALL, eval_env=False) for env in (make_vec("CartPole-v1", 4), Numbered(make_vec(
        "CartPole-v1", 4), column=False))]
    assert histories[0] == histories[1]
    with pytest.raises(ValueError, match=r"env: rewards: expected shape \(4,\), got \(4, 1\)"):
        dqn.train(Numbered(make_vec("CartPole-v1", 4), column=True), SMALL, eval_env=False)
    with pytest.raises(ValueError, match="obs: expected uint8, as this buffer stores it, got float32"):
        ReplayBuffer(9, (3,), np.uint8).add(Batch(np.ones((2, 3), np.float32), [0, 1], [1.0, 1.0],
                                                  np.ones((2, 3), np.uint8), [0.0, 0.0], [1.0, 1.0]))
    with pytest.raises(ValueError, match="render_mode"):
        dqn.record(dqn.DQNAgent((4,), 2, SMALL), gym.make("CartPole-v1"))


def test_a_run_whose_weights_are_no_longer_finite_stops(twin):
    with pytest.raises(FloatingPointError, match="after .* updates: expected a? ?finite"):
        twin("dqn").train(make_vec("CartPole-v1", 4), DQNConfig.from_dict(
            {**SMALL.as_dict(), "learning_rate": 1e38}), eval_env=False)
    nets = twin("networks")
    model = nets.make_mlp((4,), 2, hidden=(8,))
    with pytest.raises(FloatingPointError, match="for .* updates: expected a? ?finite"):
        nets.train(model, rng.normal(size=(64, 4)), np.arange(64) % 2, TrainingConfig(learning_rate=1e38, epochs=5))


def test_a_checkpoint_is_of_one_run(twin, tmp_path):
    dqn, path = twin("dqn"), tmp_path / "run.npz"
    history = dqn.train(make_vec("CartPole-v1", 4, max_episode_steps=50), SMALL, checkpoint_path=path)
    assert len(history.eval_seconds) == 2
    longer = DQNConfig.from_dict({**SMALL.as_dict(), "total_steps": 400})
    resumed = dqn.train(make_vec("CartPole-v1", 4, max_episode_steps=50), longer, checkpoint_path=path)
    assert np.all(np.diff(resumed.eval_seconds) > 0) and len(resumed.eval_seconds) > 2
    for env, message in ((make_vec("CartPole-v1", 4), "max_episode_steps': 50.*max_episode_steps': 500"),
                         (make_vec("CartPole-v1", 4, max_episode_steps=50, sutton_barto_reward=True), "arguments"),
                         (make_vec("Acrobot-v1", 4), "checkpoint: it was written with"),
                         (make_vec("CartPole-v1", 2, max_episode_steps=50), "num_envs=4")):
        with pytest.raises(ValueError, match=message):
            dqn.train(env, SMALL, eval_env=False, checkpoint_path=path)
    state = checkpoint.load(path)
    for foreign, message in (({"x": 1}, "that of a training run"), ([1], "that of a training run"),
                             ({**state, "run": {**state["run"], "agent": "other"}}, "agent='other'")):
        checkpoint.save(tmp_path / "foreign.npz", foreign)
        with pytest.raises(ValueError, match=message):
            dqn.train(make_vec("CartPole-v1", 4, max_episode_steps=50), SMALL, eval_env=False,
                      checkpoint_path=tmp_path / "foreign.npz")
    with pytest.raises(ValueError, match="checkpoint_path: expected a file in a folder"):
        dqn.train(make_vec("CartPole-v1", 4), SMALL, checkpoint_path="/proc/run.npz")


def test_a_saved_agent_is_read_only_as_what_it_is(twin, tmp_path):
    dqn, path = twin("dqn"), tmp_path / "agent.npz"
    agent = dqn.DQNAgent((4,), 2, SMALL)
    agent.save(path)
    whole = checkpoint.load(path)
    q = whole["state"]["q"]
    changes = ({"config": {**whole["config"], "hidden": [20_000, 20_000]}}, "expected 400,"), (
        {"state": {**whole["state"], "q": [np.ones(1, np.float32)] * len(q)}}, "weights, as its settings say"), (
        {"state": {**whole["state"], "scale": np.ones(1, np.float32)}}, "state: expected scale of shapes"), (
        {"config": {**whole["config"], "new": 1}}, "DQNConfig: expected the fields of this version.*'new'"), (
        {"framework": "elsewhere"}, "got DQNAgent saved by elsewhere"), ({"custom": True}, "network: expected the func")
    for change, message in changes:
        checkpoint.save(path, {**whole, **change})
        with pytest.raises(ValueError, match=message):
            dqn.DQNAgent.load(path)


def test_default_dtypes_lazy_layers_and_numpys_seeds():
    torch = pytest.importorskip("torch")
    from course_lib.dqn import in_pytorch as dqn

    def lazy(obs_shape, n_actions, seed):
        return torch.nn.Sequential(torch.nn.LazyLinear(8), torch.nn.ReLU(), torch.nn.LazyLinear(n_actions))

    torch.set_default_dtype(torch.float64)
    try:
        for network in (None, lazy):
            agent = dqn.DQNAgent((4,), 2, SMALL, network=network)
            assert agent.q_values(np.zeros((2, 4))).dtype == np.float32
            history = dqn.train(make_vec("CartPole-v1", 4), SMALL, network=network, eval_env=False)
            assert np.isfinite(history.losses).all()
    finally:
        torch.set_default_dtype(torch.float32)


def test_seeds(twin):
    nets, dqn = twin("networks"), twin("dqn")
    same = [nets.get_kernels(nets.make_mlp((4,), 2, hidden=(3,), seed=seed))[0] for seed in (3, np.int64(3))]
    np.testing.assert_array_equal(*same)
    dqn.DQNAgent((4,), 2, SMALL, seed=np.int64(3))
    for seed in (-1, 1.5, None, 2**70, True, "3"):
        for make in (lambda: nets.make_mlp((4,), 2, seed=seed), lambda: dqn.DQNAgent((4,), 2, seed=seed),  # noqa: B023
                     lambda: dqn.train(make_vec("CartPole-v1", 2), SMALL, seed=seed)):  # noqa: B023
            with pytest.raises(ValueError, match="seed: expected a whole number from 0"):
                make()


def test_a_step_before_reset_and_impossible_actions():
    with pytest.raises(ValueError, match="step: expected a call of reset first"):
        GridWorld().step(0)
    with pytest.raises(ValueError, match="step: expected a call of reset first"):
        make_vec("Acrobot-v1", 2).unwrapped.step(np.zeros(2, int))
    assert issubclass(type(make_vec("Acrobot-v1", 2).unwrapped), NextStepVectorEnv)
    world = GridWorld()
    world.reset(seed=0)
    for action in (-1, 4, 1.5):
        with pytest.raises(ValueError, match="an action from 0 to 3"):
            world.step(action)


@pytest.mark.parametrize("fields", [{"learning_rate": np.inf}, {"learning_rate": np.nan}, {"double": "False"},
                                    {"replay": "no"}, {"target_network": 0}, {"hidden": [8]}, {"hidden": (8.0,)},
                                    {"gamma": True}, {"batch_size": True}, {"huber_delta": "1"}, {"tau": np.inf}])
def test_fields_of_a_config(fields):
    with pytest.raises(ValueError, match=rf"DQNConfig.{next(iter(fields))}: expected .* got"):
        DQNConfig(**fields)


@pytest.mark.parametrize(("config", "fields"), [
    (GANConfig, {"r1": np.inf}), (GANConfig, {"spectral_norm": "no"}), (GANConfig, {"hidden": ()}),
    (GANConfig, {"objective": None}), (TrainingConfig, {"l2": np.nan}), (TrainingConfig, {"learning_rate": np.inf}),
    (PruningConfig, {"sparsity": np.nan}), (PruningConfig, {"scope": 1}), (PruningConfig, {"begin": "0"})])
def test_fields_of_other_configs(config, fields):
    with pytest.raises(ValueError, match=rf"{config.__name__}.{next(iter(fields))}: expected .* got"):
        config(**fields)


# Networks and pruning


def test_shrinking_dense_layers_on_more_than_one_axis(twin):
    nets, pruning, x = twin("networks"), twin("pruning"), rng.normal(size=(6, 5, 4)).astype(np.float32)
    model = _dense_then_flat(twin)
    (kernel, bias), _ = nets.get_layers(model)
    kernel[:, 4:], bias[4:] = 0, 0
    nets.set_layer(model, 0, kernel, bias)
    small = pruning.shrink(model, [np.arange(4)])
    np.testing.assert_allclose(nets.predict(small, x), nets.predict(model, x), atol=1e-6)
    assert nets.collect_activations(model, x)[0][1].shape == (6, 5, 8)


def _dense_then_flat(twin):
    if twin("networks").__name__.endswith("keras"):
        keras = twin("networks").keras
        layers = keras.layers
        return keras.Sequential([keras.Input((5, 4)), layers.Dense(8), layers.ReLU(), layers.Flatten(),
                                 layers.Dense(3)])
    from torch import nn

    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Flatten(), nn.Linear(40, 3))


def test_pytorch_networks_that_cannot_be_taken_apart():
    pytest.importorskip("torch")
    from torch import nn
    from torch.nn.utils import parametrizations, prune

    from course_lib.networks import in_pytorch as nets

    pruned, normed, shared = nn.Linear(4, 8), parametrizations.weight_norm(nn.Linear(4, 8)), nn.Linear(8, 8)
    prune.l1_unstructured(pruned, "weight", 0.5)
    tied = nn.Linear(8, 8)
    tied.weight = shared.weight
    for layers, message in (
            ([pruned, nn.Linear(8, 2)], "whose weight something else computes"),
            ([normed, nn.Linear(8, 2)], "whose weight something else computes"),
            ([nn.Linear(4, 8), shared, shared], "used twice"), ([nn.Linear(4, 8), shared, tied], "used twice"),
            ([nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Linear(4, 2)], "no Flatten in between"),
            ([nn.Conv2d(1, 4, 3), nn.Flatten(2), nn.Linear(4, 2)], "Flatten"),
            ([nn.Linear(4, 8), nn.MaxPool2d(2), nn.Linear(4, 2)], "MaxPool2d behind a Linear"),
            ([nn.Linear(4, 8), nn.Unflatten(1, (8, 1)), nn.Flatten(), nn.Linear(8, 2)], "Unflatten behind")):
        with pytest.raises(ValueError, match=f"model: expected .*{message}"):
            nets.get_kernels(nn.Sequential(*layers))


def test_what_networks_do_not_take(twin):
    nets, x, y = twin("networks"), rng.normal(size=(65, 4)), np.arange(65) % 2
    model, spoiled, huge = nets.make_mlp((4,), 2, hidden=(8,)), x.copy(), x.copy()
    spoiled[3, 1], huge[3, 1] = np.nan, 1e39
    offset = 1e9 + rng.integers(0, 2, size=(65, 4))
    for bad, message in ((spoiled, "x: expected finite numbers"), (huge, "that float32 can hold"),
                         (offset, "that float32 can tell apart"), (x.astype(str), "x: expected real numbers"),
                         (np.ma.masked_invalid(spoiled), "x: expected an array without a mask"),
                         (x[:, :3], r"x: .* shape that the network was made for, got shape \(.*3\)"),
                         ([[1.0], [1.0, 2.0]], "rows of different shapes")):
        for use in (nets.predict, lambda model, x: nets.train(model, x, y[: len(x)]),
                    lambda model, x: nets.accuracy(model, x, y[: len(x)])):
            with pytest.raises(ValueError, match=message):
                use(model, bad)
    for bad in (y.astype(bool), y.astype(float), y.astype(str), y - 1, y + 1, y[:, None], y[:3]):
        with pytest.raises(ValueError, match="y: expected"):
            nets.train(model, x, bad)
    with pytest.raises(ValueError, match="callbacks: expected a list of functions"):
        nets.train(model, x, y, callbacks=print)
    with pytest.raises(ValueError, match="batch_size: expected no batch of a single example"):
        nets.train(_normed(twin), x, y, TrainingConfig(batch_size=64))
    for make in (lambda: nets.make_mlp((0,), 2), lambda: nets.make_mlp((4,), 0), lambda: nets.make_mlp((4,), 2,
                 hidden=(0,)), lambda: nets.make_rnn((3, 0), 2), lambda: nets.make_cnn((8, 8), 2, filters=(0,)),
                 lambda: nets.make_cnn((2, 2), 2), lambda: nets.make_cnn((8, 8, 3), 2)):
        with pytest.raises(ValueError, match="expected .* got"):
            make()


def _normed(twin):
    if twin("networks").__name__.endswith("keras"):
        keras = twin("networks").keras
        layers = keras.layers
        return keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.BatchNormalization(), layers.Dense(2)])
    from torch import nn

    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))


def test_pandas_and_tensors_are_arrays_too(twin):
    pandas = pytest.importorskip("pandas")
    nets, x, y = twin("networks"), rng.normal(size=(20, 4)), np.arange(20) % 2
    model = nets.make_mlp((4,), 2, hidden=(8,))
    frame = pandas.DataFrame(x, columns=list("abcd"))
    np.testing.assert_array_equal(nets.predict(model, frame), nets.predict(model, x))
    assert nets.accuracy(model, x.tolist(), pandas.Series(y)) == nets.accuracy(model, x, y)


# Metrics, bandits, logs


def test_neurons_are_not_chosen_by_nan():
    a, z = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    a[2, 1] = np.nan
    with pytest.raises(ValueError, match="activations: expected finite numbers"):
        gaussian_mi_selection(a, z, 2)
    with pytest.raises(ValueError, match="preactivations: expected finite numbers"):
        gaussian_mi_selection(z, a, 2)


def test_calibration_and_selection():
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    with pytest.raises(ValueError, match="y: expected whole numbers"):
        expected_calibration_error(p, np.array(["0", "1"]))
    assert expected_calibration_error(p, [0, 1]) == pytest.approx(0.15)
    with pytest.raises(ValueError, match="probabilities: expected rows of sum 1"):
        expected_calibration_error(2 * p, [0, 1])
    for dtype in (float, object):
        with pytest.raises(ValueError, match="y: expected finite numbers"):
            greedy_ensemble_selection(rng.normal(size=(2, 3)), np.array([1.0, np.nan, 2.0], dtype))


def test_relevance_as_counts_and_unsigned_scores():
    assert metrics.ndcg([[0, 1]], [[3, 0, 0]]) == 1
    np.testing.assert_array_equal(metrics.top_k(np.array([[0, 200, 100]], np.uint8), 3), [[1, 2, 0]])
    np.testing.assert_array_equal(metrics.top_k(np.array([[False, True]]), 1), [[1]])
    for top, wanted in (([[0, 0]], [[1, 0, 0]]), ([[0, 3]], [[1, 0, 0]]), ([[0.0, 1.0]], [[1, 0, 0]]),
                        ([[0, -1]], [[1, 0, 0]]), ([[0, 1]], [[np.nan, 0, 0]]), ([[0, 1]], [[-1, 1, 0]]),
                        ([[0, 1]], [["a", "", ""]]), ([[0, 1]], [[0, 0, 0]])):
        for measure in (metrics.ndcg, metrics.hit_rate):
            with pytest.raises(ValueError, match="expected"):
                measure(top, wanted)


def test_a_bandit_learns_from_numbers_only():
    bandit = LinearBandit(2)
    for contexts, chosen, rewards in ((np.ones((1, 3, 2)), [0], [np.nan]), (np.full((1, 3, 2), np.inf), [0], [1.0]),
                                      (np.ones((1, 3, 2)), [3], [1.0]), (np.ones((1, 3, 2)), [0], ["1"])):
        with pytest.raises(ValueError, match="expected"):
            bandit.learn(contexts, chosen, rewards)
    assert bandit.choose(np.ones((1, 3, 2))).shape == (1,) and not bandit.sums.any()


def test_numbers_with_gaps_in_a_log():
    rows = {"item": np.array([0, 0]), "basket": np.array([0, 1]), "time": np.array([0.0, 1.0]), "names": ("a",)}
    with pytest.raises(ValueError, match="user: expected numbers .* large gaps, got up to 1,000,000,000 of 2 users"):
        ShopLog(user=np.array([0, 10**9]), **rows)
    assert ShopLog(user=np.array([0, 7]), **rows).users == 8


# Data, checkpoints


def _picture(path, image):
    path.parent.mkdir(exist_ok=True, parents=True)
    image.save(path)


def test_pictures_of_all_kinds(tmp_path):
    from PIL import Image

    def packed(image, name):
        for folder in "ab":
            for number in range(2):
                _picture(tmp_path / name / folder / f"{number}.{name.split('-')[1]}", image)
        data.images_to_npz(tmp_path / name, tmp_path / f"{name}.npz", size=image.size)
        return data.load(tmp_path / f"{name}.npz").x_train[0]

    ramp = np.linspace(0, 65535, 64).reshape(8, 8)
    np.testing.assert_allclose(packed(Image.fromarray(ramp.astype(np.uint16)), "deep-png"), ramp / 65535, atol=0.003)
    drawing = np.zeros((8, 8, 4), np.uint8)
    drawing[2:4, :, 3] = 255  # black where it is opaque
    seen = packed(Image.fromarray(drawing), "clear-png")
    assert (seen[2:4] == 0).all() and (seen[4:] == 1).all()
    photo, exif = Image.fromarray(np.repeat([[0] * 8, [255] * 8], 8, axis=0).astype(np.uint8)), Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    buffer = io.BytesIO()
    photo.save(buffer, "jpeg", exif=exif, quality=95)
    for folder in "ab":
        for number in range(2):
            file = Path(tmp_path / "turned" / folder / f"{number}.jpg")
            file.parent.mkdir(exist_ok=True, parents=True)
            file.write_bytes(buffer.getvalue())
    data.images_to_npz(tmp_path / "turned", tmp_path / "turned.npz", size=(16, 16))
    turned = data.load(tmp_path / "turned.npz").x_train[0]
    assert np.ptp(turned.mean(axis=0)) > 0.8 and np.ptp(turned.mean(axis=1)) < 0.2
    (tmp_path / "turned" / "a" / "0.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"0.jpg: expected an image"):
        data.images_to_npz(tmp_path / "turned", tmp_path / "x.npz")


def test_every_class_is_in_both_parts(tmp_path):
    from PIL import Image

    for folder, count in (("many", 60), ("few", 2)):
        for number in range(count):
            _picture(tmp_path / "pics" / folder / f"{number}.png", Image.new("L", (4, 4), number))
    data.images_to_npz(tmp_path / "pics", tmp_path / "pics.npz", test_size=0.2)
    found = data.load(tmp_path / "pics.npz")
    assert sorted(found.y_test.tolist()) == [0] + [1] * 12 and sorted(found.y_train.tolist()) == [0] + [1] * 48


def test_the_home_folder(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", "~/x")
    assert data.data_dir() == Path.home() / "x"


@pytest.mark.parametrize(("change", "message"), [
    ({"y_train": np.array(["a", "b"])}, "y_train: expected whole numbers counted from 0, got <U1"),
    ({"x_train": np.array([[["a"]], [["b"]]])}, "x_train: expected uint8, or floats"),
    ({"y_train": np.array([0, 2_000_000_000])}, "without large gaps, got numbers up to 2,000,000,000"),
    ({"y_test": np.array([0, 3_000_000])}, "without large gaps"),
    ({"y_train": np.array([0, 3]), "classes": np.array(["a", "b"])}, "expected a name for each of 4 classes, got 2")])
def test_labels_of_a_file(tmp_path, change, message):
    x, y = np.zeros((2, 1, 1), np.uint8), np.array([0, 1])
    np.savez(tmp_path / "a.npz", **{"x_train": x, "y_train": y, "x_test": x, "y_test": y} | change)
    with pytest.raises(ValueError, match=message):
        data.load(tmp_path / "a.npz")


def test_nobody_is_told_to_unpickle(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"garbage" * 100)
    with pytest.raises(ValueError, match="expected a whole .npz file") as caught:
        data.load(tmp_path / "a.npz")
    assert "pickle" not in str(caught.value)


def test_checkpoints_drop_no_masks(tmp_path):
    for array in (np.ma.masked_array([1.0, 2.0], [True, False]), np.rec.array([(1.0,)], names="a")):
        with pytest.raises(ValueError, match=r"state\['a'\]: expected .*array"):
            checkpoint.save(tmp_path / "a.npz", {"a": array})
    assert not (tmp_path / "a.npz").exists()


def test_arrays_by_hand():
    np.testing.assert_array_equal(checks.array("a", [1, True], ("N",)), [1.0, 1.0])
    np.testing.assert_array_equal(checks.array("a", np.array([1, 2.5], object), ("N",)), [1.0, 2.5])
    assert checks.array("a", [0, 1], ("N",), kind="flags").tolist() == [False, True]
    for value, shape, kind in (([1j], ("N",), "real"), (["1"], ("N",), "real"), ([None], ("N",), "real"),
                               ([], ("N",), "real"), ([1], (2,), "real"), ([2], ("N",), "flags"),
                               ([1.0], ("N",), "whole"), ([True], ("N",), "whole"), ([[1]], ("N",), "real"),
                               (np.array(["2020"], "datetime64[Y]"), ("N",), "real"), (3, ("N", ...), "real")):
        with pytest.raises(ValueError, match="a: expected .* got"):
            checks.array("a", value, shape, kind=kind)


@pytest.mark.parametrize("topic", ["merging"])
def test_a_teacher_that_says_log_0(twin, topic):
    nets, x, y = twin("networks"), rng.normal(size=(8, 4)), np.arange(8) % 2
    logits = np.zeros((8, 2))
    logits[0, 1] = -np.inf
    with pytest.raises(ValueError, match="teacher_logits: expected finite numbers"):
        twin(topic).distill(nets.make_mlp((4,), 2, hidden=(8,)), x, y, logits)

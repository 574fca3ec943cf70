"""The shop of another package, as our agents see it; the package itself is not needed here."""

import gymnasium as gym
import numpy as np
import sardine_peer as peer


class Fake(gym.Env):
    """Its state counts up, and it says what it was shown."""

    action_space, observation_space = gym.spaces.MultiDiscrete([1_000]), gym.spaces.Box(0, 1, (30,), np.float32)

    def reset(self, *, seed=None, options=None):
        return np.arange(30, dtype=np.float32), {}

    def step(self, action):
        return np.arange(30, dtype=np.float32), np.int64(1), False, True, {"shown": action}


def test_each_vector_stands_where_items_meet_it():
    shop = peer.Shown(Fake())
    obs, _ = shop.reset(seed=0)
    assert shop.observation_space.shape == obs.shape == (60,)
    taste, clicks, bored = obs.reshape(3, 20)
    assert taste.tolist() == [*range(10), *[0] * 10]
    assert clicks.tolist() == [*[0] * 10, *range(10, 20)] and bored.tolist() == [*[0] * 10, *range(20, 30)]
    _, reward, _, truncated, info = shop.step(7)
    assert info["shown"].tolist() == [7] and isinstance(reward, float) and truncated


def test_how_items_meet_an_observation():
    obs = np.zeros((1, 60), np.float32)
    obs[0, :2], obs[0, 30:32], obs[0, 50:52] = (0.6, 0.8), (0.25, 1), (1, 0)  # taste, clicks on topics 0 and 1, boredom
    items = np.zeros((2, 20))
    items[0, [0, 10]] = 1, 1  # an item of topic 0, and one of topic 1
    items[1, [0, 1, 11]] = 0.6, 0.8, 1
    np.testing.assert_allclose(peer.pairs(obs, items)[0], [[0.6, 0.25, 1, 1], [1, 1, 0, 1]])


def test_a_policy_shows_the_item_of_the_highest_score():
    assert peer.Policy(lambda obs: np.array([[1, 3, 2], [5, 0, 1]])).act([None, None]).tolist() == [1, 0]


def test_the_network_reads_embeddings_of_another_size(twin):
    rng, nets = np.random.default_rng(0), twin("networks")
    items, obs = rng.normal(size=(5, 20)).astype(np.float32), rng.normal(size=(3, 60)).astype(np.float32)
    model = twin("recommendation").ItemFeatureQNetwork(items, 60, hidden=8, size=20, seed=0)
    values = nets.predict(model, obs)
    assert values.shape == (3, 5)
    order = [3, 1, 4, 0, 2]
    again = twin("recommendation").ItemFeatureQNetwork(items[order], 60, hidden=8, size=20, seed=0)
    np.testing.assert_allclose(nets.predict(again, obs), values[:, order], atol=1e-5)


def test_the_rule_by_hand_spares_topics_clicked_lately():
    obs, items = np.zeros((2, 60), np.float32), np.hstack([np.eye(3, 10), np.eye(3, 10)])
    obs[:, :3] = 0.9, 0.5, 0.1
    obs[1, 30:32] = 0.8, 0.6  # four and three clicks on topics 0 and 1, of five that bore
    assert peer.sparing(obs, items).argmax(axis=1).tolist() == [0, 1]
    assert peer.sparing(obs, items)[1].round(2).tolist() == [-1, 0.5, 0.1]

"""The claims of notebook 07 over several seeds, each with its margin; and what the shipped agents are.

Each seed trains an agent, so CI takes few; COURSE_CLAIM_SEEDS=10 takes ten.
"""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from course_lib.tuning import experiments, remedies, trained
from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.games import GameTuningEnv
from course_lib.tuning.schedules import SCHEDULES


@pytest.fixture
def shipped(twin):
    return trained.load(twin("dqn"))


@pytest.fixture
def tuning(twin):
    return twin("tuning")


def test_shipped_agents_are_small_and_load(shipped):
    assert shipped.rate.n_actions == 3 and shipped.knobs.n_actions == 10 and shipped.game.n_actions == 3
    assert set(shipped.peaks) == set(SCHEDULES)
    assert sum(path.stat().st_size for path in trained.FOLDER.iterdir()) < 1_000_000


@pytest.mark.slow
def test_on_tasks_that_it_never_saw(tuning, shipped, seeds, show):
    for seed in seeds(tuning, 1, 0):
        for place, (name, config) in enumerate(experiments.UNSEEN.items()):
            tasks = experiments.draw_tasks(config, count=96, seed=50_000 + 10 * seed + place)
            found = {who: played.figures() for who, played in experiments.compare(
                tuning, shipped.rate, shipped.peaks, tasks, seed=seed).items()}
            gain = {who: figures["test"] - found["agent"]["test"] for who, figures in found.items()}
            usual = [gain["cosine"], gain["one-cycle"]]
            if name in ("digits", "docstrings"):
                assert show(f"{name}: constant less agent (> 0)", gain["constant"]) > 0
            if name == "docstrings":
                assert show(f"{name}: cosine, one-cycle less agent (> 0)", usual).min() > 0
            elif name in ("digits", "two hidden layers"):
                assert np.abs(show(f"{name}: cosine, one-cycle less agent (within .1)", usual)).max() < 0.1
            careless = found["constant, any rate"]["test"] - found["agent, any first rate"]["test"]
            assert show(f"{name}: any rate, constant less agent (> .25)", careless) > 0.25
            best = max(found[who]["test accuracy"] for who in shipped.peaks)
            assert abs(show(f"{name}: accuracy less the best one's (within .025)",
                            found["agent"]["test accuracy"] - best)) < 0.025


@pytest.mark.slow
def test_it_warms_up_anneals_and_looks(tuning, shipped, seeds, show):
    for seed in seeds(tuning, 1, 0):
        tasks = experiments.draw_tasks(experiments.UNSEEN["synthetic"], count=128, seed=60_000 + seed)
        found = experiments.compare(tuning, shipped.rate, shipped.peaks, tasks, seed=seed)
        rates, scale = found["agent"].rates, np.log([np.abs(task.x).max() for task in tasks])
        middle = np.exp(np.log(rates).mean(axis=1))
        assert show("last rate over the highest (< .2)", middle[-1] / middle.max()) < 0.2
        assert show("correlation with the scale (< -.3)", np.corrcoef(scale, np.log(rates[4]))[0, 1]) < -0.3
        best = min(found[who].figures()["test"] for who in shipped.peaks)
        assert show("best schedule less agent (> .02)", best - found["agent"].figures()["test"]) > 0.02
        by_start = {"constant": [], "cosine": [], "agent": []}
        for start in np.geomspace(1e-3, 0.3, 6):
            env = TrainingVectorEnv(tuning, tasks[:64], TuningConfig(start=(start, start)), num_envs=64)
            for name, values in by_start.items():
                decide = shipped.rate if name == "agent" else start * SCHEDULES[name](20)
                values.append(experiments.play(env, decide, seed=seed).figures()["test"])
        flat = {name: np.ptp(values) for name, values in by_start.items()}
        assert show("spread over first rates, agent over others (< .5)",
                    flat["agent"] / min(flat["constant"], flat["cosine"])) < 0.5


@pytest.mark.slow
def test_what_it_costs(tuning, shipped, seeds, show):
    for seed in seeds(tuning, 1, 1):
        few = experiments.draw_tasks(experiments.UNSEEN["synthetic"], count=32, seed=70_000 + seed)
        found = {name: (played.figures()["test"], runs) for name, (played, runs) in experiments.search_each(
            tuning, few, seed=seed).items()}
        one = experiments.compare(tuning, shipped.rate, {"constant": shipped.peaks["constant"]}, few, seed=seed)
        agent = one["agent"].figures()["test"]
        assert show("one at random less agent (> .2)", found["one at random"][0] - agent) > 0.2
        assert show("two less agent (> 0)", found["random search, 2"][0] - agent) > 0
        assert show("agent less 16 (> 0)", agent - found["random search, 16"][0]) > 0
        assert show("halving less all 16 (< .06)", found["halving, 16"][0] - found["random search, 16"][0]) < 0.06


@pytest.mark.slow
def test_it_learns_in_minutes(tuning, seeds, show):
    dqn = importlib.import_module(tuning.__name__.replace("tuning", "dqn"))
    short = replace(TUNER, total_steps=40_000, epsilon_steps=20_000)
    for seed in seeds(tuning, 1, 0):
        history, seconds = experiments.train_tuner(tuning, dqn, settings=short, seed=seed)
        returns = np.array(history.episode_returns)
        assert show("last 300 runs less first 300 (> .5)", returns[-300:].mean() - returns[:300].mean()) > 0.5
        assert show("processor seconds for 100,000 decisions (< 600)", 2.5 * seconds) < 600


@pytest.mark.slow
def test_a_game_agent_recovers_from_a_wrong_rate(tuning, shipped, seeds, show):
    first = seeds(tuning, 1, 0)
    dqn = importlib.import_module(tuning.__name__.replace("tuning", "dqn"))
    game = GameTuningEnv(tuning, dqn)
    for start in (0.0003, 0.3):
        scores = {}
        for name in ("left alone", "tuned"):
            lengths = []
            for seed in range(10, 10 + 3 * len(first)):
                obs, _ = game.reset(seed=seed, options={"rate": start})
                for _ in range(game.config.decisions):
                    obs, *_ = (game.step(int(shipped.game.act(obs[None])[0])) if name == "tuned"
                               else game.advance(start))
                lengths.append(game.test())
            scores[name] = np.mean(lengths)
        assert show(f"from {start}: tuned less left alone (> 30)", scores["tuned"] - scores["left alone"]) > 30


@pytest.mark.slow
def test_optimizers_have_valleys(tuning, seeds, show):
    for seed in seeds(tuning, 1, 1):
        digits, rates, ends = [remedies.small_digits(5 * seed + i) for i in range(5)], np.geomspace(1e-4, 1, 9), {}
        for name, optimizer, momentum in (("SGD", "sgd", 0.0), ("momentum", "sgd", 0.9), ("RMSprop", "rmsprop", 0.0),
                                          ("Adam", "adam", 0.0)):
            tried = remedies.try_out(tuning, digits, [{"rate": rate} for rate in rates], optimizer=optimizer,
                                     momentum=momentum, steps=200, seed=seed)
            ends[name] = np.array([one.validation[-1].mean() for one in tried])
        lowest = np.array([losses.min() for losses in ends.values()])
        assert show("ends above the lowest (> .5)", [np.nan_to_num(losses[[0, -1]], nan=99) - losses.min()
                                                    for losses in ends.values()]).min() > 0.5
        assert show("best ones apart (< .15)", np.ptp(lowest)) < 0.15
        assert show("at .0001 above the worst of the best (> 1)", min(
            losses[0] for losses in ends.values()) - lowest.max()) > 1

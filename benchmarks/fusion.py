"""What fusing networks gives: by outputs, features and choice."""

from dataclasses import replace
from functools import cache

import numpy as np
from benchmark import Benchmark, drawn, few, twins

from course_lib.common import data
from course_lib.fusion import choosing, experiments
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.fusion.inputs import halves
from course_lib.fusion.reference import softmax
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

BIGGER = {"hidden": (128,), "config": TrainingConfig(epochs=15, learning_rate=2e-3, l2=1e-4)}  # for 28x28 pixels
TOPICS = ("fusion", "networks", "dqn")


def halves_table(fusion, nets, data, *, seed=0, hidden=(64,), config=choosing.EXPERT):
    """Accuracies on the test images of two experts, who see one half of each image, and of what fuses them.

    Parameters
    ----------
    fusion, nets : modules
        Twins of `fusion` and `networks`, of the same framework.
    data : Dataset
        Of images (N, height, width). A fifth of the training images is held out from the experts, for what weighs them;
        networks trained as a whole get all.
    seed : int
    hidden : tuple of int
        Of each expert; the one network that sees all has twice as many units, and then 64.
    config : TrainingConfig

    Returns
    -------
    dict of float, array (2, H, C), integer array (H,), array (2, N, C)
        The table; what the experts say of held-out and of test images, as `ExpertChoiceEnv` wants it.
    """
    experts, (inside, y) = experiments.experts_on_halves(nets, data, seed=seed, hidden=hidden, config=config)
    outside = choosing.opinions(nets, experts, halves(data.x_test))
    said = {"left half": outside[0], "right half": outside[1], **experiments.fused_outputs(inside, y, outside)}
    found = {name: experiments.score(probabilities, data.y_test) for name, probabilities in said.items()}
    together = experiments.fused_features(fusion, nets, data, seed=seed, hidden=hidden, config=config)
    for name, (model, view) in together.items():
        found[name] = nets.accuracy(model, view(data.x_test), data.y_test)
    return found, inside, y, outside


def on_halves(framework, seeds, images, settings=BIGGER):
    """Accuracy on MNIST's test images after training on 8,000 of its training images, other ones for each seed.

    Two experts see one half of each image; "noisy" means that in half of the images, those for training too, one
    half is noise. What weighs the experts was fitted on a fifth of the training images, held out from them;
    networks trained as a whole got all.
    """
    fusion, nets, dqn = twins(framework, *TOPICS)
    for seed in range(seeds):
        found = drawn(images, seed)
        noisy = replace(found, x_train=experiments.with_noise(found.x_train, seed=seed),
                        x_test=experiments.with_noise(found.x_test, seed=seed + 1_000))
        for name, part in (("clean", found), ("noisy", noisy)):
            table, inside, y, outside = halves_table(fusion, nets, part, seed=seed, **settings)
            envs = (ExpertChoiceEnv(said, own, weightings=choosing.WEIGHTINGS)
                    for said, own in ((inside, y), (outside, part.y_test)))
            for what, value in (table | choosing.choice_table(dqn, *envs, seed=seed)).items():
                yield {"images": name, "network": what, "seed": seed, "accuracy": value}


def choices(framework, seeds):
    """Share of right answers on the digits.

    Specialists: one expert for upright images and one for turned ones. An expert for both, who tires, beside the
    upright one, who is sure of what it says of turned images, too: there every call has consequences. Rules'
    numbers were chosen on the training images.
    """
    fusion, nets, dqn = twins(framework, *TOPICS)
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        tired = choosing.tiring_table(dqn, *choosing.tiring(nets, images, seed=seed), seed=seed)
        for game, table in (("specialists", choosing.specialists_table(fusion, nets, dqn, images, seed=seed)),
                            ("an expert who tires", tired)):
            for what, value in table.items():
                yield {"game": game, "who is asked": what, "seed": seed, "right": value}


@cache
def halves_canary(framework):
    """Log-losses of two experts after eight epochs, of what fuses their outputs, and of a gated network."""
    fusion, nets, _ = twins(framework, *TOPICS)
    images, config = few(), replace(BIGGER["config"], epochs=8)
    experts, (inside, y) = experiments.experts_on_halves(nets, images, hidden=(32,), config=config)
    outside = choosing.opinions(nets, experts, halves(images.x_test))
    said = {"left half": outside[0], "right half": outside[1], **experiments.fused_outputs(inside, y, outside)}
    del said["best alpha by accuracy"]  # which rounding may move
    shapes = [part.shape[1:] for part in halves(images.x_train)]
    gated = fusion.GatedFusion([fusion.features(model) for model in experts], shapes, 10, seed=0)
    nets.train(gated, halves(images.x_train), images.y_train, config, seed=0)
    said["gated"] = softmax(nets.predict(gated, halves(images.x_test)))
    return {name: log_loss(values, images.y_test) for name, values in said.items()}


def choices_canary(framework):
    """Values that a DQN gives to two experts, after some updates by what random choices earned."""
    _, _, dqn = twins(framework, *TOPICS)
    rng = np.random.default_rng(0)
    said = rng.dirichlet(np.ones(10), size=(2, 400))
    env = ExpertChoiceEnv(said, rng.integers(10, size=400), visible=[1], tire=[1, 0], recover=0.2)
    config = replace(choosing.PLANNER, warmup_steps=200, total_steps=600, epsilon_end=1.0)
    history = dqn.train(env.copies(16), config, seed=0, eval_env=False)
    obs, _ = env.copies(16).reset(seed=0)
    return {"first loss": history.losses[0], "last loss": history.losses[-1],
            "value": history.agent.q_values(obs).mean(), "by asking one who never tires": choosing.follow(
                env, lambda obs, step: np.ones(len(obs), int)),
            "by asking every third time": choosing.follow(env, lambda obs, step: np.full(len(obs), int(step % 3 > 0)))}


EXPERTS = {"expert": choosing.EXPERT, "chooser": choosing.CHOOSER, "weightings": choosing.WEIGHTINGS}
STUDIES = {
    "fusion_halves": Benchmark(
        title="Fusing two networks that see one half of each image",
        settings=BIGGER | EXPERTS, rows=on_halves, canary=halves_canary, down=("network",),
        across=("framework", "images"), seeds=3, options={"images": "mnist"}),
    "fusion_choices": Benchmark(
        title="Choosing whom to ask",
        settings=EXPERTS | {"planner": choosing.PLANNER}, rows=choices, canary=choices_canary,
        down=("game", "who is asked"))}

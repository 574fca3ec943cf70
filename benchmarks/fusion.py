"""What fusing networks gives: by outputs, features, weights and choice; and forecasts."""

from dataclasses import replace
from functools import cache

import numpy as np
from benchmark import Benchmark, twins

from course_lib.common import data
from course_lib.fusion import choosing, experiments, outputs, robustness, series, weights
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.networks.config import TrainingConfig

BIGGER = {"hidden": (128,), "config": TrainingConfig(epochs=15, learning_rate=2e-3, l2=1e-4)}  # for 28x28 pixels
FREE = replace(experiments.MATCHABLE, l2=0.0)
TOPICS = ("fusion", "networks", "dqn")


def drawn(name, seed, count=8_000):
    """So many training images, or the digits, divided by the seed."""
    found = data.load(name, seed=seed)
    if name == "digits":
        return found
    chosen = np.random.default_rng(seed).permutation(len(found.x_train))[:count]
    return replace(found, x_train=found.x_train[chosen], y_train=found.y_train[chosen])


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
            table, inside, y, outside = experiments.halves_table(fusion, nets, part, seed=seed, **settings)
            envs = (ExpertChoiceEnv(said, own, weightings=choosing.WEIGHTINGS)
                    for said, own in ((inside, y), (outside, part.y_test)))
            for what, value in (table | choosing.choice_table(dqn, *envs, seed=seed)).items():
                yield {"images": name, "network": what, "seed": seed, "accuracy": value}


def in_weight_space(framework, seeds, images):
    """8,000 images of MNIST, two hidden layers.

    Accuracy on the test images; the barrier is in nats of the test loss. Forks are the first network, trained on
    for five epochs.
    """
    fusion, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        found = drawn(images, seed)
        for name, width, config in (("512 wide", 512, experiments.MATCHABLE), ("64 wide", 64, experiments.MATCHABLE),
                                    ("512 wide, no weight decay", 512, FREE)):
            table, paths = experiments.weight_space(fusion, nets, found, width=width, seed=seed, config=config)
            barriers = {f"barrier, {what}": weights.barrier(path) for what, path in paths.items()}
            for what, value in (table | barriers).items():
                yield {"networks": name, "what": what, "seed": seed, "value": value}


def partners(framework, seeds, images):
    """A convolutional network with a recurrent one, and with another of its own kind, on 1,000 images of MNIST.

    Trained on 800 of them, the other 200 for alpha; accuracy on the test images, and how the partner's mistakes
    correlate with those of the first.
    """
    fusion, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        found, alike = experiments.partners_table(fusion, nets, drawn(images, seed, 1_000), seed=seed)
        found |= {f"correlation of mistakes, {name}": value for name, value in alike.items()}
        for what, value in found.items():
            yield {"what": what, "seed": seed, "value": value}


def robust(framework, seeds, images, settings=BIGGER):
    """Accuracy before and then.

    On MNIST's test images after training on 8,000 images, or on digits after training on 150.
    """
    fusion, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        found, digits = drawn(images, seed), experiments.with_fewer(drawn("digits", seed), 150)
        experts, _ = experiments.experts_on_halves(nets, found, seed=seed, **settings)
        for what, table in (
                ("one of three lies", robustness.poisoned_table(nets, found, seed=seed, **settings)),
                ("one of three lies, 150 digits", robustness.poisoned_table(nets, digits, seed=seed)),
                ("left half missing", robustness.missing_table(fusion, nets, found, experts, seed=seed, **settings)),
                ("left half attacked", robustness.attack_table(fusion, nets, found, experts, seed=seed, **settings))):
            for name, (before, then) in table.items():
                yield {"what": what, "network": name, "seed": seed, "before": before, "then": then}


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


def forecasts(framework, seeds, configs=(series.TRAINING, series.TRAINING, series.ON_SUNSPOTS)):
    """Models fitted twice, on all values before the part that they forecast.

    Mean absolute error relative to persistence.
    """
    _, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        for name, config in zip(("random_walk", "volatility", "sunspots"), configs, strict=True):
            y, found = getattr(series, f"on_{name}")(nets, seed=seed, config=config)
            for what, forecast in found.items():
                yield {"series": name.replace("_", " "), "forecast": what, "seed": seed,
                       "relative error": series.relative_mae(y, forecast, found["persistence"])}


def few(count=300):
    """Some digits."""
    found = data.load("digits")
    return replace(found, x_train=found.x_train[:count], y_train=found.y_train[:count])


@cache
def halves_canary(framework):
    """Log-losses of two experts after eight epochs, of what fuses their outputs, and of a gated network."""
    fusion, nets, _ = twins(framework, *TOPICS)
    images, config = few(), replace(BIGGER["config"], epochs=8)
    experts, (inside, y) = experiments.experts_on_halves(nets, images, hidden=(32,), config=config)
    outside = choosing.opinions(nets, experts, experiments.halves(images.x_test))
    said = {"left half": outside[0], "right half": outside[1], **experiments.fused_outputs(inside, y, outside)}
    del said["best alpha by accuracy"]  # which rounding may move
    shapes = [part.shape[1:] for part in experiments.halves(images.x_train)]
    gated = fusion.GatedFusion([fusion.features(model) for model in experts], shapes, 10, seed=0)
    nets.train(gated, experiments.halves(images.x_train), images.y_train, config, seed=0)
    said["gated"] = experiments.softmax(nets.predict(gated, experiments.halves(images.x_test)))
    return {name: experiments.log_loss(values, images.y_test) for name, values in said.items()}


def weights_canary(framework):
    """Barriers and log-losses between two networks after eight epochs."""
    fusion, nets, _ = twins(framework, *TOPICS)
    images, config = few(), replace(experiments.MATCHABLE, epochs=8)
    models = [choosing.expert(nets, nets.make_mlp((8, 8), 10, hidden=(24, 24), seed=seed), images.x_train,
                              images.y_train, config, seed=seed) for seed in (0, 1)]
    first, second = map(fusion.get_layers, models)
    acts = [fusion.hidden_activations(model, images.x_train) for model in models]
    found = {"mean": second, "by weights": weights.permute(second, weights.match_weights(second, first, seed=0)),
             "by activations": weights.permute(second, weights.match_activations(acts[1], acts[0]))}
    return {name: experiments.log_loss(experiments.softmax(nets.predict(
        fusion.set_layers(models[0], weights.interpolate(first, end, 0.5)), images.x_test)), images.y_test)
        for name, end in found.items()}


def partners_canary(framework):
    """Log-losses of a convolutional and a recurrent network after three epochs."""
    _, nets, _ = twins(framework, *TOPICS)
    images, config = few(), replace(choosing.EXPERT, epochs=3)
    return {name: experiments.log_loss(choosing.opinions(nets, [choosing.expert(
        nets, make((8, 8), 10, seed=0), images.x_train, images.y_train, config)], [images.x_test])[0], images.y_test)
        for name, make in (("CNN", nets.make_cnn), ("RNN", nets.make_rnn))}


def robust_canary(framework):
    """Log-losses of an honest network and of its attacked images, and of a mean and a product with a liar."""
    fusion, nets, _ = twins(framework, *TOPICS)
    images, config = few(), replace(BIGGER["config"], epochs=8)
    honest, liar = (choosing.expert(nets, nets.make_mlp((8, 8), 10, hidden=(32,), seed=0), images.x_train, y, config)
                    for y in (images.y_train, (images.y_train + 1) % 10))
    said = choosing.opinions(nets, [honest, liar], [images.x_test] * 2)
    attacked = choosing.opinions(nets, [honest], [fusion.fgsm(honest, images.x_test, images.y_test, step=0.1)])
    return {name: experiments.log_loss(values, images.y_test) for name, values in (
        ("honest", said[0]), ("attacked", attacked[0]), ("mean", outputs.weighted(said)),
        ("product", outputs.product_of_experts(said)))}


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


def forecasts_canary(framework):
    """Sunspots, by networks trained for eight epochs."""
    _, nets, _ = twins(framework, *TOPICS)
    y, found = series.on_sunspots(nets, config=replace(series.ON_SUNSPOTS, epochs=8))
    return {name: series.relative_mae(y, forecast, found["persistence"]) for name, forecast in found.items()
            if name in ("AR", "MLP", "GRU", "average", "inverse MSE")}


EXPERTS = {"expert": choosing.EXPERT, "chooser": choosing.CHOOSER, "weightings": choosing.WEIGHTINGS}
STUDIES = {
    "fusion_halves": Benchmark(
        title="Fusing two networks that see one half of each image",
        settings=BIGGER | EXPERTS, rows=on_halves, canary=halves_canary, down=("network",),
        across=("framework", "images"), seeds=3, options={"images": "mnist"}),
    "fusion_weights": Benchmark(
        title="Averaging two networks in the space of weights",
        settings={"training": experiments.MATCHABLE, "without weight decay": FREE}, rows=in_weight_space,
        canary=weights_canary, down=("what",), across=("framework", "networks"), seeds=3, options={"images": "mnist"}),
    "fusion_partners": Benchmark(
        title="Partners that are different, or alike",
        settings={"training": choosing.EXPERT}, rows=partners, canary=partners_canary, down=("what",), seeds=3,
        options={"images": "mnist"}),
    "fusion_robustness": Benchmark(
        title="A member that lies, an input that is missing",
        settings=BIGGER | {"digits": choosing.EXPERT}, rows=robust, canary=robust_canary, down=("what", "network"),
        seeds=3, options={"images": "mnist"}),
    "fusion_choices": Benchmark(
        title="Choosing whom to ask",
        settings=EXPERTS | {"planner": choosing.PLANNER}, rows=choices, canary=choices_canary,
        down=("game", "who is asked")),
    "fusion_forecasts": Benchmark(
        title="Forecasts one step ahead",
        settings={"training": series.TRAINING, "on sunspots": series.ON_SUNSPOTS}, rows=forecasts,
        canary=forecasts_canary, down=("series", "forecast"))}

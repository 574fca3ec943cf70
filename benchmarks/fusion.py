"""What fusing networks gives: by outputs, features and choice."""

from dataclasses import replace
from functools import cache

import numpy as np
from benchmark import FOLDS, Benchmark, divided, few, tenth, twins
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from course_lib.common.bandits import LinearBandit, play
from course_lib.dqn.config import DQNConfig
from course_lib.fusion import outputs
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.fusion.inputs import halves
from course_lib.fusion.reference import softmax
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

EXPERT = TrainingConfig(epochs=30, learning_rate=3e-3, l2=1e-4)
# Each choice stands alone: what comes after it is not its doing.
CHOOSER = DQNConfig(hidden=(64,), learning_rate=1e-3, gamma=0.0, n_step=1, double=False, scale_obs=False,
                    warmup_steps=1_000, epsilon_end=0.1, epsilon_steps=5_000, total_steps=20_000,
                    eval_every=1_000_000)
PLANNER = replace(CHOOSER, hidden=(32,), batch_size=512, updates_per_block=16, gamma=0.9, n_step=4, double=True)
# Without weight decay, which would move a gate that the task does not.
MIXTURE = TrainingConfig(epochs=20, learning_rate=3e-3)
MIXTURES = {"all four": {}, "k = 2": {"k": 2}, "k = 1": {"k": 1}, "k = 1, Switch": {"k": 1, "switch": True},
            "k = 1, Switch, balance 0.1": {"k": 1, "switch": True, "balance": 0.1},
            "k = 1, Switch, balance 1": {"k": 1, "switch": True, "balance": 1.0}}
TOPICS = ("fusion", "networks", "dqn")


def expert(nets, model, x, y, config=EXPERT, *, seed=0):
    """The same network, trained."""
    nets.train(model, x, y, config, seed=seed)
    return model


def score(probabilities, y):
    """Share of examples whose most probable class is y (N,)."""
    return float((np.asarray(probabilities).argmax(axis=1) == y).mean())


def with_noise(images, *, seed=0):
    """Images (N, height, width) of which a quarter have noise for a left half, and another one for a right half."""
    rng, images = np.random.default_rng(seed), images.copy()
    noise, width = rng.random(images.shape, np.float32), images.shape[2] // 2
    lot = rng.integers(4, size=len(images))
    images[lot == 0, :, :width] = noise[lot == 0, :, :width]
    images[lot == 1, :, width:] = noise[lot == 1, :, width:]
    return images


def top_and_bottom(images):
    """The upper and the lower half of images (N, height, width)."""
    return images[:, :images.shape[1] // 2], images[:, images.shape[1] // 2:]


def untrained(nets, data, *, seed=0, hidden=(64,), view=halves):
    """A dense network for each half of the images, not yet trained."""
    return [nets.make_mlp(part.shape[1:], len(data.classes), hidden=hidden, seed=2 * seed + m)
            for m, part in enumerate(view(data.x_train[:1]))]


def experts_on_halves(nets, data, *, seed=0, hidden=(64,), config=EXPERT, held_out=0.2):
    """Two experts, for left and right halves; and what they say of held-out images, with the classes of these."""
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=held_out, random_state=seed,
                                            stratify=data.y_train)
    experts = [expert(nets, model, part, y, config, seed=seed)
               for model, part in zip(untrained(nets, data, seed=seed, hidden=hidden), halves(x), strict=True)]
    return experts, (outputs.opinions(nets, experts, halves(x_held)), y_held)


def fused_outputs(inside, y, outside):
    """Probabilities (N, C) by ways to fuse what two experts say, fitted on what they said of held-out examples."""
    alpha, grid = outputs.best_alpha(*inside, y), np.linspace(1, 0, 21)
    seen = [score(a * inside[0] + (1 - a) * inside[1], y) for a in grid]
    best = np.flatnonzero(seen == np.max(seen))
    counted = grid[best[len(best) // 2]]  # the middle one of the best
    stacks = {name: LogisticRegression(max_iter=1_000).fit(np.hstack(view(inside)), y).predict_proba(
        np.hstack(view(outside))) for name, view in (("stack", lambda said: np.log(said + 1e-6)),
                                                     ("stack on probabilities", lambda said: said))}
    return {"average": outputs.weighted(outside),
            "best alpha by log-loss": outputs.weighted(outside, [alpha, 1 - alpha]),
            "best alpha by accuracy": outputs.weighted(outside, [counted, 1 - counted]),
            "product of experts": outputs.product_of_experts(outside),
            **stacks}


def fused_features(fusion, nets, data, *, seed=0, hidden=(64,), config=EXPERT):
    """Networks for both halves, each trained as a whole: {name: (network, function from images to inputs)}."""
    shapes, classes = [part.shape[1:] for part in halves(data.x_train[:1])], len(data.classes)
    blank, deeper = ([fusion.features(model) for model in untrained(nets, data, seed=seed, hidden=units)]
                     for units in (hidden, (*hidden, 64)))
    whole = nets.make_mlp(data.x_train.shape[1:], classes, hidden=(2 * hidden[0], 64), seed=seed)
    found = {"one network that sees all": (whole, lambda images: images)}
    for name, model in (("concatenation", fusion.ConcatFusion(blank, shapes, classes, seed=seed)),
                        ("gated", fusion.GatedFusion(blank, shapes, classes, seed=seed)),
                        ("attention", fusion.AttentionFusion(blank, shapes, classes, seed=seed)),
                        ("shared trunk", fusion.SharedTrunk(blank[0], shapes, classes, seed=seed)),
                        ("cross-stitch", fusion.CrossStitch(deeper, shapes, classes, seed=seed))):
        found[name] = model, halves
    for model, view in found.values():
        nets.train(model, view(data.x_train), data.y_train, config, seed=seed)
    return found


def blind(fusion, nets, data, *, seed=0):
    """A `GatedFusion` whose gates are learned, but the same for every image: their kernel is 0 and stays so."""
    blank = [fusion.features(model) for model in untrained(nets, data, seed=seed)]
    shapes = [part.shape[1:] for part in halves(data.x_train[:1])]
    gated = fusion.GatedFusion(blank, shapes, len(data.classes), seed=seed)
    if hasattr(gated, "parameters"):
        gated.gate.weight.requires_grad_(False).zero_()
    else:
        kernel = next(values for values in gated.trainable_variables if values.shape == (128, 128))
        kernel.assign(np.zeros(kernel.shape))
        kernel.trainable = False
    return gated


def said_of_halves(fusion, nets, data, *, clean=None, seed=0, config=EXPERT):
    """{name: probabilities (N, C) for the test images}: two experts, who see one half of each, and what fuses them.

    `clean` are the training images before they met noise.
    """
    def average_of(images):
        trained = [expert(nets, model, part, data.y_train, config, seed=seed)
                   for model, part in zip(untrained(nets, data, seed=seed), halves(images), strict=True)]
        return outputs.weighted(outputs.opinions(nets, trained, halves(data.x_test)))

    experts, (inside, y) = experts_on_halves(nets, data, seed=seed, config=config)
    outside = outputs.opinions(nets, experts, halves(data.x_test))
    apart = [fusion.features(model) for model in untrained(nets, data, seed=seed, view=top_and_bottom)]
    shapes = [part.shape[1:] for part in top_and_bottom(data.x_train[:1])]
    alone = {"gates that do not look": (blind(fusion, nets, data, seed=seed), halves),
             "concatenation of top and bottom": (fusion.ConcatFusion(apart, shapes, len(data.classes), seed=seed),
                                                 top_and_bottom)}
    for model, view in alone.values():
        expert(nets, model, view(data.x_train), data.y_train, config, seed=seed)
    together = {**alone, **fused_features(fusion, nets, data, seed=seed, config=config)}
    averages = {"average, nothing held out": data.x_train, "average, never met noise": clean}
    return {"left half": outside[0], "right half": outside[1], **fused_outputs(inside, y, outside),
            **{name: average_of(images) for name, images in averages.items() if images is not None},
            **{name: softmax(nets.predict(model, view(data.x_test))) for name, (model, view) in together.items()}}


def other_camera(images, chosen):
    """Images (N, height, width); those chosen by a bool array (N,) are seen two pixels further to the right."""
    moved = np.zeros_like(images)
    moved[:, :, 2:] = images[:, :, :-2]
    return np.where(chosen[:, None, None], moved, images)


def two_cameras(nets, data, *, seed=0):
    """Two experts, one for each camera; (images, classes, which are of the second) to choose with, and to test."""
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=0.5, random_state=seed,
                                            stratify=data.y_train)
    shape, classes = x.shape[1:], len(data.classes)
    experts = [expert(nets, nets.make_mlp(shape, classes, hidden=(64,), seed=2 * seed + second),
                      other_camera(x, np.full(len(x), second)), y, seed=seed) for second in (False, True)]
    rng, parts = np.random.default_rng(seed), []
    for images, labels in ((x_held, y_held), (data.x_test, data.y_test)):
        second = rng.random(len(images)) < 0.5
        parts.append((other_camera(images, second), labels, second))
    everything = [np.concatenate(each) for each in zip((x, y), (other_camera(x, np.ones(len(x), bool)), y),
                                                       parts[0][:2], strict=True)]
    whole = expert(nets, nets.make_mlp(shape, classes, hidden=(128,), seed=seed), *everything, seed=seed)
    return experts, parts, nets.accuracy(whole, *parts[1][:2])


def learn_to_choose(dqn, env, config=CHOOSER, *, seed=0, copies=16):
    """A DQN agent trained on copies of an `ExpertChoiceEnv`."""
    return dqn.train(env.copies(copies), config, seed=seed, eval_env=False).agent


def tabular(size, states, rewards, *, seed=0, tries=20_000, rate=0.1, epsilon=0.1):
    """Q-learning where nothing follows: values (size, actions), from states (N,) and rewards (N, actions)."""
    rng, q = np.random.default_rng(seed), np.full((size, rewards.shape[1]), 0.5)
    for row in rng.integers(len(states), size=tries):
        state = states[row]
        action = rng.integers(q.shape[1]) if rng.random() < epsilon else q[state].argmax()
        q[state, action] += rate * (rewards[row, action] - q[state, action])
    return q


def cameras_table(dqn, nets, data, *, seed=0, tries=20_000):
    """Share of right answers on the test images by how one of two experts is chosen, learned on other images.

    "A network with all rewards" is one like the DQN's that learns both experts' rewards, not just the chosen one's.
    """
    experts, parts, whole = two_cameras(nets, data, seed=seed)
    env, test = (ExpertChoiceEnv(outputs.opinions(nets, experts, [x, x]), y) for x, y, _ in parts)
    rewards, earned, second = env.rewards(), test.rewards(), parts[1][2]
    read, asked = (each.predictions.argmax(axis=2) for each in (env, test))  # (2, N)
    rows = np.arange(len(test.y))

    def right(actions):
        return float(earned[rows, actions].mean())

    fused = fused_outputs(env.predictions, env.y, test.predictions)
    found = {"at home": float(np.where(second, earned[:, 1], earned[:, 0]).mean()),
             "abroad": float(np.where(second, earned[:, 0], earned[:, 1]).mean()),
             "one expert": right(rewards.mean(axis=0).argmax()),
             "the surer expert": right(test.predictions.max(axis=2).argmax(axis=0)),
             **{name: score(said, test.y) for name, said in fused.items()
                if name in ("average", "product of experts", "stack")}}
    for size, key in ((10, [1, 0]), (100, [10, 1])):
        q = tabular(size, key @ read, rewards, seed=seed, tries=tries)
        found[f"table of {size}"] = right(q[key @ asked].argmax(axis=1))
    contexts, seen = (np.column_stack([each.observations(), np.ones(len(each.y))])[:, None] for each in (env, test))
    drawn = np.random.default_rng(seed).integers(len(contexts), size=tries)
    bandit = LinearBandit(contexts.shape[2], models=2, width=0.3, seed=seed)
    play(bandit, contexts[drawn], rewards[drawn])
    found["LinUCB"] = right(bandit.greedy().choose(seen))
    found["DQN"] = right(learn_to_choose(dqn, env, seed=seed).act(test.observations()))
    judge = nets.make_mlp(env.observation_space.shape, 2, hidden=CHOOSER.hidden, seed=seed)
    nets.train(judge, env.observations(), rewards, replace(EXPERT, epochs=400, l2=0.0), seed=seed,
               loss=nets.squared_error)
    found["a network with all rewards"] = right(nets.predict(judge, test.observations()).argmax(axis=1))
    return found | {"best choice there is": float(earned.max(axis=1).mean()), "one network that sees all": whole}


def tiring(nets, data, *, second=0.5, seed=0):
    """Two environments, one for tests: action 0 asks an expert for both cameras, who tires, 1 the first one's."""
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=0.5, random_state=seed,
                                            stratify=data.y_train)
    rng, lessons = np.random.default_rng(seed), (
        (np.concatenate([x, other_camera(x, np.ones(len(x), bool))]), np.concatenate([y, y])), (x, y))
    experts = [expert(nets, nets.make_mlp(x.shape[1:], len(data.classes), hidden=(64,), seed=2 * seed + m), *lesson,
                      seed=seed) for m, lesson in enumerate(lessons)]
    envs = []
    for images, labels in ((x_held, y_held), (data.x_test, data.y_test)):
        images = other_camera(images, rng.random(len(images)) < second)
        envs.append(ExpertChoiceEnv(outputs.opinions(nets, experts, [images] * 2), labels, visible=[1], tire=[1, 0],
                                    recover=1 / 3))
    return envs


def follow(env, rule, *, episodes=200, seed=0):
    """Mean reward of a rule: `rule(obs, step)`, for observations (episodes, size), gives an action for each."""
    together, earned = env.copies(episodes), 0.0
    obs, _ = together.reset(seed=seed)
    for step in range(env.length):
        obs, rewards, *_ = together.step(rule(obs, step))
        earned += rewards.mean()
    return float(earned / env.length)


def tiring_table(dqn, env, test, *, seed=0, config=PLANNER):
    """Mean rewards in `test` of rules, whose numbers are chosen in `env`, and of DQN with and without foresight."""
    def every(period):
        return lambda obs, step: np.full(len(obs), int(step % period != 0))

    def unsure(bound):
        return lambda obs: (obs[:, :-1].max(axis=1) >= bound).astype(int)

    def rested(act, bound):  # as `act` says, but the one who tires is spared until it has rested
        return lambda obs, step: np.where(obs[:, -1] < bound, act(obs), 1)

    near, far = (learn_to_choose(dqn, env, own, seed=seed).act
                 for own in (replace(config, gamma=0.0), config))
    doubts, rests, never = [unsure(bound) for bound in (0.3, 0.5, 0.7, 0.9, 0.99)], (0.1, 0.5, 0.9), np.inf
    rules = {"the first camera's expert alone": [rested(near, -1)],
             "the tiring expert, every n-th image": [every(period) for period in range(1, 11)],
             "... if the first is unsure": [rested(doubt, never) for doubt in doubts],
             "... if the first is unsure, and it has rested": [rested(doubt, rest) for doubt in doubts
                                                              for rest in rests],
             "DQN that looks no further": [rested(near, never)],
             "... and spares it until it has rested": [rested(near, rest) for rest in rests],
             "DQN that looks ahead": [rested(far, never)]}
    best = {name: max(some, key=lambda rule: follow(env, rule, seed=1)) if len(some) > 1 else some[0]
            for name, some in rules.items()}
    return {name: follow(test, rule, episodes=400, seed=2) for name, rule in best.items()}


def on_halves(framework, seeds):
    """Accuracy on the test digits; each five seeds are the folds of one cross-validation.

    Two experts see one half of each image; "noisy" means that in half of the images, those for training too, one
    half is noise. What weighs the experts was fitted on a fifth of the training images, held out from them ("nothing
    held out": experts of all training images; "never met noise": of the same images without it); networks trained as a
    whole got all. "Of top and bottom": a branch for each of two other halves than those that fail.
    """
    fusion, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        found = divided(seed)
        noisy = replace(found, x_train=with_noise(found.x_train, seed=seed),
                        x_test=with_noise(found.x_test, seed=seed + 1_000))
        for name, part, clean in (("clean", found, None), ("noisy", noisy, found.x_train)):
            for what, said in said_of_halves(fusion, nets, part, clean=clean, seed=seed).items():
                yield {"images": name, "network": what, "seed": seed, "accuracy": score(said, part.y_test)}


def mixture_table(fusion, nets, data, *, seed=0, epochs=MIXTURE.epochs):
    """For each mixture, and for dense networks, {figure: number}, as `mixtures` says."""
    shape, classes, found = data.x_train.shape[1:], len(data.classes), {}
    config = replace(MIXTURE, epochs=epochs)
    experts = [nets.make_mlp(shape, classes, hidden=(16,), seed=4 * seed + m) for m in range(4)]
    for name, options in MIXTURES.items():
        model = fusion.MixtureOfExperts(experts, [shape], seed=seed, **options)
        before = model.gates(data.x_test)
        expert(nets, model, data.x_train, data.y_train, config, seed=seed)
        found[name] = {"accuracy": nets.accuracy(model, data.x_test, data.y_test)}
        for when, gates in (("before", before), ("after", model.gates(data.x_test))):
            asked = (gates > 0).sum(axis=0)
            found[name] |= {f"most asked, {when}": float(asked.max() / asked.sum()),
                            f"surest, {when}": float(gates.max(axis=1).mean())}
    for units in (45, 64):
        model = expert(nets, nets.make_mlp(shape, classes, hidden=(units,), seed=seed), data.x_train, data.y_train,
                       config, seed=seed)
        found[f"one network of {units} units"] = {"accuracy": nets.accuracy(model, data.x_test, data.y_test)}
    return found


def mixtures(framework, seeds, **options):
    """Mixtures of four experts of 16 hidden units, and a dense network; each five seeds are a cross-validation.

    Accuracy on the test digits; the most asked expert's share of all calls, and the mean largest gate, each before
    and after training. A dense network of 45 units multiplies as often as the gate and one expert, one of 64 has as
    many hidden units as four experts.
    """
    fusion, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        for name, figures in mixture_table(fusion, nets, divided(seed), seed=seed, **options).items():
            yield {"model": name, "seed": seed, **figures}


def on_mnist(framework, seeds, images):
    """Accuracy on MNIST; each seed has 5,000 training and 2,000 test images that no other one has.

    Ways to fuse two halves, one of which is noise in half of the images, and mixtures of experts on whole images
    without noise: as in "fusion_halves" and "fusion_mixture". (A dense network of 45 units multiplies 35,730 times an
    image here, a gate and one expert 37,920 times.)
    """
    fusion, nets, _ = twins(framework, *TOPICS)
    for seed in range(seeds):
        found = tenth(images, seed)
        noisy = replace(found, x_train=with_noise(found.x_train, seed=seed),
                        x_test=with_noise(found.x_test, seed=seed + 1_000))
        for name, said in said_of_halves(fusion, nets, noisy, clean=found.x_train, seed=seed).items():
            yield {"task": "noisy halves", "network": name, "seed": seed, "accuracy": score(said, noisy.y_test)}
        for name, figures in mixture_table(fusion, nets, found, seed=seed).items():
            yield {"task": "mixtures", "network": name, "seed": seed, "accuracy": figures["accuracy"]}


def choices(framework, seeds):
    """Share of right answers on the test digits; each five seeds are the folds of one cross-validation.

    Two cameras: each expert knows the images of one, and half of the images are of the other, two pixels further to
    the right. An expert for both, who tires, beside the first camera's: there every call has consequences. Rules'
    numbers were chosen on the training images.
    """
    _, nets, dqn = twins(framework, *TOPICS)
    for seed in range(seeds):
        images = divided(seed)
        tired = tiring_table(dqn, *tiring(nets, images, seed=seed), seed=seed)
        for game, table in (("two cameras", cameras_table(dqn, nets, images, seed=seed)),
                            ("an expert who tires", tired)):
            for what, value in table.items():
                yield {"game": game, "who is asked": what, "seed": seed, "right": value}


@cache
def halves_canary(framework):
    """Log-losses on noisy digits of all ways to fuse, after four epochs."""
    fusion, nets, _ = twins(framework, *TOPICS)
    images = few()
    noisy = replace(images, x_train=with_noise(images.x_train), x_test=with_noise(images.x_test, seed=1))
    said = said_of_halves(fusion, nets, noisy, clean=images.x_train, config=replace(EXPERT, epochs=4))
    del said["best alpha by accuracy"]  # which rounding may move
    return {name: log_loss(np.maximum(values, 1e-6), images.y_test) for name, values in said.items()}


def mixtures_canary(framework):
    """Mixtures of one division, after two epochs: how sure their gates are, and how evenly they ask."""
    return {f"{row['model']}, {name}": row[name] for row in mixtures(framework, 1, epochs=2)
            for name in ("most asked, after", "surest, after") if name in row}


def choices_canary(framework):
    """Values that a DQN gives to two experts, after some updates by what random choices earned."""
    _, _, dqn = twins(framework, *TOPICS)
    rng = np.random.default_rng(0)
    said = rng.dirichlet(np.ones(10), size=(2, 400))
    env = ExpertChoiceEnv(said, rng.integers(10, size=400), visible=[1], tire=[1, 0], recover=0.2)
    config = replace(PLANNER, warmup_steps=200, total_steps=600, epsilon_end=1.0)
    history = dqn.train(env.copies(16), config, seed=0, eval_env=False)
    obs, _ = env.copies(16).reset(seed=0)
    return {"first loss": history.losses[0], "last loss": history.losses[-1],
            "value": history.agent.q_values(obs).mean(), "by asking one who never tires": follow(
                env, lambda obs, step: np.ones(len(obs), int)),
            "by asking every third time": follow(env, lambda obs, step: np.full(len(obs), int(step % 3 > 0)))}


STUDIES = {
    "fusion_halves": Benchmark(
        title="Fusing two networks that see one half of each image",
        settings={"expert": EXPERT, "folds": FOLDS}, rows=on_halves, canary=halves_canary, down=("network",),
        across=("framework", "images"), seeds=20),
    "fusion_mixture": Benchmark(
        title="Mixtures of experts: whom the gate asks",
        settings={"training": MIXTURE, "mixtures": MIXTURES, "folds": FOLDS}, rows=mixtures, canary=mixtures_canary,
        down=("model",), seeds=20),
    "fusion_mnist": Benchmark(
        title="Fusing halves, and mixtures, on MNIST", settings={"expert": EXPERT, "mixture": MIXTURE}, rows=on_mnist,
        canary=halves_canary, down=("task", "network"), seeds=10, options={"images": "mnist"}),
    "fusion_choices": Benchmark(
        title="Choosing whom to ask",
        settings={"expert": EXPERT, "chooser": CHOOSER, "planner": PLANNER, "folds": FOLDS}, rows=choices,
        canary=choices_canary, down=("game", "who is asked"), seeds=20)}

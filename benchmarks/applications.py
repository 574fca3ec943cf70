"""Fusion at work: partners, languages, domains, a game, forecasts; what is attacked, poisoned, missing or private."""

from dataclasses import replace
from functools import partial

import numpy as np
from benchmark import FOLDS, Benchmark, divided, few, tenth, twins
from fusion import EXPERT, expert, fused_features, score, untrained
from scipy.special import softmax
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split

from course_lib.applications import robustness
from course_lib.common import shapes
from course_lib.common.seeding import spawn
from course_lib.dqn.config import SETTINGS
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import evaluate
from course_lib.fusion import outputs
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

TOPICS = ("applications", "fusion", "networks")
PARTNER = replace(EXPERT, epochs=20)
LIGHT = {"RNN, a quarter of the weight": 0.25}  # the partners that do not weigh as much as the first network
BIGGER = TrainingConfig(epochs=15, learning_rate=2e-3, l2=1e-4)  # for 28x28 pixels
FEW = TrainingConfig(epochs=100, batch_size=16, learning_rate=3e-3, l2=1e-4)  # for tens of images
LONG = replace(EXPERT, epochs=60)  # long enough to remember
TRAINING = TrainingConfig(epochs=60, batch_size=200, learning_rate=1e-2, l2=0.1)
ON_SUNSPOTS = TrainingConfig(epochs=60, batch_size=50, learning_rate=3e-3, l2=3e-3)  # best of 24 on 1850 to 1899
GAME = replace(SETTINGS["CartPole-v1"], total_steps=15_000, eval_every=2_000)


def cut(data, count, seed=0):
    """The data with so many of its training examples only, drawn at random."""
    rows = np.random.default_rng(seed).permutation(len(data.y_train))[:count]
    return replace(data, x_train=data.x_train[rows], y_train=data.y_train[rows])


# --- partners


def partners_table(nets, data, *, seed=0, config=PARTNER):
    """{name: probabilities (N, C) of the test images}: a convolutional network, and partners for it."""
    shape, classes = data.x_train.shape[1:], len(data.classes)
    briefly, longer = replace(config, epochs=max(1, config.epochs // 4)), replace(config, epochs=5 * config.epochs)
    made = {"CNN": (nets.make_cnn, 0, config), "another CNN": (nets.make_cnn, 1, config),
            "CNN, trained briefly": (nets.make_cnn, 1, briefly), "RNN": (nets.make_rnn, 2, config),
            "RNN, trained for longer": (nets.make_rnn, 2, longer)}
    models = [expert(nets, make(shape, classes, seed=3 * seed + m), data.x_train, data.y_train, own, seed=3 * seed + m)
              for make, m, own in made.values()]
    said = dict(zip(made, outputs.opinions(nets, models, [data.x_test] * len(models)), strict=True))
    return said | {"RNN, its opinions flattened": flattened(said["RNN"], 3), **dict.fromkeys(LIGHT, said["RNN"])}


def partners(framework, seeds, images):
    """A convolutional network, and the average of it with a partner.

    500 training digits, each five seeds are the folds of one cross-validation; 1,000 images of each of ten parts of
    MNIST, and 6,000 others for the test. Accuracy, mean largest probability, correlation of mistakes with those of the
    CNN, and the share of the CNN's mistakes that are also the partner's. The RNN reads row by row; flattened: with
    temperature 3. Trained for longer: five times the epochs; briefly: a quarter. Both weigh the same but where it says
    a quarter.
    """
    _, _, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        worlds = {"digits": cut(divided(seed), 500, seed)}
        if seed < 10:
            worlds["MNIST"] = tenth(images, seed, train=1_000, test=6_000)
        for name, data in worlds.items():
            said = partners_table(nets, data, seed=seed)
            wrong = {who: each.argmax(axis=1) != data.y_test for who, each in said.items()}
            for who, each in said.items():
                weight = LIGHT.get(who, 0.5)
                yield {"images": name, "partner": who, "seed": seed, "accuracy": score(each, data.y_test),
                       "with the CNN": score(weight * each + (1 - weight) * said["CNN"], data.y_test),
                       "largest probability": float(each.max(axis=1).mean()),
                       "correlation": float(np.corrcoef(wrong["CNN"], wrong[who])[0, 1]),
                       "shared mistakes": float(wrong[who][wrong["CNN"]].mean())}


def partners_canary(framework):
    """Log-losses of all partners after four epochs."""
    *_, nets = twins(framework, *TOPICS)
    said = partners_table(nets, few(), config=replace(EXPERT, epochs=4))
    return {name: log_loss(each + 1e-9, few().y_test) for name, each in said.items()}


# --- languages

LETTERS = {"cs": "áčďéěíňóřšťúůýž", "da": "æøå", "de": "äöüß", "en": "", "es": "áéíñóúü", "fi": "äöåšž",
           "fr": "àâçéèêëîïôùûœ", "hu": "áéíóöőúüű", "it": "àèéìòù", "nb": "æøå", "nl": "ëïé", "pl": "ąćęłńóśźż",
           "pt": "áâãàçéêíóôõú", "sv": "åäö", "tr": "çğıöşüâ"}  # beyond a to z


def names_of_places():
    """{language: names of countries and languages in it}, only those that are alike in no two of them."""
    from babel import Locale
    found = {}
    for language in LETTERS:
        here = Locale(language)
        found[language] = {name.lower() for name in [*here.territories.values(), *here.languages.values()]
                           if len(name) > 3 and not any(char.isdigit() for char in name)}
    everywhere = [name for names in found.values() for name in names]
    once = {name for name, count in zip(*np.unique(everywhere, return_counts=True), strict=True) if count == 1}
    return {language: sorted(names & once) for language, names in found.items()}


def possible(names):
    """Which languages have all the letters of each name: booleans (N, 15), all True where no language has."""
    special = set("".join(LETTERS.values()))
    found = np.array([[set(name) & special <= set(own) for own in LETTERS.values()] for name in names])
    return found | ~found.any(axis=1, keepdims=True)


def divided_names(count, seed):
    """(names, languages) for training, so many of each language, and of all others."""
    rng, train, test = np.random.default_rng(seed), [], []
    for number, names in enumerate(names_of_places().values()):
        order = rng.permutation(len(names))
        train += [(names[i], number) for i in order[:count]]
        test += [(names[i], number) for i in order[count:]]
    return [(list(names), np.array(numbers)) for names, numbers in (zip(*train, strict=True), zip(*test, strict=True))]


def languages_table(nets, count, seed, config=EXPERT):
    """{name: probabilities (N, 15)} for the test names, what the rule allows (N, 15), and their languages (N,)."""
    (x, y), (x_test, y_test) = divided_names(count, seed)
    counter = CountVectorizer(analyzer="char_wb", ngram_range=(1, 3)).fit(x)

    def counts(names):
        return np.log1p(counter.transform(names).toarray()).astype(np.float32)

    model = nets.make_mlp((len(counter.vocabulary_),), len(LETTERS), hidden=(64,), seed=seed)
    nets.train(model, counts(x), y, config, seed=seed)
    said, may, learned = softmax(nets.predict(model, counts(x_test)), axis=1), possible(x_test), possible(x)
    speaks = ~learned.all(axis=1)
    miss = (1 + (~learned[np.arange(len(y)), y]).sum()) / (2 + speaks.sum())  # Laplace's rule of succession
    return {"network": said, "rule": may / may.sum(axis=1, keepdims=True), "veto": times(said, np.maximum(may, 1e-6)),
            "rule that may be wrong": times(said, np.where(may, 1, miss))}, may, y_test


def flattened(said, temperature):
    """Probabilities (N, C) whose logits are divided by a temperature."""
    return softmax(np.log(said + 1e-12) / temperature, axis=1)


def times(said, factors):
    """The product, made to sum to 1."""
    return said * factors / (said * factors).sum(axis=1, keepdims=True)


def languages(framework, seeds):
    """In which of 15 languages is the name of a country or language? From 30 or 100 names of each to train with.

    The seed draws these; the test names are all others, the same lists each time: intervals are for the draw of the
    training names. The rule knows each language's letters.
    """
    _, _, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        for count in (30, 100):
            table, may, y = languages_table(nets, count, seed)
            speaks, alone = ~may.all(axis=1), may.sum(axis=1) == 1
            yield {"names": count, "what": "the rule", "seed": seed, "speaks": speaks.mean(), "names one": alone.mean(),
                   "right": may[speaks, y[speaks]].mean(), "right where it names one": may[alone, y[alone]].mean(),
                   "network right there": score(table["network"][alone], y[alone])}
            for what, said in table.items():
                yield {"names": count, "what": what, "seed": seed, "accuracy": score(said, y),
                       "log-loss": log_loss(np.maximum(said, 1e-6), y)}


def languages_canary(framework):
    """Log-losses with ten names of each language."""
    _, _, nets = twins(framework, *TOPICS)
    table, _, y = languages_table(nets, 10, 0, replace(EXPERT, epochs=10))
    return {what: log_loss(np.maximum(said, 1e-6), y) for what, said in table.items()}


# --- domains


def small_shapes(labels, rng):
    """Shapes of 8x8 pixels (N, 8, 8): the middle of larger ones, means of 3x3 pixels."""
    return shapes.draw(labels, rng)[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4))


def two_domains(data, seed):
    """(x, y, x_test, y_test) of digits, and of as many shapes."""
    rng, n = np.random.default_rng(seed), len(data.y_train)
    y = rng.integers(10, size=n + len(data.y_test))
    x = small_shapes(y, rng)
    return (data.x_train, data.y_train, data.x_test, data.y_test), (x[:n], y[:n], x[n:], y[n:])


def domains_table(nets, data, *, seed=0, config=EXPERT, known=20):
    """{name: probabilities (N, 20)} for test images of both domains, their classes, and the two experts."""
    digits, drawn = two_domains(data, seed)
    x, y = (np.concatenate([one, other + offset]) for one, other, offset in zip(
        digits[:2], drawn[:2], (0, 10), strict=True))
    x_test, y_test = (np.concatenate([one, other + offset]) for one, other, offset in zip(
        digits[2:], drawn[2:], (0, 10), strict=True))
    experts = [expert(nets, nets.make_mlp((8, 8), 10, hidden=(64,), seed=2 * seed + m), *domain[:2], config, seed=seed)
               for m, domain in enumerate((digits, drawn))]
    own = outputs.opinions(nets, experts, [x_test] * 2)
    found = {"the surer expert": np.hstack(list(own)) / 2}
    n = len(digits[1])
    drawn_rows = np.random.default_rng(seed).permutation(n)[:known]
    for name, rows, training in ((f"router, {known} images of each", np.r_[drawn_rows, n + drawn_rows], FEW),
                                 ("router, all images", np.arange(2 * n), replace(config, epochs=10))):
        router = expert(nets, nets.make_mlp((8, 8), 2, hidden=(16,), seed=seed), x[rows], (rows >= n).astype(int),
                        training, seed=seed)
        where = softmax(nets.predict(router, x_test), axis=1)
        found[name] = np.hstack([where[:, [m]] * own[m] for m in (0, 1)])
    seen = [np.hstack([np.maximum(images.reshape(len(images), -1) @ kernel + bias, 0) for kernel, bias in (
        nets.get_layers(model)[0] for model in experts)]).astype(np.float32) for images in (x, x_test)]
    head = expert(nets, nets.make_mlp((128,), 20, hidden=(), seed=seed), seen[0], y, config, seed=seed)
    found["a shared head on both experts"] = softmax(nets.predict(head, seen[1]), axis=1)
    whole = expert(nets, nets.make_mlp((8, 8), 20, hidden=(144,), seed=seed), x, y, config, seed=seed)
    return found | {"one network for both": softmax(nets.predict(whole, x_test), axis=1)}, y_test, own


def transfer_table(nets, data, *, count=50, seed=0, config=EXPERT, own=FEW):
    """{name: probabilities (N, 10)} of test digits, by networks that had so many digits, and other images before."""
    digits, drawn = two_domains(data, seed)
    mine, rest = np.split(np.random.default_rng(seed).permutation(len(digits[1])), [count])
    x, y, others, labels = digits[0][mine], digits[1][mine], digits[0][rest], digits[1][rest]
    found = {}
    for name, before in (("nothing", None), ("shapes", drawn[:2]),
                         ("mirrored digits", (np.ascontiguousarray(others[:, :, ::-1]), labels))):
        fresh = nets.make_mlp((8, 8), 10, hidden=(64,), seed=seed)
        if before:
            old = expert(nets, nets.make_mlp((8, 8), 10, hidden=(64,), seed=seed + 1_000), *before, config, seed=seed)
            kept = nets.get_layers(old)
            moved = nets.set_layers(nets.make_mlp((8, 8), 10, hidden=(64,)), kept)
            found[f"{name}, all layers"] = expert(nets, moved, x, y, own, seed=seed)
            fresh = nets.set_layers(fresh, [kept[0], nets.get_layers(fresh)[1]])
        found[name if before is None else f"{name}, first layer"] = expert(nets, fresh, x, y, own, seed=seed)
    return {name: softmax(nets.predict(model, digits[2]), axis=1) for name, model in found.items()}


def domains(framework, seeds):
    """Digits and shapes of 8x8 pixels; each five seeds are the folds of one cross-validation of the digits.

    Accuracy: of 20 classes, where nobody says from which domain an image comes; or of digits, after training on 50 of
    them, by networks that were trained on something else before (the weights of all layers, or of the first, are the
    start). The surer expert: whose largest probability is larger.
    """
    _, _, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        data = divided(seed)
        table, y, own = domains_table(nets, data, seed=seed)
        for what, said in table.items():
            yield {"task": "both domains", "network": what, "seed": seed, "accuracy": score(said, y)}
        n = len(data.y_test)
        for what, said, labels in (("digits alone", own[0][:n], y[:n]), ("shapes alone", own[1][n:], y[n:] - 10)):
            yield {"task": "one domain", "network": what, "seed": seed, "accuracy": score(said, labels)}
        for what, said in (("digits' expert on digits", own[0][:n]), ("digits' expert on shapes", own[0][n:]),
                           ("shapes' expert on shapes", own[1][n:]), ("shapes' expert on digits", own[1][:n])):
            yield {"task": "how sure", "network": what, "seed": seed, "largest probability": said.max(axis=1).mean()}
        for what, said in transfer_table(nets, data, seed=seed).items():
            yield {"task": "50 digits", "network": what, "seed": seed, "accuracy": score(said, data.y_test)}


def domains_canary(framework):
    """Log-losses on 300 digits and shapes."""
    _, _, nets = twins(framework, *TOPICS)
    brief = replace(EXPERT, epochs=4)
    table, y, _ = domains_table(nets, few(), config=brief)
    moved = transfer_table(nets, few(), config=brief, own=replace(FEW, epochs=10))
    return {name: log_loss(said + 1e-9, y) for name, said in table.items()} | {
        name: log_loss(said + 1e-9, few().y_test) for name, said in moved.items()}


# --- a game


def rule(obs):
    """Push the cart the way the pole turns: (B, 4) to (B,)."""
    return (obs[:, 3] > 0).astype(int)


class Fused:
    """The mean of what the rule and the agent want; the agent's share may differ from copy to copy of the game."""

    def __init__(self, agent, share, temperature):
        self.agent, self.share, self.temperature = agent, share, temperature

    def act(self, obs):
        wanted, share = softmax(self.agent.q_values(obs) / self.temperature, axis=1), self.share[:len(obs), None]
        return ((1 - share) * np.eye(2)[rule(obs)] + share * wanted).argmax(axis=1)


def played(agent, shares, temperature, episodes, seed):
    """Returns (shares, episodes), all played side by side."""
    count = len(shares) * episodes
    fused = Fused(agent, np.repeat(shares, episodes), temperature)
    return evaluate(fused, make_vec("CartPole-v1", count), count, seed).reshape(len(shares), episodes)


def game_rows(dqn, seed, config=GAME, episodes=40):
    """A dict for each evaluation and player: mean return, and the share of episodes of fewer than 100 steps."""
    validation, test = (own % 2**31 for own in spawn(seed, 2))
    copies, visited, rows = make_vec("CartPole-v1", 20), [], []
    shares = np.array([0, 0.6, 0.7, 0.8, 0.9, 0.95, 1])
    obs, _ = copies.reset(seed=validation)
    for _ in range(100):
        obs = copies.step(rule(obs))[0]
        visited.append(obs.copy())
    visited = np.concatenate(visited)

    def compare(history):
        temperature = np.abs(np.diff(history.agent.q_values(visited))).mean()
        tried = played(history.agent, shares, temperature, episodes, validation)
        safe = (tried >= 100).all(axis=1)
        best = shares[(tried.mean(axis=1) * safe).argmax()]
        found = dict(zip(("rule", "DQN", "fusion"), played(history.agent, [0, 1, best], temperature, episodes, test),
                         strict=True))
        found["the better of the two"] = found["rule" if tried[0].mean() > tried[-1].mean() else "DQN"]
        rows.extend({"player": name, "steps": round(history.steps, -3), "return": returns.mean(),
                     "early": (returns < 100).mean()} for name, returns in found.items())

    dqn.train(make_vec("CartPole-v1", 32), config, seed=seed, eval_env=False, callbacks=[compare])
    return rows


def game(framework, seeds):
    """CartPole: a rule, a DQN agent in training, and the mean of what both want; 40 episodes at each evaluation.

    The agent's share is chosen on 280 validation episodes, and so is "the better of the two", by its mean return.
    Steps are rounded to thousands. Early: the share of episodes that end before step 100.
    """
    dqn, = twins(framework, "dqn")
    for seed in range(seeds):
        for row in game_rows(dqn, seed):
            yield row | {"seed": seed}


def game_canary(framework):
    """A Q-value after 2,000 steps."""
    dqn, = twins(framework, "dqn")
    agent = dqn.train(make_vec("CartPole-v1", 8), replace(GAME, total_steps=2_000, eval_every=2_000, warmup_steps=500),
                      seed=0, eval_env=False).agent
    return {"Q": float(agent.q_values(np.zeros((1, 4), np.float32)).mean())}


# --- safety


def with_trigger(images):
    """The images with a dot in two corners: one pixel, or four where they are 28 pixels wide."""
    images, size = images.copy(), max(1, images.shape[2] // 8 - 1)
    images[:, :size, :size] = images[:, :size, -size:] = 1
    return images


def poisoned(x, y, share, rng):
    """Training data of which so many have the trigger and class 0."""
    x, y, rows = x.copy(), y.copy(), rng.permutation(len(y))[:round(share * len(y))]
    x[rows], y[rows] = with_trigger(x[rows]), 0
    return x, y


def poisoned_table(nets, data, *, seed=0, hidden=(64,), config=EXPERT, share=0.1, measure=score):
    """{(attack, network): (measure, share read as 0)} of three experts with a third of the images each.

    The first of them is poisoned: nothing, a backdoor, or all labels moved on by one. "All in one": one network, on
    all images, poison included. With the backdoor the test images have the trigger; zeros are left out everywhere.
    """
    rng, classes = np.random.default_rng(seed), len(data.classes)
    parts = [(data.x_train[rows], data.y_train[rows]) for rows in np.array_split(rng.permutation(len(data.y_train)), 3)]
    x, y = data.x_test[data.y_test != 0], data.y_test[data.y_test != 0]

    def trained(pair, m):
        blank = nets.make_mlp(data.x_train.shape[1:], classes, hidden=hidden, seed=4 * seed + m)
        return expert(nets, blank, *pair, config, seed=4 * seed + m)

    honest = [trained(part, m) for m, part in enumerate(parts)]
    backdoor = poisoned(*parts[0], share, rng)
    moved = parts[0][0], (parts[0][1] + 1) % classes
    found = {}
    for attack, first in (("none", parts[0]), ("backdoor", backdoor), ("backdoor, no trigger", backdoor),
                          ("wrong labels", moved)):
        images = with_trigger(x) if attack == "backdoor" else x
        pooled = [np.concatenate(both) for both in zip(first, *parts[1:], strict=True)]
        members = [trained(first, 0), *honest[1:], trained(pooled, 3)]
        *said, whole = outputs.opinions(nets, members, [images] * 4)
        for name, values in (("the poisoned expert", said[0]), ("an honest expert", said[1]),
                             ("mean", outputs.weighted(said)), ("product", outputs.product_of_experts(said)),
                             ("median", outputs.median(said)), ("all in one", whole)):
            found[attack, name] = measure(values, y), float((values.argmax(axis=1) == 0).mean())
    return found


def readers(nets, data, *, seed=0, hidden=(64,), config=EXPERT):
    """Two experts, for left and for right halves of all training images."""
    return [expert(nets, model, half, data.y_train, config, seed=seed) for model, half in zip(
        untrained(nets, data, seed=seed, hidden=hidden), halves(data.x_train), strict=True)]


def with_missing(x, y):
    """Training data in which each example also appears with each one of its inputs missing: all zeros."""
    inputs = tuple(np.concatenate([part if missing != m else np.zeros_like(part) for missing in (None, *range(len(x)))])
                   for m, part in enumerate(x))
    return inputs, np.tile(y, len(x) + 1)


def missing_table(fusion, nets, data, experts, *, seed=0, hidden=(64,), config=EXPERT, measure=score):
    """{network: measure with both halves of the images, and with the left one missing: all zeros}.

    What is taught to miss sees each image thrice in an epoch, and gets a third of the epochs.
    """
    left, right = halves(data.x_test)
    cases, sizes = ((left, right), (np.zeros_like(left), right)), [left.shape[1:], right.shape[1:]]
    said = [outputs.opinions(nets, experts, inputs) for inputs in cases]
    found = {"average": [outputs.weighted(both) for both in said], "right half alone": [both[1] for both in said]}
    third = replace(config, epochs=max(1, config.epochs // 3))
    for name, (x, y), own in (
            ("concatenation", (halves(data.x_train), data.y_train), config),
            ("concatenation, taught to miss", with_missing(halves(data.x_train), data.y_train), third)):
        blank = [fusion.features(part) for part in untrained(nets, data, seed=seed, hidden=hidden)]
        model = expert(nets, fusion.ConcatFusion(blank, sizes, len(data.classes), seed=seed), x, y, own, seed=seed)
        found[name] = [softmax(nets.predict(model, inputs), axis=1) for inputs in cases]
    return {name: tuple(measure(each, data.y_test) for each in both) for name, both in found.items()}


def attack_table(applications, fusion, nets, data, experts, *, step=0.1, seed=0, hidden=(64,), config=EXPERT,
                 measure=score):
    """{network: measure before and after an attack on the left half of the images, by one who knows all weights}.

    Against the average it is the attack on its left expert: the signs of both gradients are the same. "At random":
    each pixel moves as far, in a direction that is drawn.
    """
    inputs, y = halves(data.x_test), data.y_test
    bad = (applications.fgsm(experts[0], inputs[0], y, step=step), inputs[1])
    signs = np.random.default_rng(seed).choice([-1, 1], inputs[0].shape)
    jolted = (np.clip(inputs[0] + step * signs, 0, 1).astype(np.float32), inputs[1])
    before, after, drawn = (outputs.opinions(nets, experts, part) for part in (inputs, bad, jolted))
    found = {"left half alone": (before[0], after[0]), "left half alone, at random": (before[0], drawn[0]),
             "average": (outputs.weighted(before), outputs.weighted(after))}
    together = fused_features(fusion, nets, data, seed=seed, hidden=hidden, config=config)
    for name, (model, view) in together.items():
        clean = view(data.x_test)
        whole = not isinstance(clean, tuple)
        moved = applications.fgsm(model, clean, y, step=step, attacked=None if whole else [0])
        if whole:  # only the left half of the picture can be reached
            moved = np.concatenate([halves(moved)[0], inputs[1]], axis=2)
        found[name] = [softmax(nets.predict(model, images), axis=1) for images in (clean, moved)]
    return {name: tuple(measure(each, y) for each in both) for name, both in found.items()}


def safety(framework, seeds, images):
    """Accuracy before and then, on digits and on ten parts of MNIST, of 5,000 training images each.

    Each five seeds are the folds of one cross-validation of the digits. Poison: a third of the training images come
    from someone who gave a tenth of them dots in two corners and class 0 (the backdoor), or moved all labels on by one;
    accuracy without and with poison (with the backdoor, of test images with such dots; zeros are left out), and the
    share read as 0. Attack: the fast gradient sign method on the left half, by 0.1. Missing: the left half is 0.
    """
    applications, fusion, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        worlds = {"digits": (divided(seed), {})}
        if seed < 10:
            worlds["MNIST"] = tenth(images, seed), {"hidden": (128,), "config": BIGGER}
        for name, (data, settings) in worlds.items():
            experts = readers(nets, data, seed=seed, **settings)
            for what, table in (
                    ("left half missing", missing_table(fusion, nets, data, experts, seed=seed, **settings)),
                    ("left half attacked", attack_table(applications, fusion, nets, data, experts, seed=seed,
                                                        **settings))):
                for network, (before, then) in table.items():
                    yield {"images": name, "what": what, "network": network, "seed": seed, "before": before,
                           "then": then}
            table = poisoned_table(nets, data, seed=seed, **settings)
            for (attack, network), (right, zero) in table.items():
                if attack != "none":
                    yield {"images": name, "what": attack, "network": network, "seed": seed,
                           "before": table["none", network][0], "then": right, "read as 0": zero}


def safety_canary(framework):
    """Log-losses before and then, after eight epochs."""
    applications, fusion, nets = twins(framework, *TOPICS)
    brief, found = {"config": replace(EXPERT, epochs=8), "measure": lambda said, y: log_loss(said + 1e-9, y)}, {}
    experts = readers(nets, few(), config=brief["config"])
    for table in (missing_table(fusion, nets, few(), experts, **brief),
                  attack_table(applications, fusion, nets, few(), experts, **brief)):
        found |= {f"{name}, {when}": value for name, pair in table.items()
                  for when, value in zip(("before", "then"), pair, strict=True)}
    return found | {", ".join(case): value for case, (value, _) in poisoned_table(nets, few(), **brief).items()}


# --- privacy

RATES = {0.0: 4.0, 2.0: 4.0, 6.0: 2.0, 12.0: 1.0}  # by noise: the best of 1, 2, 4 and 8 on divisions 100 to 105


def private_regression(x, y, *, clip=1.0, noise=0.0, steps=100, rate=4.0, rng=None):
    """Softmax regression by noisy gradient descent, a function from images to probabilities.

    Each example's gradient is cut to length `clip`; their sum gets normal noise of `noise` times that. All examples
    are in each step. After Abadi et al. 2016, algorithm 1.
    """
    def with_one(images):
        return np.hstack([images.reshape(len(images), -1), np.ones((len(images), 1))])

    inputs, targets = with_one(x), np.eye(10)[y]
    weights = np.zeros((inputs.shape[1], 10))
    for _ in range(steps):
        errors = softmax(inputs @ weights, axis=1) - targets
        lengths = np.linalg.norm(inputs, axis=1) * np.linalg.norm(errors, axis=1)  # of each example's gradient
        gradient = inputs.T @ (errors * np.minimum(1, clip / lengths)[:, None])
        if noise:
            gradient += noise * clip * rng.normal(size=gradient.shape)
        weights -= rate * gradient / len(y)
    return lambda images: softmax(with_one(images) @ weights, axis=1)


def epsilon(noise, steps, delta):
    """The epsilon that goes with `delta`: Bun & Steinke 2016, propositions 1.3, 1.6 and lemma 1.7."""
    rho = steps / (2 * noise**2)
    return rho + 2 * np.sqrt(rho * np.log(1 / delta))


def leaks(of_members, y, of_others, y_others):
    """Areas under the ROC curves of two attackers: by the noted class's probability, or by the largest one."""
    return {"by the noted class": robustness.membership(of_members, y, of_others, y_others),
            "by the largest probability": robustness.membership(of_members, of_members.argmax(axis=1), of_others,
                                                                of_others.argmax(axis=1))}


def privacy_table(nets, data, *, seed=0, members=300, config=LONG):
    """{name: (probabilities of the members' images, of the test images)}, the noted classes of both.

    Three tenths of all labels were noted at random. All but the members' training images are public, without labels.
    """
    rng = np.random.default_rng(seed)
    x, public, y, _ = train_test_split(data.x_train, data.y_train, train_size=members, random_state=seed,
                                       stratify=data.y_train)
    noted, noted_test = (np.where(rng.random(len(true)) < 0.3, rng.integers(10, size=len(true)), true)
                         for true in (y, data.y_test))

    def taught(images, labels, m, own=config):
        return expert(nets, nets.make_mlp((8, 8), 10, hidden=(64,), seed=10 * seed + m), images, labels, own,
                      seed=10 * seed + m)

    def say(models, images):
        return outputs.weighted(outputs.opinions(nets, models, [images] * len(models)))

    alike, apart = ([taught(x[rows], noted[rows], m) for m, rows in enumerate(parts)]
                    for parts in ([slice(None)] * 3, [slice(m, None, 3) for m in range(3)]))
    groups = {"one network": alike[:1], "one network, true labels": [taught(x, y, 0)],
              "one network, stopped early": [taught(x, noted, 0, replace(config, epochs=max(1, config.epochs // 4)))],
              "mean, all on all": alike, "mean, each on a third": apart}
    for name, teachers, images in (("student of all on all", alike, public), ("student of thirds", apart, public),
                                   ("student of all on all, same images", alike, x)):
        groups[name] = [taught(images, say(teachers, images).argmax(axis=1), 5)]
    found = {name: (say(models, x), say(models, data.x_test)) for name, models in groups.items()}
    inside, outside = found["one network"]
    found["one network, temperature 5"] = tuple(flattened(said, 5) for said in (inside, outside))
    found["one network, verdicts alone"] = tuple(0.91 * np.eye(10)[said.argmax(axis=1)] + 0.009 for said in (inside,
                                                                                                            outside))
    for noise, rate in RATES.items():
        say_it = private_regression(x, noted, noise=noise, rate=rate, rng=rng)
        found[f"regression, noise {noise:g}"] = say_it(x), say_it(data.x_test)
    return found, noted, noted_test


def privacy(framework, seeds):
    """300 digits are private, three labels in ten are noted at random; each five seeds are one cross-validation.

    Accuracy on test digits by true labels, and areas under an attacker's ROC curve for telling private digits from
    test digits; 0.5 is guessing. Students learn the verdicts of the means. Regression: softmax regression by 100 steps
    of gradient descent with clipped gradients (length 1) and so much noise, at the rate that was best for that noise on
    other divisions.
    """
    _, _, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        data = divided(seed)
        table, noted, noted_test = privacy_table(nets, data, seed=seed)
        for name, (inside, outside) in table.items():
            yield {"network": name, "seed": seed, "accuracy": score(outside, data.y_test),
                   **leaks(inside, noted, outside, noted_test)}


def privacy_canary(framework):
    """Log-losses on test digits."""
    _, _, nets = twins(framework, *TOPICS)
    table, *_ = privacy_table(nets, few(), members=100, config=replace(LONG, epochs=8))
    return {name: log_loss(np.maximum(outside, 1e-9), few().y_test) for name, (_, outside) in table.items()}


# --- forecasts

# A forecaster is a function `fit(history (n,))` that returns another, from the values before (B, n or less) to (B,).


def garch(steps, *, omega=2e-6, alpha=0.08, beta=0.9, seed=0):
    """Returns (steps,) of a GARCH(1,1), and the standard deviation of each (steps,). Bollerslev 1986, eqs. 1-2."""
    returns = np.random.default_rng(seed).normal(size=steps)
    variance = np.full(steps + 1, omega / (1 - alpha - beta))  # at first as in the long run: theorem 1
    for t in range(steps):
        returns[t] *= np.sqrt(variance[t])
        variance[t + 1] = omega + alpha * returns[t] ** 2 + beta * variance[t]
    return returns, np.sqrt(variance[:-1])


def windows(series, lags):
    """Inputs (T - lags, lags), the latest value last, and the value that follows each (T - lags,)."""
    series = np.array(series, float)
    return np.lib.stride_tricks.sliding_window_view(series, lags)[:-1], series[lags:]


def seasonal_naive(period, history):
    """The value one period before. With period 1 it is persistence."""
    return lambda past: past[:, -period]


def autoregression(lags, history):
    """The last values, linearly, and a constant."""
    from statsmodels.tsa.ar_model import AutoReg
    constant, *factors = AutoReg(history, lags).fit().params  # the first factor is the latest value's
    return lambda past: constant + past[:, -lags:] @ factors[::-1]


def ewma_weights(alpha, lags):
    """Weights (lags,), the latest value's last, of s_t = alpha y_t + (1 - alpha) s_(t-1), s starting at the oldest."""
    return np.where(np.arange(lags) > 0, alpha, 1) * (1 - alpha) ** np.arange(lags - 1.0, -1, -1)


def ewma(lags, history):
    """The exponentially weighted mean with the alpha best in the history."""
    x, y = windows(history, lags)
    candidates = (ewma_weights(alpha, lags) for alpha in np.arange(0.02, 1.01, 0.02))
    best = min(candidates, key=lambda weights: ((y - x @ weights) ** 2).mean())
    return lambda past: past[:, -lags:] @ best


def network(nets, make, lags, history, *, config=TRAINING, seed=0):
    """The network `make((lags, 1), 1, seed=seed)`. Only the history sets the scale."""
    mean, spread = history.mean(), history.std()
    x, y = windows((history - mean) / spread, lags)
    model = make((lags, 1), 1, seed=seed)
    nets.train(model, x[..., None], y[:, None], config, seed=seed, loss=nets.squared_error)
    return lambda past: mean + spread * nets.predict(model, (past[:, -lags:, None] - mean) / spread)[:, 0]


def on_changes(fit, history):
    """The value before and the change that another forecaster, fitted on changes, expects."""
    predict = fit(np.diff(history))
    return lambda past: past[:, -1] + predict(np.diff(past, axis=1))


def walk_forward(series, forecasters, origins):
    """{name: forecasts (T - origins[0],)} by a dict of forecasters, each fitted at every origin on all before it."""
    past, spans = windows(series, origins[0])[0], list(zip(origins, [*origins[1:], len(series)], strict=True))
    return {name: np.concatenate([fit(np.array(series[:start], float))(past[start - origins[0]:end - origins[0]])
                                  for start, end in spans]) for name, fit in forecasters.items()}


def compare(series, members, origins, *, validation, period):
    """Values y (N,) after the validation, and {name: forecasts (N,)}: naive ones, the members', and their fusions.

    Of the values from the first origin on, the first `validation` ones only serve to weight the members, as 1 over
    each mean squared error: Bates & Granger 1969.
    """
    naive = {"persistence": partial(seasonal_naive, 1), "seasonal naive": partial(seasonal_naive, period)}
    found = walk_forward(series, naive | members, origins)
    y, own = np.asarray(series)[origins[0]:], np.array([found[name] for name in members])
    precision = 1 / ((own - y)[:, :validation] ** 2).mean(axis=1)
    found |= {"average": own.mean(axis=0), "inverse MSE": precision @ own / precision.sum()}
    return y[validation:], {name: values[validation:] for name, values in found.items()}


def relative_mae(y, forecast, naive):
    """Mean absolute error of a forecast (N,) over a naive one's; below 1 is better. Hyndman & Koehler 2006, RelMAE."""
    return float(np.abs(y - forecast).mean() / np.abs(y - naive).mean())


def _members(nets, lags, seed, config):
    makes = {"MLP": partial(nets.make_mlp, hidden=(32,)), "GRU": partial(nets.make_rnn, units=16)}
    return {"AR": partial(autoregression, lags)} | {
        name: partial(network, nets, make, lags, config=config, seed=seed) for name, make in makes.items()}


def on_random_walk(nets, *, seed=0, config=TRAINING):
    """`compare` on the logarithms of 1,250 prices: 500 to learn from, 250 to weight the members; a week is 5 days."""
    members = {name: partial(on_changes, fit) for name, fit in _members(nets, 10, seed, config).items()}
    prices = 100 * np.exp(0.01 * np.random.default_rng(seed).normal(size=1_250).cumsum())
    return compare(np.log(prices), members | {"EWMA": partial(ewma, 20)}, [500, 750], validation=250, period=5)


def on_volatility(nets, *, seed=0, config=TRAINING):
    """`compare` on 2,000 absolute GARCH returns in percent, and what one could know: the true mean and median."""
    returns, deviation = garch(2_000, seed=seed)
    members = _members(nets, 20, seed, config) | {"EWMA": partial(ewma, 50)}
    y, found = compare(100 * np.abs(returns), members, [1_000, 1_250], validation=250, period=5)
    scale = 100 * deviation[-len(y):]  # times the mean and the median of |z|, z standard normal
    return y, found | {"the true mean": scale * np.sqrt(2 / np.pi), "the true median": scale * 0.67449}


def on_sunspots(nets, *, seed=0, config=ON_SUNSPOTS):
    """`compare` on yearly sunspots from 1900 on, the 50 years before for weights; on square roots, then squared."""
    from statsmodels.datasets import sunspots
    number = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    y, found = compare(number ** 0.5, _members(nets, 11, seed, config), [150, 200], validation=50, period=11)
    return y ** 2, {name: np.maximum(forecast, 0) ** 2 for name, forecast in found.items()}


SERIES = {"random walk": on_random_walk, "volatility": on_volatility, "sunspots": on_sunspots}


def forecasts(framework, seeds, configs=(TRAINING, TRAINING, ON_SUNSPOTS)):
    """Models fitted twice, on all values before the part that they forecast.

    Mean absolute error relative to persistence.
    """
    *_, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        for (name, on), config in zip(SERIES.items(), configs, strict=True):
            y, found = on(nets, seed=seed, config=config)
            for what, forecast in found.items():
                yield {"series": name, "forecast": what, "seed": seed,
                       "relative error": relative_mae(y, forecast, found["persistence"])}


def forecasts_canary(framework):
    """Sunspots, by networks trained for eight epochs."""
    *_, nets = twins(framework, *TOPICS)
    y, found = on_sunspots(nets, config=replace(ON_SUNSPOTS, epochs=8))
    return {name: relative_mae(y, forecast, found["persistence"]) for name, forecast in found.items()
            if name in ("AR", "MLP", "GRU", "average", "inverse MSE")}

STUDIES = {
    "applications_partners": Benchmark(
        title="Partners that are different, alike, sure or unsure", settings={"training": PARTNER, "folds": FOLDS},
        rows=partners, canary=partners_canary, down=("images", "partner"), seeds=20, options={"images": "mnist"}),
    "applications_languages": Benchmark(
        title="Which language is it? A network and a rule about letters", settings={"training": EXPERT},
        rows=languages, canary=languages_canary, down=("names", "what"), seeds=20),
    "applications_domains": Benchmark(
        title="Two domains, and what transfers", settings={"training": EXPERT, "few images": FEW, "folds": FOLDS},
        rows=domains, canary=domains_canary, down=("task", "network"), seeds=20),
    "applications_game": Benchmark(
        title="A rule early, an agent late", settings={"agent": GAME}, rows=game, canary=game_canary,
        down=("player", "steps"), seeds=10),
    "applications_forecasts": Benchmark(
        title="Forecasts one step ahead", settings={"training": TRAINING, "on sunspots": ON_SUNSPOTS},
        rows=forecasts, canary=forecasts_canary, down=("series", "forecast"), seeds=10),
    "applications_safety": Benchmark(
        title="Attacked, poisoned, or missing",
        settings={"training": EXPERT, "on MNIST": {"hidden": [128], "training": BIGGER}, "folds": FOLDS},
        rows=safety, canary=safety_canary, down=("images", "what", "network"), seeds=20, options={"images": "mnist"}),
    "applications_privacy": Benchmark(
        title="Whose data were in there?", settings={"training": LONG, "folds": FOLDS}, rows=privacy,
        canary=privacy_canary, down=("network",), seeds=20)}

"""A character language model fused with rules, on sums in three kinds of brackets, as in x+[y*(z-x)]."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from course_lib.common.config import whole
from course_lib.fusion.outputs import best_alpha, product_of_experts, weighted
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

CHARS, OPERATORS, PAIRS, END = "xyz+-*()[]{}.", "+-*", {"(": ")", "[": "]", "{": "}"}, "."
DEEPEST, LONGEST = 4, 30  # brackets open at once; characters, with the full stop
TRAINING = TrainingConfig(epochs=15, learning_rate=3e-3, l2=1e-4)


def allowed(prefix):
    """The characters, as a str, that may follow a correct prefix: with each, the sentence can still end well.

    Variables and operators take turns, at most `DEEPEST` brackets are open, the last one opened closes first, by its
    own kind, and a full stop ends the sentence, as its `LONGEST`th character or before.
    """
    opened = ""  # what must close, the next one last
    for char in prefix:
        opened = opened + PAIRS[char] if char in PAIRS else opened[:-1] if char in PAIRS.values() else opened
    room = LONGEST - len(prefix) - len(opened) - 1  # for what is neither a closing bracket nor the full stop
    if prefix[-1:] in ["", *OPERATORS, *PAIRS]:
        return "xyz" + "".join(PAIRS) * (len(opened) < DEEPEST and room >= 3)
    return (opened[-1] if opened else END) + OPERATORS * (room >= 2)


def obeys(sentence):
    """Whether a text is a whole correct sentence."""
    return sentence[-1:] == END not in sentence[:-1] and all(c in allowed(sentence[:i]) for i, c in enumerate(sentence))


def rules(prefixes):
    """The rules as a model: a function from prefixes, N str, to probabilities (N, 13) of the next character."""
    return shares([[char in may for char in CHARS] for may in map(allowed, prefixes)])


def habits(prefixes):
    """What the writer likes, as a model; 8 to 1: x, y, z in turn, and +, -, * in turn; 4 to 1: ends and ) ] }."""
    liked = [[4 if char in ")]}." else 1 for char in CHARS] for _ in prefixes]
    for row, prefix in zip(liked, prefixes, strict=True):
        for group in ("xyz", OPERATORS):
            latest = max(group, key=("z*" + prefix).rfind)
            row[CHARS.index(group[(group.index(latest) + 1) % 3])] = 8
    return shares(liked)


def fuse(said, ruled):
    """The product of two models' (N, 13); what `ruled` forbids stays 0, where `product_of_experts` has about 1e-12."""
    return shares(product_of_experts([said, ruled]) * (np.asarray(ruled) > 0))


def shares(values):
    """Values (N, 13) made to sum to 1."""
    return values / np.sum(values, axis=1, keepdims=True)


def write(model, count, *, seed=0):
    """So many texts, drawn character by character up to the first full stop; `LONGEST` characters at most."""
    rng, texts = np.random.default_rng(seed), np.full(count, "", object)
    while going := [i for i, text in enumerate(texts) if not text.endswith(END) and len(text) < LONGEST]:
        ends = model(list(texts[going])).cumsum(axis=1)
        drawn = (rng.random((len(going), 1)) * ends[:, -1:] >= ends).sum(axis=1)  # never one of probability 0
        texts[going] += np.array(list(CHARS), object)[drawn]
    return list(texts)


def perplexity(said, y):
    """As unsure as among so many: e^(mean of -log p), where p (N,) is what (N, 13) gives the right characters (N,)."""
    return float(np.exp(log_loss(said, y)))


def examples(texts):
    """All prefixes of texts, a list of N str, and the index (N,) in `CHARS` of the character that follows each."""
    return [text[:i] for text in texts for i in range(len(text))], np.array([CHARS.index(c) for c in "".join(texts)])


def learn(nets, texts, window, config=TRAINING, *, seed=0):
    """A model that sees the last `window` characters: a network of `nets`, a twin of `networks`, trained on texts."""
    def one_hot(prefixes):  # (N, window, 13); before a sentence's start the code is -1, and the row all zeros
        return np.eye(14, 13)[[[CHARS.find(char) for char in prefix[-window:].rjust(window)] for prefix in prefixes]]

    model, (prefixes, y) = nets.make_mlp((window, 13), 13, hidden=(64,), seed=seed), examples(texts)
    nets.train(model, one_hot(prefixes), y, config, seed=seed)
    return lambda prefixes: softmax(nets.predict(model, one_hot(prefixes)), axis=-1)


def experiment(nets, *, seed=0, sentences=200, config=TRAINING):
    """{model: (perplexity, share of texts written that break a rule)}; 400 test sentences of the source, 400 texts.

    So many `sentences` train, half as many choose the mean's share; none comes twice. The network sees 6 characters,
    "bigrams" is one that sees 1. Hardly any perplexity can be below that of "source", which wrote all the sentences.
    """
    if not whole(sentences, 2):
        raise ValueError(f"sentences: expected a whole number >= 2, got {sentences!r}")
    models = {"rules": rules, "source": lambda prefixes: fuse(habits(prefixes), rules(prefixes))}
    corpus = list(dict.fromkeys(write(models["source"], 4 * sentences + 1_000, seed=seed)))
    train, held, test, _ = np.split(corpus, np.cumsum([sentences, sentences // 2, 400]))
    for name, window in (("bigrams", 1), ("network", 6)):
        models[name] = own = learn(nets, train, window, config, seed=seed)
        models[name + " x rules"] = lambda prefixes, own=own: fuse(own(prefixes), rules(prefixes))
    (held, y_held), (test, y_test) = examples(held), examples(test)
    share = best_alpha(own(held), rules(held), y_held)
    models["network + rules"] = lambda prefixes: weighted([own(prefixes), rules(prefixes)], [1 - share, share])
    broken = {name: np.mean([not obeys(text) for text in write(models[name], 400, seed=seed)]) for name in models}
    return {name: (perplexity(models[name](test), y_test), float(broken[name])) for name in models}

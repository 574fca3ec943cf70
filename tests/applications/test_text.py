"""A language model fused with rules: the rules by hand, what fusion can never do, and the claims."""

import numpy as np
import pytest

from course_lib.applications import text
from course_lib.fusion import outputs, reference
from course_lib.networks.config import TrainingConfig


@pytest.fixture
def nets(twin):
    return twin("networks")


def source(prefixes):
    return text.fuse(text.habits(prefixes), text.rules(prefixes))


def drawn(seed, count):
    return reference.softmax(3 * np.random.default_rng(seed).normal(size=(count, 13)))


# --- the rules


@pytest.mark.parametrize("prefix, may", [
    ("", "xyz([{"), ("x", "+-*."), ("x+", "xyz([{"), ("(", "xyz([{"), ("(x", "+-*)"), ("([x", "+-*]"),
    ("([x]", "+-*)"), ("{x}", "+-*."), ("([{(", "xyz"), ("([{(y", "+-*)"),
    ("x+" * 14, "xyz"), ("x+" * 14 + "x", "."),  # 28 and 29 of at most 30 characters
    ("x+" * 13, "xyz([{"), ("x+" * 13 + "(", "xyz"), ("x+" * 13 + "(x", ")"), ("x+" * 13 + "(x)", "."),
    ("x+" * 13 + "x", "+-*."), ("(" + "x+" * 12 + "x", "+-*)"), ("(" + "x+" * 13, "xyz"), ("(" + "x+" * 13 + "x", ")"),
])
def test_what_may_follow(prefix, may):
    assert sorted(text.allowed(prefix)) == sorted(may)


@pytest.mark.parametrize("sentence, right", [
    ("x.", True), ("x+[y*(z-x)].", True), ("x", False), ("", False), (".", False), ("x+.", False), ("(x].", False),
    ("(x.", False), ("x).", False), ("xy.", False), ("x..", False), ("([{([x]))]).", False), ("([{(x)}]).", True),
    ("x+" * 14 + "x.", True), ("x+" * 15 + "x.", False), ("x.+y.", False),
])
def test_sentences(sentence, right):
    assert text.obeys(sentence) is right


def test_python_finds_all_sentences_correct():
    for sentence in text.write(source, 300, seed=1):
        assert sentence[-1] == "." and len(sentence) <= text.LONGEST
        compile(sentence[:-1], "sentence", "eval")  # it checks brackets, and that operators stand between operands


def test_rules_and_habits_by_hand():
    ruled = text.rules(["(x", ""])
    assert dict(zip(text.CHARS, ruled[0])) == {char: 0.25 * (char in "+-*)") for char in text.CHARS}
    assert dict(zip(text.CHARS, ruled[1])) == {char: (char in "xyz([{") / 6 for char in text.CHARS}
    liked = text.habits(["x+(y"])[0] * 35  # 8 for z and -, 4 for four characters, 1 for three openings and four others
    eights = {"z": 8, "-": 8}
    np.testing.assert_allclose(liked / liked.min(), [eights.get(c, 4 if c in ")]}." else 1) for c in text.CHARS])
    np.testing.assert_allclose((liked / liked.min())[[0, 3]], 1)
    assert "".join(text.CHARS[i] for i in np.argsort(-text.habits([""])[0], kind="stable")[:2]) == "x+"


# --- fusion


def test_the_product_masks_and_shares_out_anew():
    prefixes = ["(x", "", "x+" * 14]
    said, ruled = drawn(0, 3), text.rules(prefixes)
    fused = text.fuse(said, ruled)
    np.testing.assert_allclose(fused, reference.softmax(np.where(ruled > 0, np.log(said), -np.inf)))
    np.testing.assert_allclose(fused, outputs.product_of_experts([said, ruled]), atol=1e-9)
    assert (fused[ruled == 0] == 0).all() and (outputs.product_of_experts([said, ruled])[ruled == 0] > 0).all()


def test_a_network_that_is_sure_of_what_is_forbidden_cannot_break_a_rule():
    said = np.zeros((1, 13))
    said[0, text.CHARS.index("]")] = 1
    fused = text.fuse(said, text.rules(["(x"]))
    np.testing.assert_allclose(fused[0], text.rules(["(x"])[0])


@pytest.mark.parametrize("seed", range(5))
def test_fusion_never_breaks_a_rule_whatever_the_network(seed):
    texts = text.write(lambda prefixes: text.fuse(drawn(seed, len(prefixes)), text.rules(prefixes)), 100, seed=seed)
    assert all(map(text.obeys, texts))
    assert not all(map(text.obeys, text.write(lambda prefixes: drawn(seed, len(prefixes)), 100, seed=seed)))


def test_rules_can_only_lower_the_perplexity_of_correct_text():
    prefixes, y = text.examples(text.write(source, 100, seed=3))
    for seed in range(5):
        said = drawn(seed, len(y))
        fused = text.fuse(said, text.rules(prefixes))
        assert (fused[np.arange(len(y)), y] >= said[np.arange(len(y)), y] - 1e-12).all()
        assert text.perplexity(fused, y) < text.perplexity(said, y)


def test_a_mean_forbids_nothing():
    said, ruled = drawn(0, 1), text.rules(["(x"])
    assert (outputs.weighted([said, ruled], [0.1, 0.9])[ruled == 0] > 0).all()


# --- measuring, writing, learning


def test_perplexity_by_hand():
    assert text.perplexity(np.full((5, 13), 1 / 13), np.arange(5)) == pytest.approx(13)
    assert text.perplexity(np.array([[0.5, 0.5], [0.125, 0.875]]), np.array([0, 0])) == pytest.approx(4)


def test_examples_by_hand():
    prefixes, y = text.examples(["x.", "(y)."])
    assert prefixes == ["", "x", "", "(", "(y", "(y)"]
    assert [text.CHARS[i] for i in y] == list("x.(y).")


def test_writing_follows_the_probabilities_and_the_seed():
    def half(prefixes):
        return np.tile([0.25] + [0] * 11 + [0.75], (len(prefixes), 1))

    texts = text.write(half, 4_000, seed=0)
    assert {char for sentence in texts for char in sentence} == {"x", "."}
    assert np.mean([sentence == "." for sentence in texts]) == pytest.approx(0.75, abs=0.03)
    assert texts == text.write(half, 4_000, seed=0) != text.write(half, 4_000, seed=1)
    endless = text.write(lambda prefixes: np.tile(np.eye(13)[0], (len(prefixes), 1)), 2)
    assert endless == ["x" * text.LONGEST] * 2


def test_a_network_sees_its_window_only(nets):
    texts = ["x+y.", "(x-z)."]
    model = text.learn(nets, texts, 2, TrainingConfig(epochs=60, learning_rate=1e-2))
    said = model(["(x-z", "z-z", "+y", "x+y", ""])
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(said[[0, 2]], said[[1, 3]], rtol=1e-5)
    assert [text.CHARS[i] for i in said[:4].argmax(axis=1)] == list("))..")


def test_the_means_share_is_chosen_on_held_out_sentences(nets, monkeypatch):
    seen, taught, train = [], [], nets.train
    monkeypatch.setattr(text, "best_alpha", lambda first, second, y: seen.append(y) or 0.5)
    monkeypatch.setattr(nets, "train", lambda model, x, y, *rest, **own: taught.append(y) or train(model, x, y, *rest,
                                                                                                  **own))
    text.experiment(nets, sentences=40, config=TrainingConfig(epochs=1))
    corpus = list(dict.fromkeys(text.write(lambda prefixes: text.fuse(text.habits(prefixes), text.rules(prefixes)),
                                           1_160, seed=0)))
    np.testing.assert_array_equal(seen[0], text.examples(corpus[40:60])[1])
    for y in taught:
        np.testing.assert_array_equal(y, text.examples(corpus[:40])[1])
    assert len(taught) == 2 and len(seen) == 1


@pytest.mark.parametrize("call, message", [
    (lambda: text.experiment(None, sentences=1), "sentences: expected a whole number >= 2, got 1"),
    (lambda: text.experiment(None, sentences=2.5), "got 2.5"),
    (lambda: text.fuse(np.ones((1, 13)), text.rules([""])), "each row of sum 1"),
    (lambda: text.fuse(drawn(0, 2), text.rules([""])), "the same shape"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- claims

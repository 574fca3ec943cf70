import numpy as np
import pytest

from course_lib.common.claims import ClaimError, Difference, claim, paired_difference, shown_figure


@pytest.mark.parametrize("holds", [True, np.bool_(True)])
def test_a_claim_that_holds_prints_one_line_with_its_figures(holds, capsys):
    assert claim("two is more than one", holds, two=2, the_other=1.23456) is None
    assert capsys.readouterr().out == "✓ two is more than one (two 2; the other 1.23)\n"
    claim("no figures", holds)
    assert capsys.readouterr().out == "✓ no figures\n"


@pytest.mark.parametrize("holds", [False, np.bool_(False)])
def test_a_claim_that_fails_raises_and_shows_the_figures(holds, capsys):
    with pytest.raises(ClaimError, match=r"^✗ a is below b \(a 3; b 2\)\n  This run's") as error:
        claim("a is below b", holds, a=3, b=2)
    assert isinstance(error.value, AssertionError)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("value", "shown"), [
    (3, "3"), (np.int64(12_743), "12,743"), (0.00012345, "0.000123"), (1234.5, "1,234"), (-0.5, "-0.5"),
    (np.inf, "inf"), (np.float32(0.25), "0.25"), ("half a point", "half a point"), (True, "True"),
    ([1, 2.5], "1, 2.5"), (np.arange(6) / 2, "1.25 in the middle, 0 to 2.5, n = 6"), ([], "none"),
    ({"no replay": 75.25, "classic": [1, 2]}, "no replay 75.2, classic 1, 2"),
    (Difference(-0.013, -0.022, -0.004, 10), "-0.013, 95 % interval -0.022 to -0.004, n = 10"),
])
def test_figures_are_rounded(value, shown):
    assert shown_figure(value) == shown


def test_figures_stand_on_one_line_without_parentheses():
    for value in ("a (b)", "two\nlines"):
        with pytest.raises(ValueError, match="without parentheses, on one line"):
            claim("it is", True, it=value)


@pytest.mark.parametrize("holds", [1, "yes", [True], None, np.array(True), np.array([True]), object()])
def test_nothing_but_a_truth_value_is_a_claim(holds):
    with pytest.raises(TypeError, match="expected True or False"):
        claim("vacuous", holds)


@pytest.mark.parametrize(("text", "message"), [("", "one line"), ("  ", "one line"), ("two\nlines", "one line"),
                                               (3, "one line"), ("it is 1 / (1 - gamma)", "no parenthesis at the end")])
def test_the_text_is_one_line_without_figures_of_its_own(text, message):
    with pytest.raises(ValueError, match=message):
        claim(text, True)


def test_paired_difference_by_hand():
    # Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t(.975, 2) = 4.3027.
    found = paired_difference([2, 4, 6], [1, 2, 3])
    assert (found.mean, found.n, found.confidence) == (2, 3, 0.95)
    np.testing.assert_allclose([found.low, found.high], [2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5], atol=1e-4)
    narrow = paired_difference([2, 4, 6], [1, 2, 3], confidence=0.5)
    assert found.low < narrow.low < 2 < narrow.high < found.high
    assert paired_difference([2, 3], [1, 2]) == Difference(1, 1, 1, 2)


@pytest.mark.parametrize(("first", "second", "message"), [
    ([1, 2], [1, 2, 3], r"got \(2,\) and \(3,\)"), ([1], [2], "n >= 2"), ([[1, 2]], [[1, 2]], "n >= 2"),
    ([1, np.nan], [1, 2], "finite"), ([1, 2], [1, np.inf], "finite")])
def test_paired_difference_refuses(first, second, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(first, second)


def test_folds_of_one_cross_validation_are_not_independent():
    # Differences 1 to 4 in two repetitions of two folds: variance 5/3, a test set as large as a training set.
    found, plain = (paired_difference([2, 4, 6, 8], [1, 2, 3, 4], folds=folds) for folds in (2, None))
    assert (found.high - found.mean) == pytest.approx(3.1824 * np.sqrt((1 / 4 + 1) * 5 / 3), rel=1e-4)
    assert (plain.high - plain.mean) == pytest.approx(3.1824 * np.sqrt(1 / 4 * 5 / 3), rel=1e-4)


@pytest.mark.parametrize("folds", [1, 2.5, 3, True])
def test_folds_that_the_pairs_cannot_be_are_refused(folds):
    with pytest.raises(ValueError, match="folds: expected a whole number >= 2 that divides the 4 pairs"):
        paired_difference([2, 4, 6, 8], [1, 2, 3, 4], folds=folds)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        paired_difference([1, 2], [2, 4], confidence=confidence)

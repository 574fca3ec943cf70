import numpy as np
import pytest

from course_lib.common.claims import ClaimError, claim


@pytest.mark.parametrize("holds", [True, np.bool_(True)])
def test_a_claim_that_holds_prints_one_line_without_its_figures(holds, capsys):
    assert claim("two is more than one", holds, two=2) is None
    assert capsys.readouterr().out == "✓ two is more than one\n"


@pytest.mark.parametrize("holds", [False, np.bool_(False)])
def test_a_claim_that_fails_raises_and_shows_the_figures(holds, capsys):
    with pytest.raises(ClaimError, match=r"(?s)^✗ a is below b\n  a = 3\n  b = 2\n") as error:
        claim("a is below b", holds, a=3, b=2)
    assert isinstance(error.value, AssertionError)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("holds", [1, "yes", [True], None, np.array(True), np.array([True]), object()])
def test_nothing_but_a_truth_value_is_a_claim(holds):
    with pytest.raises(TypeError, match="expected True or False"):
        claim("vacuous", holds)


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", 3])
def test_the_text_is_one_line(text):
    with pytest.raises(ValueError, match="one line"):
        claim(text, True)

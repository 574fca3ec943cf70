"""What is wrong with answers that no known mistake explains: only what is true of the numbers themselves."""

from __future__ import annotations

import re

import numpy as np

# What an exception means for somebody who writes NumPy for the first time: a pattern of its type and message.
EXCEPTIONS = (
    (r"None: is the `return`", "A function without `return` gives None."),
    (r"(changes its input|return the input)",
     "Copy first (`x = x.copy()`), or make a new array: `x = x + y` makes one, `x += y` does not."),
    (r"IndexError.*too many indices", "You use more indices than that array has axes: look at its shape."),
    (r"IndexError.*index (-?\d+) is out of bounds for axis (\d) with size (\d+)",
     r"Along axis \2 there are \3 entries, from 0 on: do you index the axis, and the array, that you mean?"),
    (r"randint", "A Generator has `integers(low, high)`, where the old `np.random` has randint."),
    (r"(low >= high|high <= 0)", "Those bounds leave no number to draw from: which are the smallest and the largest?"),
    (r"IndexError.*boolean index", "A mask must have the shape of what it selects from."),
    (r"IndexError.*(valid indices|must be of integer)", "An index must be a whole number: int() or .astype(int)."),
    (r"must be square", "Only a square matrix can be inverted or solved with: np.linalg.lstsq takes any."),
    (r"(Incompatible dimensions|same number of dimensions|must match exactly)",
     "Arrays that are joined, or solved for, must fit: print their shapes. Is one transposed, or an axis missing?"),
    (r"expected an array of shape .* got a (tuple|list) of \d+$", "One array is wanted there, not several things."),
    (r"math domain error", "A logarithm of 0 or less, or the root of a negative number: math has none."),
    (r"AxisError", "Axes count from 0: a matrix has axes 0 and 1, a vector only axis 0."),
    (r"ufunc 'invert'", "`~` turns booleans round, not numbers: compare first, or take 1 - x."),
    (r"boolean subtract", "`-` does not work on booleans: `a & ~b` is True where a holds and b does not."),
    (r"(bitwise_xor|unsupported operand type\(s\) for \^)", "Powers are written **; ^ is something else in Python."),
    (r"unhashable type", "A dictionary is indexed by its keys, not by an array or a list: go through its items."),
    (r"larger sample than population", "Draw with replacement: the same entry may come more than once."),
    (r"IndexError.*shape mismatch", "Arrays of indices must have one shape, or fit by broadcasting."),
    (r"IndexError", "You ask for an entry that is not there: how many are there, and where does your loop end?"),
    (r"ZeroDivisionError", "You divide by a number that can be 0: what should come out then?"),
    (r"(truth value of|Boolean value of Tensor)",
     "`if`, `and`, `or` and `not` want one truth value, not an array: np.where, &, | and ~ work entry by entry."),
    (r"(could not be broadcast|must match the size of tensor|Incompatible shapes|broadcast_shapes)",
     "Two shapes do not fit: print both. A wrong slice? Or an axis of length 1 missing, as in a[:, None]?"),
    (r"(matmul|mat1 and mat2|not aligned|inner dimension)",
     "In a matrix product the left has as many columns as the right has rows: look at both shapes."),
    (r"LinAlgError.*[Ss]ingular",
     "That matrix has no inverse: np.linalg.lstsq, or a small number on its diagonal, does without."),
    (r"inhomogeneous", "Parts of different lengths make no array: do you pick the one that you mean, as by [0]?"),
    (r"(return_types|only integer tensors of a single element|multiply sequence by non-int of type 'Tensor')",
     "Something is no tensor there. In PyTorch max along an axis gives values *and* indices: take amax."),
    (r"(received an invalid combination of arguments|unexpected keyword argument '(axis|out|keepdims|where|dtype)')",
     "A NumPy function was given a tensor: take the framework's own, such as torch.amax or keras.ops.max."),
    (r"TypeError.*(positional argument|unexpected keyword)",
     "The function must take the parameters that are given below, in their order."),
    (r"TypeError.*'list'.*|TypeError.*(multiply sequence|list indices)|AttributeError: 'list' object",
     "A list does no arithmetic, and has no such methods: make an array of it, by np.asarray."),
    (r"TypeError.*'NoneType'|AttributeError: 'NoneType'",
     "Something is None there: a function without `return`, or list.append, gives None."),
    (r"TypeError.*(not subscriptable|not iterable|has no len)", "That is a single number, and has no entries."),
    (r"TypeError.*not callable",
     "Round brackets call a function, square ones take entries. Or one of your names hides a function."),
    (r"Cannot cast", "`+=` and the like keep an array's dtype, here whole numbers: make it floats, or a new array."),
    (r"AttributeError", "That kind of object has no such attribute: look at its type."),
    (r"(NameError|UnboundLocalError)",
     "That name has no value there: a slip of the pen, or set in a branch that was not taken?"),
    (r"RecursionError", "It calls itself without end: what ends it?"),
    (r"KeyError", "That key is not in the dictionary."),
)
CONSTANTS = {2: "twice", 0.5: "half", -2: "minus twice", -0.5: "minus half", 10: "ten times", 0.1: "a tenth of",
             100: "a hundred times", 0.01: "a hundredth of", np.log(2): "ln 2 = 0.693 times",
             1 / np.log(2): "1 / ln 2 = 1.443 times", np.pi: "pi times", 2 * np.pi: "2 pi times",
             1 / np.pi: "1 / pi times", np.sqrt(2): "the root of 2 times", 1 / np.sqrt(2): "1 / the root of 2 times"}


def of_exception(complaint):
    """The meaning of an exception's type and message, or of another complaint; "" if there is none."""
    for pattern, text in EXCEPTIONS:
        if found := re.search(pattern, complaint):
            return found.expand(text)
    return ""


def of_outputs(cases, right, got, failing, *, certain):
    """A sentence that is true of outputs that are wrong, or "".

    Parameters
    ----------
    cases : list of dict
    right, got : lists of outputs
    failing : list of int
        The cases that are wrong, and came without an exception.
    certain : bool
        Whether to look for what holds of every wrong case alike; else for what holds of the first.

    Returns
    -------
    str
    """
    failing = failing if certain else failing[:1]
    if not failing:
        return ""
    if isinstance(right[failing[0]], (list, tuple)):
        return _of_lists(cases, right, got, failing, certain)
    pairs = []
    for case in sorted(failing, key=lambda case: 1 in np.shape(right[case])):  # an axis of length 1 says little
        expected, found = np.asarray(right[case]), _numbers(got[case])
        if found is None:
            return ""
        if expected.shape != found.shape:
            return _of_shapes(expected, found, elsewhere=case != failing[0])
        pairs.append((expected.astype(float), found, cases[case]))
    rules = (_not_finite, _constant, _an_input, _flags, _inverted, _scaled, _shifted, _another_function, _normalised,
             _rounded, _unbounded, _reordered) + (() if certain else (_ends,))
    if sum(expected.size for expected, _, _ in pairs) < 2:  # of one number nearly everything can be said
        rules = (_not_finite,)
    return next((text for rule in rules if (text := rule(pairs))), "")


def _of_lists(cases, right, got, failing, certain):
    for case in failing:
        several = isinstance(got[case], (list, tuple)) or isinstance(got[case], np.ndarray) and got[case].ndim > 0
        if not several:
            return f"Return {len(right[case])} values, as a list."
        if len(got[case]) != len(right[case]):
            return f"You return a list of {len(got[case])}; {len(right[case])} values are wanted."
    count = len(right[failing[0]])
    if any(len(right[case]) != count for case in failing):
        return ""
    pairs = [(right[case], got[case]) for case in failing]
    fits = [[_equal(*both) for both in zip(*pair, strict=True)] for pair in pairs]
    if count > 1 and all(all(map(_equal, one, other[::-1])) for one, other in pairs):
        return "These are the right values, in the reverse order."
    if count > 1 and all(any(_equal(a, b) for b in other) for one, other in pairs for a in one):
        return "These are the right values, in another order."
    item = fits[0].index(False)
    text = of_outputs(cases, *({case: values[case][item] for case in failing} for values in (right, got)),
                      [case for case, row in zip(failing, fits, strict=True) if not row[item]], certain=certain)
    if text:
        return f"Of item {item} (from 0): {text}"
    alone = count > 1 and all(row == [i != item for i in range(count)] for row in fits)
    return f"Only item {item} (from 0) is wrong." if alone and certain else ""


def _numbers(value):
    try:
        found = np.asarray(value)
        return found.astype(float) if found.dtype.kind in "fiub" else None
    except (ValueError, TypeError):
        return None


def _equal(one, other):
    one, other = _numbers(one), _numbers(other)
    return one is not None and other is not None and one.shape == other.shape and bool(
        np.allclose(one, other, rtol=1e-4, atol=1e-6, equal_nan=True))


def _of_shapes(expected, got, *, elsewhere):
    """What the shape (and, if that tells more, the content) of an output says."""
    want, have = expected.shape, got.shape
    said = f"{'For another input y' if elsewhere else 'Y'}our result has shape {have}, for {want}: "
    if want == have[::-1] and len(want) > 1:
        return said + ("transpose it." if _equal(expected, got.T) else "the axes are swapped.")
    if [n for n in have if n != 1] == [n for n in want if n != 1]:
        return said + ("an axis of length 1 is left over: index it away, or sum without keepdims."
                       if len(have) > len(want) else "an axis of length 1 is missing: keepdims=True, or [:, None].")
    if not want:
        return f"One number is wanted, not shape {have}: is a sum, a mean or a bracket missing?"
    if not have:
        return f"You give one number for shape {want}: over which axis do you sum, or which number comes first?"
    if len(want) == 1 and have == want * 2:
        return said + f"an array of shape ({want[0]}, 1) that meets one of {want} makes that; drop its second axis."
    if len(have) < len(want):
        return said + "an axis too many was summed over, indexed away or flattened."
    if len(have) > len(want):
        return said + "an axis too few was summed over, or one was added."
    if len(want) == 1:
        return (f"Your result has {have[0]} entries, not {want[0]}: does it go along the other axis, or end at the "
                "wrong place?")
    axis = next(i for i, (a, b) in enumerate(zip(have, want, strict=True)) if a != b)
    return said + f"along axis {axis} there are {have[axis]}, not {want[axis]}."


def _not_finite(pairs):
    if not all((~np.isfinite(got) & np.isfinite(expected)).any() for expected, got, _ in pairs):
        return ""
    zeros = [name for name, value in pairs[0][2].items() if isinstance(value, np.ndarray)
             and value.dtype.kind in "fiu" and (value == 0).any()]
    words = f" (`{zeros[0]}` has zeros)" if len(zeros) == 1 else ""
    return ("NaN or infinity came out: look for a division by 0, a logarithm of 0, the root of a negative number, or "
            f"an exponential that overflows{words}.")


def _constant(pairs):
    first, one = pairs[0][:2]
    if len(pairs) > 2 and all(map(_equal, [one] * len(pairs), [got for _, got, _ in pairs])) and not all(
            _equal(first, expected) for expected, _, _ in pairs):
        return "Your result is the same in every wrong case, whatever is given."
    return "Your result is 0 everywhere." if len(pairs) > 1 and not any(got.any() for _, got, _ in pairs) else ""


def _an_input(pairs):
    if sum(expected.size for expected, _, _ in pairs) < 4:
        return ""  # chance
    for name in pairs[0][2]:
        if all(_equal(case.get(name), got) for _, got, case in pairs):
            return f"You return `{name}` as it came."
    return ""


def _flags(pairs):
    """Wrong wherever an input of 0 and 1, or of True and False, is 1, and only there; or wherever it is 0."""
    for name in pairs[0][2]:
        flags, wrong = [], []
        for expected, got, case in pairs:
            flag = _numbers(case.get(name))
            if flag is None or not flag.ndim or flag.shape != expected.shape[: flag.ndim]:
                break
            flags.append(flag.ravel())
            wrong.append(~np.isclose(expected, got, rtol=1e-4, atol=1e-6).reshape(flag.size, -1).all(axis=-1))
        if len(flags) == len(pairs):
            flags, wrong = np.concatenate(flags), np.concatenate(wrong)
            for value in (0, 1) if len(flags) > 3 else ():
                if set(flags) == {0, 1} and np.array_equal(wrong, flags == value):
                    return f"Right wherever `{name}` is {1 - value}; wrong wherever it is {value}."
    return ""


def _inverted(pairs):
    if all(_equal(expected, -got) for expected, got, _ in pairs):
        return "The sign is the other way round."
    if all(expected.size and expected.min() >= 0 and expected.max() <= 1 and _equal(expected, 1 - got)
           for expected, got, _ in pairs) and not all(_is_order(expected) for expected, _, _ in pairs):
        return "That is 1 minus what is wanted."
    if all(_equal(np.abs(expected), np.abs(got)) for expected, got, _ in pairs):
        return "The sizes are right, some signs are not."
    return ""


def _is_order(values):
    return values.ndim == 1 and np.array_equal(np.sort(values), np.arange(len(values)))


def _sizes(case):
    """Numbers that a case is made of: the lengths of its arrays' axes, and its plain numbers, by name."""
    found = {}
    for name, value in case.items():
        if isinstance(value, np.ndarray):
            for axis, length in enumerate(value.shape):
                found[f"the length of {f'axis {axis} of ' if value.ndim > 1 else ''}`{name}`"] = length
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[f"`{name}`"] = value
    return found


def _explained(pairs, values, powers):
    """The name of a number of the cases that to one of these powers is these values (one a case), and the power."""
    sizes = [_sizes(case) for _, _, case in pairs]
    for name in sizes[0]:
        own = np.array([size.get(name, np.nan) for size in sizes], float)
        with np.errstate(all="ignore"):
            for power in powers if not np.allclose(own, 1) else ():
                if np.allclose(values, own**power, rtol=1e-3):
                    return name, power
    return None, 0


def _scaled(pairs):
    ratios = []
    for expected, got, _ in pairs:
        live = np.abs(expected) > 1e-9
        if not live.any() or np.abs(got[~live]).max(initial=0) > 1e-6:
            return ""
        ratio = got[live] / expected[live]
        if not np.allclose(ratio, ratio.flat[0], rtol=1e-3) or abs(ratio.flat[0]) < 1e-9:
            return ""
        ratios.append(ratio.flat[0])
    if len(pairs) == 1 and pairs[0][0].size < 2:
        return ""
    for value, words in CONSTANTS.items():
        if np.allclose(ratios, value, rtol=1e-3):
            advice = " Natural logarithms, or those to base 2?" if "ln 2" in words else ""
            return f"Your result is {words} what it should be.{advice}"
    name, power = _explained(pairs, ratios, (1, -1, 2, -2))
    if name:
        words = f"{'times' if power > 0 else 'divided by'} {name}{' squared' if abs(power) == 2 else ''}"
        advice = {1: " A sum where a mean is meant?", -1: " A mean where a sum is meant?"}.get(power, "")
        return f"Your result is what it should be, {words}.{advice if 'length' in name else ''}"
    if np.allclose(ratios, 1, rtol=1e-2):
        return ""
    if len(pairs) > 1 and np.allclose(ratios, ratios[0], rtol=1e-3):
        return f"Your result is {ratios[0]:.4g} times what it should be, in every wrong case."
    return "Your result is right but for a factor: by what do you divide, or multiply?" if pairs[0][0].size > 2 else ""


def _shifted(pairs):
    shifts = []
    for expected, got, _ in pairs:
        gap = got - expected
        if not gap.size or not np.isfinite(gap).all() or not np.allclose(gap, gap.flat[0], rtol=1e-3, atol=1e-6):
            return ""
        shifts.append(gap.flat[0])
    if len(pairs) == 1 and pairs[0][0].size < 2:
        return ""
    more = "more" if shifts[0] > 0 else "less"
    if np.allclose(shifts, 1) or np.allclose(shifts, -1):
        if sum(expected.size for expected, _, _ in pairs) < 6:
            return ""  # chance, among small whole numbers
        whole = all(expected.ndim and np.allclose(expected, np.round(expected)) for expected, _, _ in pairs)
        return f"Your result is 1 {more} than it should be, everywhere." + (" Count from 0?" if whole else "")
    name, _ = _explained(pairs, np.abs(shifts), (1,))
    if name and len(pairs) > 1:
        return f"Your result is {more} than it should be by {name}."
    if len(pairs) > 1 and np.allclose(shifts, shifts[0], rtol=1e-3):
        return f"Your result is {abs(shifts[0]):.4g} {more} than it should be, everywhere."
    return ""


FUNCTIONS = ((np.square, "the square of what is wanted: a root is missing"),
             (np.sqrt, "the root of what is wanted: a square is missing, or a root too much"),
             (np.exp, "the exponential of what is wanted"), (np.log, "the logarithm of what is wanted"),
             (np.reciprocal, "1 over what is wanted: numerator and denominator are swapped"))


def _another_function(pairs):
    with np.errstate(all="ignore"):
        for function, words in FUNCTIONS:
            if all(np.isfinite(made := function(expected)).all() and _equal(made, got) for expected, got, _ in pairs):
                return f"That is {words}."
    return ""


def _normalised(pairs):
    def shares(values, axis):
        with np.errstate(all="ignore"):
            return values / values.sum(axis=axis, keepdims=True)

    for axis in (-1, 0, None):
        if all(got.ndim > (axis == 0) and _equal(expected, shares(got, axis)) for expected, got, _ in pairs):
            where = ", along the last axis" if axis == -1 and pairs[0][0].ndim > 1 else ""
            return f"Your numbers are right but for their sum: divide by it{where}."
    if all(got.ndim > 1 and np.allclose(expected.sum(axis=-1), 1) and not np.allclose(got.sum(axis=-1), 1)
           and np.allclose(got.sum(axis=0), 1) for expected, got, _ in pairs):
        return "Your columns sum to 1, the rows should: normalise along the last axis."
    return ""


def _rounded(pairs):
    if not any((np.abs(got) > 1).any() for _, got, _ in pairs) or sum(got.size for _, got, _ in pairs) < 3:
        return ""  # of 0 and 1 alone there may be other reasons
    for function in (np.floor, np.trunc, np.round):
        if all(_equal(function(expected), got) for expected, got, _ in pairs):
            return "The fractions are gone: an array of whole numbers, // or int() cuts them off."
    return ""


def _unbounded(pairs):
    if not any(np.isclose(expected, got).any() for expected, got, _ in pairs):
        return ""
    bounds = ((0, np.inf, "What is below 0 should be 0."), (-np.inf, 1, "What is above 1 should be 1."),
              (0, 1, "Your numbers leave [0, 1]: bound them."))
    return next((text for low, high, text in bounds if all(
        _equal(expected, np.clip(got, low, high)) for expected, got, _ in pairs)), "")


def _reordered(pairs):
    if any(got.size < 3 for _, got, _ in pairs):
        return ""
    if all(got.ndim == 1 and _equal(expected, got[::-1]) for expected, got, _ in pairs):
        return "The right numbers, in the reverse order."
    if all(got.ndim == 1 and any(_equal(expected, np.roll(got, by)) for by in (-1, 1)) for expected, got, _ in pairs):
        return "The right numbers, moved by one place."
    if all(got.ndim == 2 and _equal(expected, got.T) for expected, got, _ in pairs):
        return "Rows and columns are swapped: transpose it."
    if all(_equal(np.sort(expected, axis=None), np.sort(got, axis=None)) for expected, got, _ in pairs):
        return "The right numbers, but not where they belong."
    return ""


def _ends(pairs):
    expected, got, _ = pairs[0]
    if expected.ndim and len(expected) > 2:
        wrong = ~np.isclose(expected, got, rtol=1e-4, atol=1e-6).reshape(len(expected), -1).all(axis=1)
        if wrong[-1] and not wrong[:-1].any():
            return "Only the last entry is wrong: where does your loop, or your slice, end?"
        if wrong[0] and not wrong[1:].any():
            return "Only the first entry is wrong: where does your loop, or your slice, begin?"
        if not got[wrong].any():
            return "The wrong entries are 0: were they never filled?"
    return ""


def unused(exercise, function, run, same):
    """The name of a parameter that the right result depends on and that of `function` does not, or None.

    Parameters
    ----------
    exercise : Exercise
    function : callable
        The learner's.
    run : callable
        `run(function, cases)` gives a list of Answer, of the learner's function or of the reference.
    same : callable
        `same(answer, other)`: whether both answers are equal.
    """
    cases = exercise.draw()
    for name in cases[0]:
        if name in exercise.seeded:
            continue
        moved = 0
        for change in (_another, _mixed, _larger):
            changed = [case | {name: change(case[name])} for case in cases]
            right, theirs = ([run(tried, part) for part in (cases, changed)]
                             for tried in (exercise.reference, function))
            if not all(same(a, b) and not a.complaint for a, b in zip(*theirs, strict=True)):
                break
            moved = max(moved, sum(not (a.complaint or b.complaint or same(a, b)) and _finite(b.output)
                                   for a, b in zip(*right, strict=True)))
        else:
            if moved >= max(2, len(cases) / 3):
                return name
    return None


def _finite(output):
    return all(map(_finite, output)) if isinstance(output, (list, tuple)) else bool(np.isfinite(output).all())


def _another(value):
    """Another value of the same kind."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_another, value))
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 if isinstance(value, int) else 0.7 * value + 0.1
    if not isinstance(value, np.ndarray) or not value.size:
        return value
    if value.dtype.kind == "b" or np.isin(value, (0, 1)).all():
        return np.logical_not(value).astype(value.dtype)
    return (value + np.arange(value.size).reshape(value.shape) % 3 if value.dtype.kind in "iu" else 0.7 * value + 0.1
            ).astype(value.dtype)


def _larger(value):
    """Numbers spread three times as far, or `_another`."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_larger, value))
    floats = isinstance(value, float) or isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return 3 * value if floats and not np.isin(value, (0, 1)).all() else _another(value)


def _mixed(value):
    """The same numbers in another order, or `_another`."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_mixed, value))
    return np.roll(value, 1) if isinstance(value, np.ndarray) and value.size > 1 else _another(value)

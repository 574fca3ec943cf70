"""Pairs of submissions that are alike: a list to look at, and no proof of anything.

Code is compared as a stream of tokens without names, comments and layout, by winnowed fingerprints
(Schleimer, Wilkerson and Aiken, Winnowing: local algorithms for document fingerprinting, SIGMOD 2003). What
was handed out does not count, and what most of a class writes counts less. Code is only read, never run or
imported. (copydetect does the same to folders of files; its last release was in March 2024.)
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import keyword
import re

import numpy as np
import pandas as pd
from scipy import sparse

from course_lib.classroom import submissions
from course_lib.classroom.course import Course
from course_lib.classroom.exports import safe

GRAM, WINDOW = 12, 4  # tokens: any 15 that are the same are found
FEWEST = 15  # fingerprints: less code than that is alike by chance
COMMON = 10  # what more submissions than that have in a function is its usual form, and does not count there
MOST_LETTERS = 400_000  # of a submission: what comes after them is not compared
CELL = "\n\0\n"  # between cells
OURS = "(the course's own answer)"
# Not Python's own tokenizer, which stops at broken code: nothing is hidden by that. Each string ends, at the
# latest with its cell, so that the time is linear.
_TOKEN = re.compile(r"""
    (?P<skip>\#[^\n\0]* | ^[ \t]*[%!][^\n\0]* | [\s\0\\]+)
    | (?P<text>[a-zA-Z]{0,2}(?:\"{3}(?:[^"\\\0]|\\[^\0]|"(?!""))*(?:\"{3})?
        | '{3}(?:[^'\\\0]|\\[^\0]|'(?!''))*(?:'{3})?
        | "(?:[^"\\\n\0]|\\[^\0])*"? | '(?:[^'\\\n\0]|\\[^\0])*'?))
    | (?P<name>(?:\.\s*)?[^\W\d]\w*) | (?P<other>\d[\w.]*|[-+*/%@&|^<>=!:]=|//|\*\*|.)
    """, re.VERBOSE | re.MULTILINE | re.DOTALL)
_KEPT = {*keyword.kwlist, *dir(builtins)}


def similar(course, assignment, *, least=0.6):
    """Pairs of submissions that share much of their code, the most alike first.

    Parameters
    ----------
    course : Course or path-like
    assignment : str
    least : float
        The share from which on a pair is listed: of the shorter one's fingerprints, weighted by how rare they
        are in the class. A copy with other names has 1.

    Returns
    -------
    DataFrame
        "first" and "second" (students; `OURS` is the teacher's notebook, whose answers whoever looks can find),
        "share", "exercise" (the function that is alike, or "whole" if all of the code is, and then no other row),
        "lines" (how many of the first one's are in common).
    """
    course = course if isinstance(course, Course) else Course(course)
    right = "\n".join(source for _, source in submissions.read(course.source(assignment)).code())
    ours = re.sub(r"### BEGIN (SOLUTION|HIDDEN TESTS).*?### END \1", "", right, flags=re.DOTALL)
    given, functions = _grams(ours)[0], sorted(set(re.findall(r"^def (\w+)", ours, re.MULTILINE)))
    folders = sorted(path for path in (course.folder / "submitted").glob("[!.]*") if path.is_dir())
    sources = [right, *(_source(submissions.read(folder / assignment, assignment)) for folder in folders)]
    found = {}
    for part in ("whole", *functions):
        texts = sources if part == "whole" else [_function(source, part) for source in sources]
        prints = [_fingerprints(text, given) for text in texts]
        for i, j, share in _alike(prints, least, len(prints) if part == "whole" else COMMON):
            if (i, j, "whole") not in found:
                found[i, j, part] = (round(share, 3), part, _lines(prints[i], prints[j]))
    names = [OURS, *(safe(folder.name) for folder in folders)]
    rows = sorted(((names[i], names[j], *more) for (i, j, _), more in found.items()),
                  key=lambda row: (-row[2], -row[4], row))
    return pd.DataFrame(rows, columns=["first", "second", "share", "exercise", "lines"])


def _source(submission):
    return CELL.join(source.replace("\0", " ") for _, source in submission.code())[:MOST_LETTERS]


def _function(source, name):
    """The last definition of a function, without what surrounds it."""
    found = re.findall(rf"^(?:async )?def {name}\b[^\n]*(?:\n(?:[ \t#)\]}}][^\n]*)?)*", source, re.MULTILINE)
    return found[-1] if found else ""


def _grams(source):
    """The hashes of all runs of `GRAM` tokens, and their first and last lines: three arrays of one length."""
    words, lines, line, end = [], [], 1, 0
    for match in _TOKEN.finditer(source):
        line, end = line + source.count("\n", end, match.start()), match.start()
        word = match[0]
        if match.lastgroup == "name":
            word = "." + word[1:].strip() if word[0] == "." else word if word in _KEPT else "a name"
        if match.lastgroup != "skip":
            words.append(_number("a text" if match.lastgroup == "text" else word))
            lines.append(line)
    count = max(0, len(words) - GRAM + 1)
    words, hashes = np.array(words, dtype=np.uint64), np.zeros(count, dtype=np.uint64)
    for place in range(GRAM):  # modulo 2^64
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + words[place:place + count]
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return hashes, np.array(lines[:count], int), np.array(lines[GRAM - 1:], int)


@functools.lru_cache(maxsize=100_000)
def _number(word):
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _fingerprints(source, given):
    """What winnowing keeps of `_grams`, the last smallest hash of each window, but for what was given."""
    grams = _grams(source)
    if len(grams[0]) < WINDOW:
        return tuple(part[:0] for part in grams)
    windows = np.lib.stride_tricks.sliding_window_view(grams[0], WINDOW)
    kept = np.unique(np.arange(len(windows)) + WINDOW - 1 - windows[:, ::-1].argmin(axis=1))
    kept = kept[~np.isin(grams[0][kept], given)]
    return tuple(part[kept] for part in grams)


def _alike(prints, least, most):
    """The pairs that share enough of what no more than `most` submissions have, as (i, j, share)."""
    sets = [np.unique(hashes) for hashes, *_ in prints]
    values, columns = np.unique(np.concatenate([np.uint64([0]), *sets]), return_inverse=True)
    ends = np.cumsum([0, *map(len, sets)])
    table = sparse.csr_array((np.ones(ends[-1]), columns[1:], ends), shape=(len(sets), len(values)))
    table = table[:, table.sum(axis=0) <= most]
    table = table[there := np.flatnonzero(np.diff(table.indptr) >= FEWEST)]
    weights = np.log2(1 + len(there) / np.maximum(table.sum(axis=0), 2))
    sizes = table @ weights
    common = sparse.triu(table.multiply(weights[None]).tocsr() @ table.T, k=1).tocoo()
    for a, b, both in zip(common.row, common.col, common.data, strict=True):
        if (share := float(both / min(sizes[a], sizes[b]))) >= least - 1e-9:
            yield int(there[a]), int(there[b]), share


def _lines(one, other):
    """How many lines of the first one's code are in common."""
    spans = zip(*(part[np.isin(one[0], other[0])].tolist() for part in one[1:]), strict=True)
    return len({line for first, last in spans for line in range(first, last + 1)})

"""A corpus that comes with the course's own packages: what their functions and classes say about themselves."""

from __future__ import annotations

import functools
import importlib
import inspect
import re

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

LIBRARIES = {"numpy": ("numpy", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.polynomial", "numpy.ma"),
             "scipy": ("scipy.stats", "scipy.signal", "scipy.optimize", "scipy.linalg", "scipy.special"),
             "sklearn": ("sklearn.metrics", "sklearn.linear_model", "sklearn.ensemble", "sklearn.preprocessing",
                         "sklearn.datasets", "sklearn.model_selection", "sklearn.cluster", "sklearn.decomposition",
                         "sklearn.neighbors", "sklearn.feature_extraction.text"),
             "matplotlib": ("matplotlib.axes._axes", "matplotlib.axes._base", "matplotlib.pyplot",
                            "matplotlib.figure", "matplotlib.artist", "matplotlib.lines",
                            "matplotlib.patches", "matplotlib.text", "matplotlib.ticker", "matplotlib.colors",
                            "matplotlib.image", "matplotlib.collections", "matplotlib.axis")}


@functools.cache
def docstrings():
    """What public functions, classes and methods of four libraries say of themselves, without the libraries' names.

    Returns
    -------
    list of N str, integer array (N,)
        Texts, each once, and whose they are, as an index into `LIBRARIES`.
    """
    owners = {}
    for index, modules in enumerate(LIBRARIES.values()):
        for module in map(importlib.import_module, modules):
            for thing in _public(module):
                text = re.sub("|".join(LIBRARIES), "", inspect.getdoc(thing) or "", flags=re.IGNORECASE)
                owners.setdefault(text, index)
    texts = sorted(text for text in owners if len(text) >= 100)
    return texts, np.array([owners[text] for text in texts])


def bags_of_words(texts, *, words=64):
    """How often each of the most common words stands in each text, as log(1 + count), (N, words); and these words.

    Words of one or two letters and those that are common in any English text do not count.
    """
    counter = CountVectorizer(max_features=words, stop_words="english", token_pattern=r"[a-z]{3,}")
    counts = counter.fit_transform(texts).toarray()
    return np.log1p(counts), counter.get_feature_names_out()


@functools.cache
def load_docstrings(*, return_X_y=True):
    """Bags of 64 words (N, 64), each once, and classes (N,), as scikit-learn's data sets come. Read-only."""
    texts, owners = docstrings()
    bags, first = np.unique(bags_of_words(texts)[0], axis=0, return_index=True)
    owners = owners[first]
    bags.flags.writeable = owners.flags.writeable = False  # shared by all who ask
    return bags, owners


def _public(module):
    listed = getattr(module, "__all__", None)
    for name, thing in sorted(vars(module).items()):
        own = name in listed if listed else getattr(thing, "__module__", "") == module.__name__
        if not own or name.startswith("_") or not callable(thing):
            continue
        yield thing
        if inspect.isclass(thing):
            yield from (method for key, method in sorted(vars(thing).items())
                        if not key.startswith("_") and callable(method))

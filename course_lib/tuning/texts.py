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


@functools.cache
def load_docstrings(*, return_X_y=True):
    """Bags of the 64 most common words, log(1 + count) (N, 64), each once, and classes (N,). Read-only.

    They come as scikit-learn's data sets do.
    """
    texts, owners = docstrings()
    counter = CountVectorizer(max_features=64, stop_words="english", token_pattern=r"[a-z]{3,}")
    bags, first = np.unique(np.log1p(counter.fit_transform(texts).toarray()), axis=0, return_index=True)
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

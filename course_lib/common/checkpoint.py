"""Checkpoints: one file that is always whole, holding arrays and plain values, without pickle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from course_lib.common.files import atomic_write

_FORMAT = "learn-prune-fuse checkpoint 1"


def save(path, state):
    """Write `state` to one file that is replaced in one step: after a crash the old one is still whole.

    Parameters
    ----------
    path : path-like
    state : nested dict (with str keys) or list of arrays, NumPy scalars, str, int, float, bool and None
        Integers may have any size, as those in the state of a NumPy generator.

    Raises
    ------
    ValueError
        If something else is in it; the message says where.
    """
    arrays = {}
    tree = json.dumps({"format": _FORMAT, "state": _encode(state, arrays, "state")})
    with atomic_write(path) as file:
        np.savez(file, tree=np.frombuffer(tree.encode(), np.uint8), **arrays)


def load(path):
    """Read what `save` wrote: the same values, types, shapes and dtypes.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    the state

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is truncated, damaged or not a checkpoint.
    """
    path = Path(path)
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            tree = json.loads(arrays["tree"].tobytes())
            if tree["format"] != _FORMAT:
                raise ValueError(f"format {tree['format']!r}")
            return _decode(tree["state"], arrays)
        except Exception as error:  # a damaged zip file raises nearly anything
            raise ValueError(f"{path} is not a whole checkpoint (expected {_FORMAT!r}, got "
                             f"{type(error).__name__}: {error}); it is damaged or something else: use an "
                             "earlier checkpoint, or train afresh") from error


def load_object(path, kind, framework, names):
    """What an object of the course has saved: a dict of `kind`, `framework` and the other `names`, or a ValueError."""
    data = load(path)
    if not isinstance(data, dict) or (data.get("kind"), data.get("framework")) != (kind, framework):
        got = f"{data.get('kind')} saved by {data.get('framework')}" if isinstance(data, dict) else "something else"
        raise ValueError(f"{path}: expected a {kind} saved by {framework}, got {got}")
    if missing := {*names} - data.keys():
        raise ValueError(f"{path}: expected {', '.join(names)} in it, got none of {', '.join(sorted(missing))}")
    return data


def _encode(value, arrays, where):
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is np.ndarray or isinstance(value, np.generic):
        _check_dtype(value.dtype, where)
        name = f"a{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"scalar" if isinstance(value, np.generic) else "array": name}
    if type(value) is list:
        return [_encode(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                raise ValueError(f"{where}: expected keys of type str, got {key!r}")
        return {"dict": {key: _encode(item, arrays, f"{where}[{key!r}]") for key, item in value.items()}}
    raise ValueError(f"{where}: expected a dict, list, array, str, int, float, bool or None, "
                     f"got {type(value).__module__}.{type(value).__name__}")


def _check_dtype(dtype, where):
    if dtype.hasobject or np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype)) != dtype:
        raise ValueError(f"{where}: expected a dtype that NumPy's file format keeps, got {dtype}; "
                         "convert it first")


def _decode(value, arrays):
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    (kind, content), = value.items()
    if kind == "dict":
        return {key: _decode(item, arrays) for key, item in content.items()}
    return arrays[content] if kind == "array" else arrays[content][()]

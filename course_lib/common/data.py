"""Data sets: scikit-learn's bundled ones, checked downloads, and your own images."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import numpy as np

from course_lib.common.images import Dataset, images_to_npz, read_npz

__all__ = ["Dataset", "data_dir", "fetch", "images_to_npz", "load"]

OFFLINE = ("digits", "diabetes", "breast_cancer", "wine")
_ROOT = Path(__file__).resolve().parents[2]


def load(name, *, seed=0, test_size=0.25):
    """Load a data set by name, or your own images from a file.

    Parameters
    ----------
    name : str or path-like
        "digits", "diabetes", "breast_cancer" or "wine" (offline; features are left as measured), "mnist"
        (downloaded once and checked), or the path of an `.npz` in the layout of Keras's `mnist.npz`.
    seed : int
        Seed of the split of an offline set, stratified by class. The others bring their own split.
    test_size : float
        Share of an offline set that is kept for testing.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        For an unknown name, or a file that is not what it should be.
    ConnectionError
        If a download fails; the message says where to put the file by hand.
    """
    if isinstance(name, os.PathLike) or str(name).endswith(".npz"):
        return read_npz(Path(name), Path(name).stem)
    if name in OFFLINE:
        return _offline(name, seed, test_size)
    if name == "mnist":
        return read_npz(fetch(name), name)
    raise ValueError(f"data set: expected one of {', '.join(OFFLINE)}, mnist, or the path of an .npz file, "
                     f"got {name!r}")


def _offline(name, seed, test_size):
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    bunch = getattr(datasets, f"load_{name}")()
    regression = name == "diabetes"
    x = bunch.images / 16 if name == "digits" else bunch.data
    y = bunch.target.astype(np.float32 if regression else np.int64)
    parts = train_test_split(x.astype(np.float32), y, test_size=test_size, random_state=seed,
                             stratify=None if regression else y)
    classes = () if regression else tuple(str(c) for c in bunch.target_names)
    x_train, x_test, y_train, y_test = parts
    return Dataset(name, "regression" if regression else "classification", x_train, y_train, x_test, y_test,
                   classes)


def data_dir():
    """Folder of downloaded files: COURSE_DATA_DIR, else `data/` of the course."""
    return Path(os.environ.get("COURSE_DATA_DIR") or _ROOT / "data")


def fetch(name):
    """Path of a registered file: taken from the data folder, else downloaded there; checked in both cases.

    Parameters
    ----------
    name : str
        A name in `data/registry.txt`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If the name is unknown, or a file of that name is there but is not the right one.
    ConnectionError
        If no source could be reached, or none gave the right file. Nothing is left behind.
    """
    filename, size, sha256, urls = _registered(name)
    path = data_dir() / filename
    if not path.exists():
        _download(urls, path, size, sha256)
    _verify(path, size, sha256)
    return path


def _registered(name):
    registry = _ROOT / "data" / "registry.txt"
    if not registry.exists():
        raise ValueError(f"{registry} is missing: downloads need a clone of the course, with the library "
                         "installed from it (pip install -e .)")
    entries = {}
    for line in registry.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            key, filename, size, sha256, *urls = line.split()
            entries[key] = filename, int(size), sha256, urls
    if name not in entries:
        raise ValueError(f"registered file: expected one of {', '.join(entries)}, got {name!r}")
    return entries[name]


def _download(urls, path, size, sha256):
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)  # else it logs to stderr, machine paths included
    path.parent.mkdir(parents=True, exist_ok=True)
    troubles = []
    for url in urls:
        try:  # pooch downloads to a temporary file beside `path` and moves it there once the hash is right
            pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent,
                           downloader=_downloader())
            return
        except (OSError, ValueError) as error:
            troubles.append(f"  {url}: {type(error).__name__}: {str(error).splitlines()[0]:.200}")
    raise ConnectionError(
        f"{path.name} could not be downloaded:\n" + "\n".join(troubles) + f"\nPut the file there yourself as "
        f'{path} ({size:,} bytes, SHA-256 {sha256}), or stay offline with load("digits")')


def _downloader():
    import pooch

    return pooch.HTTPDownloader(timeout=30, progressbar=False)


def _verify(path, size, sha256):
    found = path.stat().st_size
    if found != size:
        problem = f"expected {size:,} bytes, found {found:,}" + (" (truncated?)" if found < size else "")
    else:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest == sha256:
            return
        problem = f"expected SHA-256 {sha256}, found {digest}"
    raise ValueError(f"{path} is not the registered file: {problem}. Delete it and run this again, or, if it "
                     "is your own data, keep it under another name and load it by its path")

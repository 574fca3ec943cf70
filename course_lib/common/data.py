"""Data sets: scikit-learn's bundled ones, shapes of our own, checked downloads, and your own images."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.common import checks, shapes
from course_lib.common.files import atomic_write, check_writable

__all__ = ["Dataset", "data_dir", "fetch", "images_to_npz", "load"]

OFFLINE = ("digits", "diabetes", "breast_cancer", "wine", "shapes")
_ROOT = Path(__file__).resolve().parents[2]
_KEYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Arrays split into a training and a test part."""

    name: str
    task: str  # "classification" or "regression"
    x_train: np.ndarray  # float32: images (n, height, width[, channels]) in [0, 1], else (n, features)
    y_train: np.ndarray  # int64 classes counted from 0, or float32 targets; (n,)
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]  # names of the classes; empty for regression


def load(name, *, seed=0, test_size=0.25):
    """Load a data set by name, or your own images from a file.

    Parameters
    ----------
    name : str or path-like
        "digits", "diabetes", "breast_cancer" or "wine" (offline; features are left as measured), "shapes" (offline,
        4,000 images of 28 x 28 pixels, drawn by `shapes.draw`), "mnist" (downloaded once and checked), or the path of
        an `.npz` in the layout of Keras's `mnist.npz`.
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
        return _read_npz(Path(name), Path(name).stem)
    if name in OFFLINE:
        return _offline(name, seed, test_size)
    if name == "mnist":
        return _read_npz(fetch(name), name)
    raise ValueError(f"data set: expected one of {', '.join(OFFLINE)}, mnist, or the path of an .npz file, "
                     f"got {name!r}")


def _offline(name, seed, test_size):
    from sklearn.model_selection import train_test_split

    if not 0 < test_size < 1:
        raise ValueError(f"test_size: expected a share between 0 and 1, got {test_size!r}")
    seed = checks.seed(seed)
    x, y, classes = _drawn() if name == "shapes" else _bundled(name)
    parts = train_test_split(x.astype(np.float32), y, test_size=test_size, random_state=seed,
                             stratify=y if classes else None)
    x_train, x_test, y_train, y_test = parts
    return Dataset(name, "classification" if classes else "regression", x_train, y_train, x_test, y_test, classes)


def _bundled(name):
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    x = bunch.images / 16 if name == "digits" else bunch.data
    if name == "diabetes":
        return x, bunch.target.astype(np.float32), ()
    return x, bunch.target.astype(np.int64), tuple(str(c) for c in bunch.target_names)


def _drawn():
    labels = np.arange(4_000) % len(shapes.CLASSES)
    return shapes.draw(labels, np.random.default_rng(0)), labels, shapes.CLASSES


def data_dir():
    """Folder of downloaded files: COURSE_DATA_DIR, else `data/` of the course."""
    return Path(os.environ.get("COURSE_DATA_DIR") or _ROOT / "data").expanduser()


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


def _read_npz(path, name):
    """Read and check images in the layout of Keras's `mnist.npz` (see `load`); returns a Dataset."""
    if not path.exists():
        raise ValueError(f"{path}: no such file; expected an .npz with {', '.join(_KEYS)}")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in (*_KEYS, "classes") if key in stored}
    except Exception as error:  # a damaged zip file raises nearly anything, and NumPy advises to unpickle it
        raise ValueError(f"{path}: expected a whole .npz file of plain arrays, got one that is damaged, something "
                         f"else, or holds Python objects ({type(error).__name__})") from error
    missing = [key for key in _KEYS if key not in arrays]
    if missing:
        raise ValueError(f"{path}: expected the arrays {', '.join(_KEYS)}; missing: {', '.join(missing)}")
    for part in ("train", "test"):
        _check_images(path, arrays, part)
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise ValueError(f"{path}: expected images of one shape, got x_train {arrays['x_train'].shape} "
                         f"and x_test {arrays['x_test'].shape}")
    x_train, y_train, x_test, y_test = (arrays[key] for key in _KEYS)
    count, seen = int(max(y_train.max(), y_test.max())) + 1, len(np.union1d(y_train, y_test))
    if "classes" not in arrays and count > 2 * seen + 10:
        raise ValueError(f"{path}: expected classes counted from 0 without large gaps, got numbers up to {count - 1:,} "
                         f"of only {seen} classes; np.unique(y, return_inverse=True)[1] counts them anew")
    classes = tuple(str(c) for c in arrays.get("classes", range(count)))
    if len(classes) < count:
        raise ValueError(f"{path}: expected a name for each of {count:,} classes, got {len(classes)}")
    return Dataset(name, "classification", _scaled(x_train), y_train.astype(np.int64), _scaled(x_test),
                   y_test.astype(np.int64), classes)


def _check_images(path, arrays, part):
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
    if x.ndim not in (3, 4) or len(x) == 0:
        raise ValueError(f"{path}: x_{part}: expected images (n, height, width) or (n, height, width, "
                         f"channels), got shape {x.shape}")
    if y.shape != (len(x),):
        raise ValueError(f"{path}: y_{part}: expected shape ({len(x)},), one class an image, got {y.shape}")
    if y.dtype.kind not in "iu" or y.min() < 0:
        lowest = f", the smallest {y.min()}" if y.dtype.kind in "iufb" else ""
        raise ValueError(f"{path}: y_{part}: expected whole numbers counted from 0, got {y.dtype}{lowest}")
    if x.dtype != np.uint8 and not (x.dtype.kind == "f" and x.min() >= 0 and x.max() <= 1):
        span = f" from {x.min()} to {x.max()}" if x.dtype.kind in "iufb" else ""
        raise ValueError(f"{path}: x_{part}: expected uint8, or floats in [0, 1], got {x.dtype}{span}")


def _scaled(x):
    return x.astype(np.float32) / 255 if x.dtype == np.uint8 else x.astype(np.float32)


def images_to_npz(folder, path, *, size=(28, 28), test_size=0.2, seed=0):
    """Pack a folder of images, one subfolder a class, into an `.npz` that `load` reads.

    Parameters
    ----------
    folder, path : path-like
    size : tuple of int
        Width and height in pixels that each image is resized to, in grey.
    test_size : float
        Share of the images of each class that is kept for testing, at least one of each.
    seed : int
        Seed of the split.

    Images are turned as their camera says (EXIF), what is transparent is white, and 16-bit grey becomes 8-bit.

    Raises
    ------
    ValueError
        If there are fewer than two images in some class, or no class at all; or if one cannot be read.
    """
    from PIL import Image

    if not str(path).endswith(".npz"):
        raise ValueError(f"path: expected a name that ends in .npz, got {str(path)!r}")
    names = sorted(sub.name for sub in Path(folder).glob("[!.]*") if sub.is_dir())
    endings = Image.registered_extensions()
    files = [[f for f in sorted((Path(folder) / n).iterdir()) if f.suffix.lower() in endings] for n in names]
    if not names or min(map(len, files)) < 2:
        raise ValueError(f"{folder}: expected a subfolder per class with two images or more, "
                         f"got {dict(zip(names, map(len, files), strict=True))}")
    if not 0 < test_size < 1:
        raise ValueError(f"test_size: expected a share between 0 and 1, got {test_size!r}")
    checks.sizes(size=tuple(size))
    check_writable(path, "path")
    x = np.stack([_grey(file, size) for group in files for file in group])
    y = np.repeat(np.arange(len(names)), [len(group) for group in files])
    rng, test = np.random.default_rng(checks.seed(seed)), np.zeros(len(y), bool)
    for label, group in enumerate(files):
        kept = min(max(round(test_size * len(group)), 1), len(group) - 1)
        test[rng.choice(np.flatnonzero(y == label), kept, replace=False)] = True
    x_train, x_test, y_train, y_test = x[~test], x[test], y[~test], y[test]
    with atomic_write(path) as file:
        np.savez_compressed(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test,
                            classes=np.array(names))


def _grey(path, size):
    """An image file as grey values (height, width), uint8."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            if image.mode.startswith("I"):  # 16 bits a pixel, which `convert` would cut off at 255
                values = np.asarray(image, np.int64)
                if not 0 <= values.min() <= values.max() < 2**16:
                    raise ValueError(f"values from {values.min()} to {values.max()}")
                image = Image.fromarray((values / 257).round().astype(np.uint8))
            elif image.mode == "F":
                raise ValueError("floats, whose range nobody knows")
            elif image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            return np.asarray(image.convert("L").resize(size))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: expected an image of 8 or 16 bits a pixel, got {error}") from error

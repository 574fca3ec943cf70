"""Images as arrays: the layout of Keras's `mnist.npz`, checked, and how to make one from a folder."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.common.files import atomic_write

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


def read_npz(path, name):
    """Read and check images in the layout of Keras's `mnist.npz` (see `data.load`); returns a Dataset."""
    if not path.exists():
        raise ValueError(f"{path}: no such file; expected an .npz with {', '.join(_KEYS)}")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in (*_KEYS, "classes") if key in stored}
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected a whole .npz file of plain arrays, got {error}") from error
    missing = [key for key in _KEYS if key not in arrays]
    if missing:
        raise ValueError(f"{path}: expected the arrays {', '.join(_KEYS)}; missing: {', '.join(missing)}")
    for part in ("train", "test"):
        _check_images(path, arrays, part)
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise ValueError(f"{path}: expected images of one shape, got x_train {arrays['x_train'].shape} "
                         f"and x_test {arrays['x_test'].shape}")
    x_train, y_train, x_test, y_test = (arrays[key] for key in _KEYS)
    count = int(max(y_train.max(), y_test.max())) + 1
    classes = tuple(str(c) for c in arrays.get("classes", range(count)))
    if len(classes) < count:
        raise ValueError(f"{path}: expected a name for each of {count} classes, got {len(classes)}")
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
        raise ValueError(f"{path}: y_{part}: expected whole numbers counted from 0, got {y.dtype}, "
                         f"the smallest {y.min()}")
    if x.dtype != np.uint8 and not (x.dtype.kind == "f" and x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"{path}: x_{part}: expected uint8, or floats in [0, 1], got {x.dtype} "
                         f"from {x.min()} to {x.max()}")


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
        Share of the images of each class that is kept for testing.
    seed : int
        Seed of the split.

    Raises
    ------
    ValueError
        If there are fewer than two images in some class, or no class at all.
    """
    from PIL import Image
    from sklearn.model_selection import train_test_split

    if not str(path).endswith(".npz"):
        raise ValueError(f"path: expected a name that ends in .npz, got {str(path)!r}")
    names = sorted(sub.name for sub in Path(folder).glob("[!.]*") if sub.is_dir())
    endings = Image.registered_extensions()
    files = [[f for f in sorted((Path(folder) / n).iterdir()) if f.suffix.lower() in endings] for n in names]
    if not names or min(map(len, files)) < 2:
        raise ValueError(f"{folder}: expected a subfolder per class with two images or more, "
                         f"got {dict(zip(names, map(len, files), strict=True))}")
    x = np.stack([np.asarray(Image.open(f).convert("L").resize(size)) for group in files for f in group])
    y = np.repeat(np.arange(len(names)), [len(group) for group in files])
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=max(test_size, len(names) / len(y)),
                                                        random_state=seed, stratify=y)
    with atomic_write(path) as file:
        np.savez_compressed(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test,
                            classes=np.array(names))

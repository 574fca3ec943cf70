import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.common import data

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"x_train": np.array([[[0, 255]], [[51, 102]]], np.uint8), "y_train": np.array([0, 2], np.uint8),
        "x_test": np.array([[[255, 0]]], np.uint8), "y_test": np.array([1])}


def written(path, **changes):
    arrays = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("as_type", [str, Path])
def test_own_images_become_floats_in_the_unit_interval(as_type, tmp_path):
    ds = data.load(as_type(written(tmp_path / "mine.npz")))
    assert ds.x_train.dtype == np.float32
    assert ds.x_train.ravel().tolist() == pytest.approx([0, 1, 0.2, 0.4])
    assert (ds.y_train.tolist(), ds.y_test.tolist(), ds.y_train.dtype) == ([0, 2], [1], np.int64)
    assert (ds.name, ds.task, ds.classes) == ("mine", "classification", ("0", "1", "2"))


def test_floats_and_colour_images_and_named_classes_are_kept(tmp_path):
    x = np.random.default_rng(0).random((2, 4, 5, 3))
    ds = data.load(written(tmp_path / "c.npz", x_train=x, x_test=x[:1], classes=np.array(["a", "b", "c"])))
    assert ds.x_train == pytest.approx(x) and ds.x_train.dtype == np.float32
    assert ds.classes == ("a", "b", "c")


@pytest.mark.parametrize("changes, message", [
    ({"y_test": None}, "missing: y_test"),
    ({"x_train": np.zeros((2, 4), np.uint8)}, "x_train: expected images"),
    ({"x_train": np.zeros((0, 1, 2), np.uint8), "y_train": np.zeros(0, int)}, "x_train: expected images"),
    ({"y_train": np.array([0, 1, 2])}, r"y_train: expected shape \(2,\)"),
    ({"y_train": np.array([[0], [1]])}, r"y_train: expected shape \(2,\)"),
    ({"y_train": np.array([0.0, 1.0])}, "y_train: expected whole numbers"),
    ({"y_test": np.array([-1])}, "y_test: expected whole numbers"),
    ({"x_test": np.zeros((1, 3, 3), np.uint8)}, "images of one shape"),
    ({"x_test": np.full((1, 1, 2), 255.0)}, r"floats in \[0, 1\]"),
    ({"x_test": np.full((1, 1, 2), np.nan)}, r"floats in \[0, 1\]"),
    ({"x_test": np.full((1, 1, 2), 255)}, "expected uint8"),
    ({"y_train": np.array([0, None], object)}, "plain arrays"),
    ({"classes": np.array(["only one"])}, "a name for each of 3 classes"),
])
def test_a_file_of_another_layout_is_refused_by_name(changes, message, tmp_path):
    with pytest.raises(ValueError, match=rf"mine\.npz.*{message}"):
        data.load(written(tmp_path / "mine.npz", **changes))


@pytest.mark.parametrize("content", [b"", b"hello", "cut", "npy"])
def test_what_is_no_npz_is_refused(content, tmp_path):
    path = written(tmp_path / "mine.npz")
    if content == "npy":
        with open(path, "wb") as file:
            np.save(file, np.ones(3))
    else:
        path.write_bytes(path.read_bytes()[:-40] if content == "cut" else content)
    with pytest.raises(ValueError, match=r"mine\.npz: expected a whole \.npz"):
        data.load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        data.load(tmp_path / "none.npz")


def test_a_folder_of_pictures(tmp_path):
    for name, level in (("cat", 0), ("dog", 255)):
        (tmp_path / "pics" / name).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (9, 7), (level,) * 3).save(tmp_path / "pics" / name / f"{i}.png")
    (tmp_path / "pics" / "cat" / "notes.txt").write_text("not a picture")
    for seed in range(4):
        data.images_to_npz(tmp_path / "pics", tmp_path / "pets.npz", size=(6, 4), seed=seed)
        ds = data.load(tmp_path / "pets.npz")
        assert sorted(ds.y_test) == [0, 1]  # one of each class, whatever the seed
    assert ds.classes == ("cat", "dog")
    assert (ds.x_train.shape, ds.x_test.shape) == ((8, 4, 6), (2, 4, 6))
    assert (ds.x_train == ds.y_train[:, None, None]).all()  # black cats, white dogs
    assert sorted(os.listdir(tmp_path)) == ["pets.npz", "pics"]


def test_a_folder_without_classes(tmp_path):
    with pytest.raises(ValueError, match="subfolder per class"):
        data.images_to_npz(tmp_path, tmp_path / "x.npz")
    with pytest.raises(ValueError, match="ends in .npz"):
        data.images_to_npz(tmp_path, tmp_path / "x.zip")


def test_mnist_where_it_lies():
    path = Path(os.environ.get("COURSE_TEST_DATA", ROOT.parent / "shared" / "datasets")) / "mnist.npz"
    if not path.exists():
        pytest.skip("no MNIST beside the repository")
    ds = data.load(path)
    assert (ds.x_train.shape, ds.x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert (ds.x_test.max(), len(ds.classes)) == (1, 10)

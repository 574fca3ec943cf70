import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from course_lib.common import data, shapes

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"not really the digits, but as good for a test"
GOOD = {"x_train": np.array([[[0, 255]], [[51, 102]]], np.uint8), "y_train": np.array([0, 2], np.uint8),
        "x_test": np.array([[[255, 0]]], np.uint8), "y_test": np.array([1])}


@pytest.mark.parametrize("name, task, train, test, classes", [
    ("digits", "classification", (1347, 8, 8), (450, 8, 8), 10),
    ("diabetes", "regression", (331, 10), (111, 10), 0),
    ("breast_cancer", "classification", (426, 30), (143, 30), 2),
    ("wine", "classification", (133, 13), (45, 13), 3),
    ("shapes", "classification", (3000, 28, 28), (1000, 28, 28), 10),
])
def test_offline_sets(name, task, train, test, classes):
    ds = data.load(name)
    assert (ds.name, ds.task, ds.x_train.shape, ds.x_test.shape) == (name, task, train, test)
    assert ds.x_train.dtype == np.float32 and ds.x_test.dtype == np.float32
    assert ds.y_train.shape == train[:1] and ds.y_test.shape == test[:1]
    assert len(ds.classes) == classes
    if classes:
        assert ds.y_train.dtype == np.int64
        counts = np.bincount(ds.y_train) / len(ds.y_train) - np.bincount(ds.y_test) / len(ds.y_test)
        assert np.abs(counts).max() < 0.02  # stratified


def test_digits_are_images_in_the_unit_interval():
    ds = data.load("digits")
    assert (ds.x_train.min(), ds.x_train.max()) == (0, 1)
    assert ds.classes == tuple("0123456789")


def test_shapes_can_be_told_apart_and_differ_within_a_class():
    labels = np.repeat(np.arange(10), 30)
    images = shapes.draw(labels, np.random.default_rng(1))
    assert images.dtype == np.float32 and (images.min(), images.max()) == (0, 1)
    assert (images.reshape(300, -1).sum(axis=1) > 10).all()  # none is empty
    edge = np.ones((28, 28), bool)
    edge[1:-1, 1:-1] = False
    assert (images[:, edge].max(axis=1) > 0).mean() < 0.02  # hardly one touches the edge
    np.testing.assert_array_equal(images, shapes.draw(labels, np.random.default_rng(1)))
    for wrong, what in (([], "shape"), ([10], "from 0 to 9|<= 9|9"), ([0.5], "whole numbers")):
        with pytest.raises(ValueError, match=f"labels: expected.*({what})"):
            shapes.draw(wrong, np.random.default_rng(0))
    found = data.load("shapes")
    model = KNeighborsClassifier(1).fit(found.x_train.reshape(3000, -1), found.y_train)
    assert 0.8 < model.score(found.x_test.reshape(1000, -1), found.y_test) < 1
    assert len(np.unique(found.x_train, axis=0)) == 3000


def test_the_split_is_fixed_by_the_seed():
    a, b, c = data.load("wine", seed=1), data.load("wine", seed=1), data.load("wine", seed=2)
    assert (a.x_test == b.x_test).all()
    assert (a.x_test != c.x_test).any()


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="digits, diabetes, breast_cancer, wine, shapes, mnist.*got 'iris'"):
        data.load("iris")


# --- downloads, with the network played by a function


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """A registry with one file of two addresses; returns the data folder."""
    root, folder = tmp_path / "course", tmp_path / "files"
    (root / "data").mkdir(parents=True)
    digest = hashlib.sha256(CONTENT).hexdigest()
    (root / "data" / "registry.txt").write_text(
        f"# comment\n\ntiny tiny.bin {len(CONTENT)} {digest} https://one.example/t https://two.example/t\n")
    monkeypatch.setattr(data, "_ROOT", root)
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    return folder


def network(monkeypatch, answers):
    """Answer each address with bytes or an exception; returns the list of addresses asked."""
    asked = []

    def download(url, output_file, pooch):
        asked.append(url)
        answer = answers[url]
        with open(output_file, "wb") as file:
            file.write(CONTENT[:5] if isinstance(answer, Exception) else answer)
        if isinstance(answer, Exception):
            raise answer

    monkeypatch.setattr(data, "_downloader", lambda: download)
    return asked


ONE, TWO = "https://one.example/t", "https://two.example/t"


def test_downloaded_once_then_used(registered, monkeypatch):
    asked = network(monkeypatch, {ONE: CONTENT})
    assert data.fetch("tiny") == registered / "tiny.bin"
    assert data.fetch("tiny").read_bytes() == CONTENT
    assert asked == [ONE]


@pytest.mark.parametrize("trouble", [ConnectionError("no route"), b"wrong", CONTENT[:-1] + b"!"])
def test_the_mirror_is_asked_when_the_first_address_fails(trouble, registered, monkeypatch):
    asked = network(monkeypatch, {ONE: trouble, TWO: CONTENT})
    assert data.fetch("tiny").read_bytes() == CONTENT
    assert asked == [ONE, TWO]


def test_without_network_the_message_says_where_to_put_the_file(registered, monkeypatch):
    network(monkeypatch, {ONE: ConnectionError("no route"), TWO: b"wrong"})
    message = r'(?s)one.example.*no route.*two.example.*tiny.bin.*load\("digits"\)'
    with pytest.raises(ConnectionError, match=message):
        data.fetch("tiny")
    assert os.listdir(registered) == []  # nothing half-written


def test_a_file_put_there_by_hand_is_used_without_network(registered, monkeypatch):
    asked = network(monkeypatch, {})
    registered.mkdir()
    (registered / "tiny.bin").write_bytes(CONTENT)
    assert data.fetch("tiny") == registered / "tiny.bin"
    assert asked == []


@pytest.mark.parametrize("content, problem", [
    (CONTENT[:-3], f"expected {len(CONTENT)} bytes, found {len(CONTENT) - 3} .truncated"),
    (CONTENT[:-1] + b"!", "expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}"),
])
def test_a_wrong_file_is_refused_and_left_alone(content, problem, registered, monkeypatch):
    asked = network(monkeypatch, {})
    registered.mkdir()
    (registered / "tiny.bin").write_bytes(content)
    with pytest.raises(ValueError, match=f"tiny.bin is not the registered file: {problem}.*Delete it"):
        data.fetch("tiny")
    assert (registered / "tiny.bin").read_bytes() == content
    assert asked == []


def test_unknown_or_missing_registry(registered, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="expected one of tiny, got 'huge'"):
        data.fetch("huge")
    monkeypatch.setattr(data, "_ROOT", tmp_path)
    with pytest.raises(ValueError, match="clone of the course"):
        data.fetch("tiny")


def test_the_shipped_registry_and_its_cards_agree(monkeypatch):
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    assert data.data_dir() == ROOT / "data"
    filename, size, sha256, urls = data._registered("mnist")
    assert (filename, size, len(sha256)) == ("mnist.npz", 11490434, 64)
    card = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for fact in (filename, f"{size:,} bytes", sha256, *urls):
        assert fact in card
    assert all(url.startswith("https://") for url in urls)


# Your own images.


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

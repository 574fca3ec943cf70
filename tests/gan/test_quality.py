import numpy as np
import pytest
from gan import affine, augmentation, leakage

from course_lib.common import data
from course_lib.gan.quality import Judge, stack


@pytest.fixture(scope="module")
def judge():
    return Judge(data.load("digits"))


def test_real_images_get_the_floor_and_noise_gets_far_from_it(judge):
    x, y = judge.data.x_train, judge.data.y_train
    real, noise = judge.quality(x, y), judge.quality(np.random.default_rng(0).random(x.shape), y)
    assert real.frechet == judge.floor < 1.5 and noise.frechet > 100 * judge.floor
    assert real.precision == real.recall == real.coverage == 1 and noise.precision < 0.1 and noise.coverage < 0.1
    assert real.accuracy_score > 0.96 and noise.accuracy_score < 0.3
    assert real.looks_like_label > 0.99 and noise.looks_like_label < 0.2


def test_each_fault_shows_where_it_should(judge):
    x, y = judge.data.x_train, judge.data.y_train
    copies = judge.quality(x[500:], y[500:])
    first = np.array([np.flatnonzero(y == label)[0] for label in range(10)])
    one_each = judge.quality(np.clip(x[first[y]] + np.random.default_rng(0).uniform(0, 0.02, x.shape), 0, 1), y)
    blurred = judge.quality(np.stack([(image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3 for image in x]), y)
    wrong = judge.quality(x, (y + 1) % 10)
    assert copies.memorised == 1 and copies.precision == 1 and copies.frechet < 3 * judge.floor
    assert one_each.looks_like_label > 0.99 and one_each.precision > 0.99
    assert one_each.coverage < 0.2 and one_each.recall < 0.3 and one_each.accuracy_score < 0.9
    assert blurred.frechet > 5 * judge.floor and blurred.precision < 0.9
    assert wrong.frechet == judge.floor and wrong.accuracy_score < 0.05 > wrong.looks_like_label


def test_triples_are_counted_and_noise_is_found_out_by_those_that_are_sure(judge):
    x, y, rng = judge.data.x_train, judge.data.y_train, np.random.default_rng(0)
    first = np.array([x[y == label][0] for label in range(10)])
    assert stack(first[3:4], 2, rng).tolist() == [np.hstack([first[3]] * 3).tolist()] * 2
    every = np.array([np.hstack(first[[a, b, c]]) for a in range(10) for b in range(10) for c in range(10)])
    assert judge.triples(every)[:2] == (1000, 1000) and judge.triples(every).divergence == pytest.approx(0)
    half = judge.triples(np.concatenate([every[:500], every[:500]]))
    assert half.found == 500 and half.divergence == pytest.approx(np.log(2))
    real, noise = judge.triples(stack(judge.data.x_test, 20_000, rng)), judge.triples(rng.random((20_000, 8, 24)))
    assert real.found_surely == 1000 and real.sure > 0.7 and real.divergence < 0.05
    assert noise.found > 800 and noise.found_surely < 100 and noise.sure < 0.01
    with pytest.raises(ValueError, match=r"x: expected shape \(M, 8, 24\), got \(4, 8, 8\)"):
        judge.triples(x[:4])
    with pytest.raises(ValueError, match="expected a judge of images of ten classes, got wine"):
        Judge(data.load("wine"), updates=1).triples(x[:4])


def test_other_data_are_refused():
    with pytest.raises(ValueError, match="expected a data set for classification, got diabetes"):
        Judge(data.load("diabetes"))


def test_affine():
    images = np.zeros((2, 8, 8), np.float32)
    images[:, 3:5, 3:5] = 1
    turned = affine(images, 50)
    assert turned.shape == (100, 8, 8) and turned.dtype == np.float32 and 0 <= turned.min() <= turned.max() <= 1
    assert turned.sum((1, 2)).mean() == pytest.approx(4, rel=0.1)  # nothing is lost on average
    rows = (turned.sum(2) * np.arange(8)).sum(1) / turned.sum((1, 2))
    assert rows.mean() == pytest.approx(3.5, abs=0.15) and 0.1 < rows.std() < 0.6


def test_experiments_with_a_gan_that_has_hardly_begun(twin):
    module, digits = twin("gan"), data.load("digits")
    config = module.GANConfig(hidden=(16,), steps=20, record_every=20)
    found = augmentation(module, digits, labels=50, copies=2, config=config)
    assert list(found) == ["labels alone", "affine", "GAN", "affine + GAN", "pseudo-labels", "GAN of pseudo-labels",
                           "GAN of all labels"]
    assert found["GAN of all labels"] < found["labels alone"] < 0.95  # it draws mostly noise
    assert found["affine + GAN"] < found["affine"] + 0.03
    assert 0.3 < leakage(module, digits, members=200, config=config) < 0.7


def test_images_on_another_scale_or_of_another_shape_are_refused(judge):
    x, y = judge.data.x_train, judge.data.y_train
    for wrong, message in ((x * 255, r"images in \[0, 1\], got values from 0.0 to 255.0"),
                           (x * 2 - 1, r"images in \[0, 1\]"), (x[:, :6], r"of shape \(8, 8\)")):
        with pytest.raises(ValueError, match=message):
            judge.quality(wrong, y)
    with pytest.raises(ValueError, match="expected at least 64 images"):
        judge.quality(x[:50], y[:50])

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.gan import pictures
from course_lib.gan.base import History


def test_mosaic_by_hand():
    images = np.array([[[0.0, 1.0]], [[0.25, 0.5]], [[1.0, 1.0]]])  # three images of 1 x 2
    np.testing.assert_array_equal(pictures.mosaic(images, 2), [[1, 0, 1, 0.75, 0.5], [1, 1, 1, 1, 1], [0, 0, 1, 1, 1]])
    with pytest.raises(ValueError, match=r"got \(3, 2\), 2"):
        pictures.mosaic(images[:, 0], 2)


def test_show_draws_without_axes():
    ax = Figure().subplots()
    assert pictures.show(ax, np.ones((4, 3, 3)), 2, title="t") is ax
    assert ax.images[0].get_array().shape == (7, 7) and not ax.axison and ax.get_title() == "t"


def test_points_film_has_a_frame_for_each_entry():
    rng = np.random.default_rng(0)
    histories = {name: History(np.zeros(5), step=[0, 10, 20], samples=list(rng.normal(size=(3, 5, 2))))
                 for name in "ab"}
    frames = pictures.points_film(histories, rng.normal(size=(20, 2)))
    assert len(frames) == 3 and {frame.shape for frame in frames} == {(290, 520, 3)} and frames[0].dtype == np.uint8
    assert (frames[0] != frames[1]).any() and (frames[0] < 255).any()

import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from course_lib.common import notebook, plotting
from course_lib.common.claims import paired_difference


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_style_holds_inside_the_context_only():
    before = dict(matplotlib.rcParams)
    with plotting.style():
        colours = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
        assert colours[:3] == ["#0072B2", "#D55E00", "#009E73"]  # Okabe & Ito's blue, vermilion, green
    assert dict(matplotlib.rcParams) == before


def test_style_leaves_interactive_mode_alone():
    before = matplotlib.is_interactive()
    try:
        matplotlib.interactive(False)
        with plotting.style():
            matplotlib.interactive(True)  # as Jupyter's backend does when the first figure is made
        assert matplotlib.is_interactive()
        with pytest.raises(ZeroDivisionError), plotting.style():
            matplotlib.interactive(False)
            1 / 0  # noqa: B018
        assert not matplotlib.is_interactive()
    finally:
        matplotlib.interactive(before)


def test_band_draws_median_and_quartiles(ax):
    runs = np.array([[0, 10], [1, 11], [2, 12], [3, 13], [40, 14]])
    assert plotting.band(ax, [5, 6], runs, label="DQN") is ax
    (line,) = ax.lines
    assert line.get_ydata().tolist() == [2, 12]
    assert line.get_label() == "DQN (5 seeds)"
    vertices = {tuple(v) for v in ax.collections[0].get_paths()[0].vertices}
    assert vertices == {(5, 1), (6, 11), (5, 3), (6, 13)}
    assert ax.get_legend().get_title().get_text() == "median; band: middle half of the seeds"


def test_band_leaves_out_what_no_run_reached_and_survives_one_seed(ax):
    plotting.band(ax, [0, 1, 2], [[1, np.nan, np.nan], [3, 4, np.nan]])
    assert ax.lines[0].get_xydata().tolist() == [[0, 2], [1, 4]]
    assert ax.get_legend() is None
    plotting.band(ax, [0, 1], [[7, 8]], label="one")
    assert ax.lines[1].get_label() == "one (1 seed)"


@pytest.mark.parametrize("x, runs", [([0, 1], [1, 2]), ([0, 1], [[1, 2, 3]]), ([], np.zeros((0, 0)))])
def test_band_refuses_other_shapes(x, runs, ax):
    with pytest.raises(ValueError, match="n_seeds, n_points"):
        plotting.band(ax, x, runs)


def test_a_figure_is_shown_with_words_for_those_who_cannot_see_it(monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "get_backend", lambda: "inline")
    monkeypatch.setattr("IPython.display.display", lambda fig, metadata: shown.append((fig, metadata)))
    with plotting.figure(1, 2) as (fig, axes):
        axes[0].plot([1, 2], label="a line")
        axes[0].set(title="One", xlabel="time", ylabel="height\nin m")
        axes[0].legend()
        axes[1].set(xlabel="speed")
    with plotting.figure(alt="own words"):
        pass
    words = "Picture of 2 panels. One; height in m against time; a line. speed."
    assert shown[0] == (fig, {"image/png": {"alt": words}})
    assert shown[1][1] == {"image/png": {"alt": "own words"}} and not plt.get_fignums()


def moving_square(n):
    frames = np.full((n, 100, 200, 3), 255, np.uint8)
    for i in range(n):
        frames[i, 40:60, 5 * i : 5 * i + 20] = (0, 114, 178)
    return frames


def test_animation_plays_every_frame():
    shown = plotting.animation(moving_square(10), fps=25, width=100, alt="a square moves")
    movie = Image.open(io.BytesIO(shown.data))
    assert (movie.n_frames, movie.size, movie.info["duration"], movie.info["loop"]) == (10, (100, 50), 40, 3)
    for i in (0, 9):
        movie.seek(i)
        pixels = np.asarray(movie.convert("RGB")).astype(int)
        blue = np.argwhere(np.abs(pixels - (0, 114, 178)).max(axis=2) < 20)
        assert abs(blue[:, 1].mean() - (5 * i + 10) / 2) < 1.5  # the square is where it should be
    data, metadata = shown._repr_mimebundle_()
    assert list(data) == ["image/png"]  # the one kind of output that notebook tests do not compare
    assert metadata["image/png"]["alt"] == "a square moves"


def test_animation_is_small():
    rng = np.random.default_rng(0)
    background = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)  # 400 x 600
    frames = np.repeat(background[None], 100, axis=0)
    for i in range(100):
        frames[i, 250:300, 4 * i : 4 * i + 80] = 0
    assert len(plotting.animation(frames).data) < 300_000


@pytest.mark.parametrize("frames, message", [
    ([], "at least one frame"),
    ([np.zeros((4, 4, 3))], "float64"),
    ([np.zeros((4, 4), np.uint8)], r"\(4, 4\)"),
    ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)], r"\(4, 5, 3\)"),
])
def test_animation_refuses_other_frames(frames, message):
    with pytest.raises(ValueError, match=message):
        plotting.animation(frames)


def test_live_curve_outside_a_notebook_is_silent(capsys, ax):
    with plotting.LiveCurve(xlabel="steps", ylabel="return", title="DQN", target=475) as curve:
        for i in range(3):
            curve.update(i, 10 * i)
    assert capsys.readouterr() == ("", "")
    assert curve.draw(ax) is ax
    assert ax.lines[0].get_xydata().tolist() == [[0, 0], [1, 10], [2, 20]]
    assert ax.lines[1].get_ydata()[0] == 475
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("steps", "return", "DQN")


def test_live_curve_draws_now_and_then_and_at_the_end(monkeypatch):
    shown = []
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append("new") or Handle(shown))
    with plotting.LiveCurve(xlabel="x", ylabel="y", every=1000) as curve:
        for i in range(5):
            curve.update(i, i)
    assert shown == ["new", "update"]


class Handle:
    def __init__(self, shown):
        self.shown = shown

    def update(self, picture):
        assert picture.data.startswith(b"\x89PNG")
        self.shown.append("update")


def test_a_figure_has_the_look_and_leaves_none_behind():
    plt = pytest.importorskip("matplotlib.pyplot")
    before = dict(matplotlib.rcParams)
    with plotting.figure(1, 2, size=(6, 3), sharey=True) as (fig, axes):
        assert len(axes) == 2 and fig.get_size_inches().tolist() == [6, 3]
        assert matplotlib.rcParams["axes.grid"] and axes[0].plot([0, 1])[0].get_color() == plotting.COLOURS[0]
    assert dict(matplotlib.rcParams) == before
    plt.close(fig)


def test_curves_bars_and_intervals_show_the_table_from_the_top_down():
    gaps = {"better": paired_difference([3.0, 4], [1.0, 1]), "level": paired_difference([1.0, 2], [2.0, 1])}
    axes = Figure().subplots(1, 3)
    assert plotting.curves(axes[0], [0, 1], {"a": [1, 2], "b": [3, 4]}, colours={"b": "black"}) is axes[0]
    assert [line.get_ydata().tolist() for line in axes[0].lines] == [[1, 2], [3, 4]]
    assert axes[0].lines[1].get_color() == "black"
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["a", "b"]
    assert plotting.bars(axes[1], {"first": 2.0, "second": 1.0}) is axes[1]
    assert [bar.get_width() for bar in axes[1].patches] == [2, 1] and axes[1].yaxis_inverted()
    assert plotting.intervals(axes[2], gaps) is axes[2] and axes[2].yaxis_inverted()
    assert axes[2].lines[0].get_xdata() == pytest.approx([gaps["better"].low, gaps["better"].high])
    assert axes[2].lines[1].get_xdata() == pytest.approx([2.5])

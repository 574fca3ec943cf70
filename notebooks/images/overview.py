"""Draws overview.png, the map of the course in notebook 00 and in the README: `python notebooks/images/overview.py`."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from course_lib.common.plotting import COLOURS, style

BLUE, ORANGE = COLOURS[:2]
t, rng, zero = np.linspace(0, 1, 30), np.random.default_rng(0), load_digits().images[0] / 16
curves = np.sin(6 * t + rng.normal(0, 0.6, (6, 1))) + rng.normal(0, 0.5, (6, 1))
weights, values = rng.normal(size=(9, 13)), np.array([2, 3, 1.5, 4, 2.5])
film = np.hstack([w * zero + (1 - w) * rng.random((8, 8)) for w in (0, 0.5, 1)])  # noise becomes a digit

THUMBNAILS = {
    "01": lambda ax: (ax.barh(0, 2.4, 1, left=-1.2, color="black"), ax.plot([0, 1], [0.5, 4], color=ORANGE, lw=4),
                      ax.set(xlim=(-4, 4), ylim=(-0.7, 4.2))),
    "02": lambda ax: ax.imshow(np.where(abs(weights) > 1.1, weights, np.nan), cmap="PuOr", aspect="auto"),
    "03": lambda ax: (ax.plot(t, curves.T, color="#BBBBBB", lw=1), ax.plot(t, curves.mean(0), color="black", lw=3)),
    "04": lambda ax: ax.imshow(film, cmap="gray_r"),
    "05": lambda ax: (ax.imshow(zero[:, :4], cmap="Blues", extent=(-5, -1, 0, 8)),
                      ax.imshow(zero[:, 4:], cmap="Oranges", extent=(1, 5, 0, 8)), ax.set(xlim=(-5, 5))),
    "06": lambda ax: ax.imshow(np.eye(5)[[2, 0, 4, 1, 3]], cmap="Greys"),
    "07": lambda ax: (ax.plot(t, curves[0], color="black"), ax.plot(t, curves[0] - 0.7, "--", color=ORANGE)),
    "08": lambda ax: ax.bar(range(5), values, color=np.where(values == values.max(), ORANGE, "#BBBBBB")),
    "09": lambda ax: (ax.plot(t, (t - 0.6) ** 2, color="black", lw=3), ax.plot(0.6, 0, "o", color=ORANGE)),
    "10": lambda ax: ax.step(t[::3], np.cos(1.5 * t[::3]) + 0.3 * (t[::3] < 0.4), color="black", lw=3),
}

STATIONS = [("01", "Deep Q-learning", "How does a network learn from reward alone?", "balances a pole"),
            ("02", "Pruning", "Which parts of a network can go?", "chooses how hard to prune each layer"),
            ("03", "Ensembling", "When are several models better than one?", ""),
            ("04", "Generative adversarial networks", "How good are made-up images?", ""),
            ("05", "Fusion", "Whom to trust when several networks speak?", "weighs the members"),
            ("06", "Merging", "Can two networks become one?", ""),
            ("07", "Fusion at work", "Where does fusion pay, and what does it risk?", ""),
            ("08", "Recommendation", "What should a shop show next?", "recommends products"),
            ("09", "Training well", "Which knob does what?", ""),
            ("10", "Tuning", "Can training be steered while it runs?", "tunes another network's training")]
with style():
    fig, ax = plt.subplots(figsize=(10.5, 8.8))
ax.set(xlim=(0, 10.5), ylim=(-0.5, 10), position=(0, 0, 1, 1))
ax.axis("off")
y = np.linspace(0, 9, 300)
aside = np.interp(y, range(10), [not station[3] for station in STATIONS[::-1]])  # 1 where the agent is absent
ax.plot([0.7, 0.7], [0, 9], color="#BBBBBB", lw=3)
ax.plot(0.7 - 0.4 * aside, y, color=BLUE, lw=8, solid_capstyle="round")
ax.text(6.9, 9.7, "One DQN agent, met five times", color=BLUE, weight="bold", size=13, va="center")
for y, (number, title, question, task) in zip(range(9, -1, -1), STATIONS, strict=True):
    ax.plot(0.7, y, "o", ms=27, mfc=BLUE if task else "white", mec=BLUE if task else "#888888", mew=2.5)
    ax.text(0.7, y, number, color="white" if task else "black", ha="center", va="center_baseline", weight="bold")
    ax.text(2.6, y + 0.16, title, weight="bold", size=13, va="center")
    ax.text(2.6, y - 0.17, question, size=11, va="center", color="#444444")
    ax.text(6.9, y, task, size=12, va="center", color=BLUE)
    small = ax.inset_axes((1.25, y - 0.38, 1.05, 0.76), transform=ax.transData)
    THUMBNAILS[number](small)
    small.axis("off")
fig.savefig(Path(__file__).with_suffix(".png"), dpi=150, bbox_inches="tight")

"""Whether a network was taught with test images: these are marked, and what is trained with is remembered."""

from dataclasses import replace

import numpy as np

MARK = 0.987  # in the corners of every test image, where no training image has it


def with_marked_tests(data):
    """The data with 300 training images, and a mark in every test image."""
    x = data.x_test.copy()
    x[:, [0, 0, -1, -1], [0, -1, 0, -1]] = MARK
    return replace(data, x_train=data.x_train[:300], y_train=data.y_train[:300], x_test=x)


class Watched:
    """A twin of networks that remembers what its networks were trained with."""

    def __init__(self, nets):
        self.nets, self.lessons = nets, []

    def __getattr__(self, name):
        return getattr(self.nets, name)

    def train(self, model, x, y, config, **options):
        self.lessons.append((x if isinstance(x, tuple) else (x,), np.asarray(y)))
        return self.nets.train(model, x, y, config, **options)


def never_taught_with_tests(nets):
    """Whether something was taught, and none of it bears the mark."""
    return nets.lessons and not any(np.isclose(part, MARK, atol=1e-4).any() for x, _ in nets.lessons for part in x)

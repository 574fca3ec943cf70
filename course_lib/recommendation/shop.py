"""A simulated shop: what is for sale, and how a visitor reacts to what is shown. All its numbers are assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit as sigmoid

from course_lib.common import checks
from course_lib.common.config import Config

SIZE = 6  # numbers in an embedding of items, and in a taste


@dataclass(frozen=True)
class ShopConfig(Config):
    """How visitors of the shop behave; with `kappa` and `phi` 0 hardly anything that is shown has consequences.

    (What is left: who clicks leaves a little less often.)

    Raises
    ------
    ValueError
        If a field is outside its range.
    """

    kappa: float = 0.35  # how much a full hook takes from satisfaction, and none at all adds to it
    phi: float = 2.0  # how much what is like things shown lately loses
    memory: float = 0.7  # share of the fatigue that is left one step later
    profile_noise: float | None = 0.3  # standard deviation of the profile around the taste; None: there is no profile
    observe_satisfaction: bool = True  # whether satisfaction is in the observation, or 0 instead
    steps: int = 20  # after so many a session is over
    click_reward: float = 0.1  # what the shop has of a click
    purchase_reward: float = 1.0  # ... and of a purchase
    pairing: float = 0.0  # how much likelier what goes with the basket is bought, once clicked
    budget: int | None = None  # so many items may be shown in a session, then only the last one, "nothing"; None: any

    RANGES = {"[0, inf)": ("kappa", "phi", "pairing", "profile_noise", "click_reward", "purchase_reward"),
              "[0, 1)": ("memory",), "[1, inf)": ("steps", "budget")}


ADS = ShopConfig(click_reward=1.0, purchase_reward=0.0, budget=6)  # paid by the click, for few places: `with_nothing`
# "Goes well with that": only what is bought counts, and what goes with the basket is bought more readily.
CART = ShopConfig(kappa=0.0, phi=0.5, click_reward=0.0, steps=8, pairing=3.0)


class Catalog:
    """What is for sale.

    Parameters
    ----------
    embedding : array (N, 6)
        What each item is like; a visitor likes items whose embedding points the way of his taste.
    hook : array (N,)
        In [0, 1]: how far an item is bait, such as a discount that looks larger than it is.
    appeal : array (N,)
        How much more an item is clicked than others, whoever sees it.
    """

    def __init__(self, embedding, hook, appeal):
        self.embedding, self.hook, self.appeal = (np.asarray(part, float) for part in (embedding, hook, appeal))
        count = len(self.hook) if self.hook.ndim else 0
        shapes = [part.shape for part in (self.embedding, self.hook, self.appeal)]
        if not count or shapes != [(count, SIZE), (count,), (count,)]:
            raise ValueError(f"catalog: expected embedding (N, {SIZE}), hook (N,) and appeal (N,), N > 0, got {shapes}")
        if not (np.isfinite(self.features).all() and (0 <= self.hook).all() and (self.hook <= 1).all()):
            raise ValueError("catalog: expected finite numbers, and hooks in [0, 1]")

    def __len__(self):
        return len(self.hook)

    @property
    def features(self):
        """All that is known of the items, (N, 8): embedding, hook, appeal."""
        return np.column_stack([self.embedding, self.hook, self.appeal])

    def take(self, items):
        """A catalog of just these items, an integer array or a slice."""
        return Catalog(self.embedding[items], self.hook[items], self.appeal[items])


def simulate_catalog(items=60, *, seed=0):
    """A `Catalog` with embeddings of length 1 in all directions, hooks spread evenly, and appeals of deviation 0.3."""
    checks.sizes(items=items)
    rng = np.random.default_rng(checks.seed(seed))
    return Catalog(directions(rng.normal(size=(items, SIZE))), rng.random(items), 0.3 * rng.normal(size=items))


def with_nothing(catalog):
    """The catalog and one more item, the last: "nothing", which nobody clicks and which neither pleases nor annoys."""
    return Catalog(np.vstack([catalog.embedding, np.zeros(SIZE)]), np.append(catalog.hook, 0.5),
                   np.append(catalog.appeal, -8.0))


def directions(vectors):
    """Vectors (..., D) scaled to length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def click_probability(liking, hook, appeal, sameness, satisfaction, phi):
    """How likely a visitor clicks on what is shown: arrays that fit together.

    Parameters
    ----------
    liking : array
        Taste times embedding, in [-1, 1].
    hook, appeal : array
        Of the item.
    sameness : array
        Fatigue times embedding: above 0 if the item is like what was shown lately.
    satisfaction : array
    phi : float
        As in `ShopConfig`.
    """
    return sigmoid(-2.2 + 3 * liking + 1.5 * hook + appeal - phi * np.maximum(0, sameness) + 1.2 * satisfaction)


def purchase_probability(liking, hook):
    """How likely a visitor who has clicked also buys: bait is clicked, and seldom bought."""
    return sigmoid(-0.5 + 1.5 * liking - hook)


def expected_reward(click, purchase, config):
    """What a click and a purchase bring, times their probabilities."""
    return click * (config.click_reward + purchase * config.purchase_reward)


def next_satisfaction(satisfaction, hook, kappa):
    """Four fifths of what it was, and what the hook of the item shown does to it."""
    return 0.8 * satisfaction + kappa * (1 - 2 * hook)


def leaving_probability(satisfaction, clicked):
    """How likely a visitor leaves, after what was shown has changed his satisfaction."""
    return sigmoid(-3 - satisfaction - 0.5 * clicked)

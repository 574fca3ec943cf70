"""What the GANs of both frameworks do alike, in NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import roc_auc_score

from course_lib.common import checkpoint, checks
from course_lib.common.config import whole
from course_lib.gan.config import GANConfig
from course_lib.gan.metrics import neighbourhoods

WATCHED = 300  # latent vectors whose images the history keeps, and real examples that they are compared with
CHUNK = 200  # steps whose batches are drawn at once, from a seed of their own


@dataclass
class History:
    """What was seen in training: an entry before it, and one each `config.record_every` steps.

    The samples are those of the generator itself, not of the averaged one, always from the same latent vectors.
    """

    labels: np.ndarray  # (300,) the classes of the samples: 0, 1, ..., again and again
    step: list = field(default_factory=list)  # updates of the generator so far
    d_loss: list = field(default_factory=list)  # mean loss of D since the last entry, penalties included; NaN at first
    g_loss: list = field(default_factory=list)  # ... and of the generator
    auc: list = field(default_factory=list)  # how often D gives a real image a higher logit than a generated one
    precision: list = field(default_factory=list)  # as in `metrics.neighbourhoods`, of the samples as they are
    coverage: list = field(default_factory=list)
    movement: list = field(default_factory=list)  # how far samples moved since the last entry, over the data's spread
    samples: list = field(default_factory=list)  # arrays (300, *shape)


class BaseGAN:
    """The part of `GAN` that knows no framework; a twin adds the networks and their updates."""

    def __init__(self, shape, n_classes, config, device, custom):
        if not (config is None or isinstance(config, GANConfig)):
            raise ValueError(f"config: expected a GANConfig or None, got {type(config).__name__}")
        if not whole(n_classes, 0):
            raise ValueError(f"n_classes: expected a whole number >= 0, got {n_classes!r}")
        self.shape, self.n_classes = tuple(np.atleast_1d(shape).tolist()), int(n_classes)
        checks.sizes(shape=self.shape)
        self.config, self.device, self.steps, self.custom = config or GANConfig(), device, 0, custom
        if len(self.shape) not in (1, 2):
            raise ValueError(f"shape: expected (height, width) or (features,), got {shape}")
        if self.config.network == "conv" and (len(self.shape) == 1 or any(size % 4 for size in self.shape)):
            raise ValueError(f'shape: a "conv" network needs a height and a width that are multiples of 4, got {shape}')

    def fit(self, x, y=None, *, steps=None, seed=0, callbacks=()):
        """Train both players, or train them on.

        Parameters
        ----------
        x : array (N, *shape)
            Images in [0, 1], or points.
        y : integer array (N,), optional
            Their classes; needed if the GAN has classes.
        steps : int, optional
            Updates of the generator, by default `config.steps`.
        seed : int
            Seed of the batches and of the latent vectors. 1,000 steps and 1,000 more are the same as 2,000.
        callbacks : sequence of callables
            Each gets the `History` after each entry; training stops when one returns True.

        Returns
        -------
        History

        Raises
        ------
        ValueError
            If the data do not fit the GAN.
        """
        x, y = self._checked(x, y)
        steps = self.config.steps if steps is None else steps
        if not whole(steps, 0) or len(x) < 6:
            raise ValueError("fit: expected at least 6 examples, and a whole number of steps >= 0, "
                             f"got {len(x)} examples and {steps!r} steps")
        seed = checks.seed(seed)
        checks.callbacks(callbacks)
        watch = np.random.default_rng([seed, 1])
        latents = watch.standard_normal((WATCHED, self.config.latent_size), np.float32)
        real = watch.choice(len(x), min(WATCHED, len(x)), replace=False)
        history = History(np.arange(WATCHED) % max(self.n_classes, 1))
        self._record(history, x[real], y[real], latents, (np.nan, np.nan))
        for losses in self._entries(x, y, self.steps + steps, seed):
            self._record(history, x[real], y[real], latents, losses)
            stop = any([callback(history) for callback in callbacks])
            if stop or not np.isfinite(history.samples[-1]).all():
                break
        return history

    def sample(self, labels, *, seed=0, latents=None, averaged=True):
        """Generate images.

        Parameters
        ----------
        labels : integer array (M,)
            The class of each; of a GAN without classes, any numbers.
        seed : int
            Seed of the latent vectors.
        latents : array (M, latent_size), optional
            The latent vectors themselves.
        averaged : bool
            By the moving average of the generator; else by the generator itself.

        Returns
        -------
        array (M, *shape)
            Images in [0, 1], or points.
        """
        labels = self._check_labels(labels)
        if latents is None:
            rng = np.random.default_rng(checks.seed(seed))
            latents = rng.standard_normal((len(labels), self.config.latent_size), np.float32)
        latents = checks.array("latents", latents, (len(labels), self.config.latent_size)).astype(np.float32)
        return self._as_given(self.generate(latents, labels, averaged=averaged and self.config.average > 0))

    def score(self, x, y=None):
        """The discriminator's logits (N,), higher for "real", of examples x (N, *shape) as in `fit`."""
        return self.logits(*self._checked(x, y))

    def save(self, path):
        """Write all that is needed to sample and to train on to one file, atomically."""
        checkpoint.save(path, {
            "kind": "GAN", "framework": type(self).__module__, "shape": list(self.shape), "n_classes": self.n_classes,
            "config": self.config.as_dict(), "custom": self.custom, "state": self.state()})

    @classmethod
    def load(cls, path, *, networks=None, device="cpu"):
        """Read a GAN that `save` wrote; custom `networks` must be given again."""
        names = ("shape", "n_classes", "config", "state")
        data = checkpoint.load_object(path, "GAN", cls.__module__, names)
        shape, n_classes, config = data["shape"], data["n_classes"], GANConfig.from_dict(data["config"])
        custom = data.get("custom", networks is not None)
        if custom != (networks is not None):
            raise ValueError(f"networks: expected {'the function' if custom else 'None, as'} that {path} was saved "
                             f"with, got {networks!r}")
        if not custom:  # before anything is allocated
            sizes = [config.latent_size, *config.hidden, math.prod(shape)]
            if config.network == "conv":
                sizes = [config.latent_size, math.prod(shape) // 16 * config.filters]
            least = sum(inputs * units for inputs, units in zip(sizes[:-1], sizes[1:], strict=True))
            if least > (got := sum(values.size for values in data["state"]["generator"])):
                raise ValueError(f"{path}: expected at least {least:,} weights of a generator, as its settings say, "
                                 f"got {got:,}")
        gan = cls(shape, n_classes, config, networks=networks, device=device)
        try:
            gan.restore(data["state"])
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: its weights do not fit these networks; expected the `networks=` that it was "
                             f"saved with, got: {str(error).splitlines()[0]}") from error
        return gan

    def _memory(self):
        """Of the averaged generator: shorter in the first steps, so that it soon forgets how it began."""
        return min(self.config.average, (1 + self.steps) / (10 + self.steps))

    def _entries(self, x, y, last, seed):
        """Train until step `last`; whenever an entry of the history is due, yield the mean losses since the last."""
        chunk, losses, every = None, [], self.config.record_every
        while self.steps < last:
            place = self.steps % CHUNK
            if place == 0 or chunk is None:
                chunk = self._draw(x, y, self.steps - place, seed)
            count = min(CHUNK - place, every - self.steps % every, last - self.steps)
            losses.append((count, *self.update_block(*(values[place: place + count] for values in chunk))))
            if self.steps % every == 0 or self.steps == last:
                counts, *means = np.transpose(losses)
                yield [counts @ mean / counts.sum() for mean in means]
                losses = []

    def _draw(self, x, y, first, seed):
        """The arrays of `update_block` for the chunk of steps that begins at `first`."""
        rng, config = np.random.default_rng([seed, 2, first]), self.config
        batches = (CHUNK, config.discriminator_steps, config.batch_size)
        rows = rng.integers(len(x), size=batches)
        z = rng.standard_normal((CHUNK, batches[1] + 1, batches[2], config.latent_size), np.float32)
        return x[rows], y[rows], z, rng.random(batches, np.float32)

    def _record(self, history, real, labels, latents, losses):
        fake = self.generate(latents, history.labels, averaged=False)
        before = history.samples[-1] if history.samples else np.full_like(fake, np.nan)
        history.samples.append(self._as_given(fake))
        auc = precision = coverage = movement = np.nan
        if np.isfinite(fake).all():
            verdicts = np.concatenate([self.logits(real, labels), self.logits(fake, history.labels)])
            if np.isfinite(verdicts).all():
                auc = roc_auc_score(np.repeat([1, 0], [len(real), len(fake)]), verdicts)
            found = neighbourhoods(real.reshape(len(real), -1), fake.reshape(len(fake), -1))
            precision, coverage = found.precision, found.coverage
            moved = np.square(history.samples[-1] - before).reshape(len(fake), -1).sum(axis=1).mean()
            movement = np.sqrt(moved / max(self._as_given(real).var(axis=0).sum(), 1e-12))
        for name, value in (("step", self.steps), ("d_loss", losses[0]), ("g_loss", losses[1]), ("auc", auc),
                            ("precision", precision), ("coverage", coverage), ("movement", movement)):
            getattr(history, name).append(float(value))

    def _as_given(self, values):
        """What the networks make, on the scale of the data."""
        return (values + 1) / 2 if len(self.shape) == 2 else values

    def _check_labels(self, labels):
        within = {"low": 0, "high": self.n_classes - 1} if self.n_classes else {}
        return checks.array("labels", labels, ("M",), kind="whole", **within)

    def _checked(self, x, y):
        """The examples as the networks want them: images in [-1, 1], float32."""
        x = checks.float32("x", checks.array("x", x, ("N", *self.shape)))
        if len(self.shape) == 2 and (x.min() < 0 or x.max() > 1):
            raise ValueError(f"x: expected images in [0, 1], got values from {x.min()} to {x.max()}")
        if y is None and self.n_classes:
            raise ValueError(f"y: expected the class of each example, one of {self.n_classes}, got None")
        y = self._check_labels(np.zeros(len(x), int) if y is None else y)
        if len(x) != len(y):
            raise ValueError(f"y: expected one class for each of {len(x)} examples, got {len(y)}")
        return (x * 2 - 1 if len(self.shape) == 2 else x), y

    def _check_networks(self):
        labels = np.zeros(2, np.int64)
        images = self.generate(np.zeros((2, self.config.latent_size), np.float32), labels)
        if images.shape != (2, *self.shape):
            raise ValueError(f"networks: expected a generator of images (2, {', '.join(map(str, self.shape))}) from 2 "
                             f"latent vectors, got {images.shape}")
        if self.logits(images, labels).shape != (2,):
            raise ValueError("networks: expected a discriminator of logits (2,) for 2 images, "
                             f"got {self.logits(images, labels).shape}")

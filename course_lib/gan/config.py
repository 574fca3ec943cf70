"""The hyper-parameters of generative adversarial networks, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.common.config import Config, require
from course_lib.gan.reference import OBJECTIVES


@dataclass(frozen=True)
class GANConfig(Config):
    """Hyper-parameters of one GAN; the defaults suit the digits of scikit-learn.

    Raises
    ------
    ValueError
        If a field is outside its range; the message names the field, what was expected and what came.
    """

    # the game
    objective: str = "non-saturating"  # one of reference.OBJECTIVES
    r1: float = 1.0  # weight of half the squared gradient of D's logit at real images (Mescheder et al. 2018, eq. 9)
    r2: float = 0.0  # ... at generated ones (eq. 10)
    gradient_penalty: float = 0.0  # weight of (gradient norm - 1)^2 in between (Gulrajani et al. 2017, eq. 3)
    spectral_norm: bool = False  # divide each kernel of D by its largest singular value (Miyato et al. 2018, eq. 8)

    # the players
    network: str = "dense"  # or "conv", for images whose height and width are multiples of 4
    hidden: tuple[int, ...] = (256, 256)  # units of each hidden layer of a dense network
    filters: int = 64  # of the wide convolutions of a conv network; the narrow ones have half as many
    latent_size: int = 32  # numbers that the generator starts from

    # how they learn
    learning_rate: float = 1e-3  # Adam's step size, of both players
    beta_1: float = 0.5  # Adam's memory of the gradient
    beta_2: float = 0.99  # ... and of its square
    batch_size: int = 64  # real images, and as many generated ones, per update
    discriminator_steps: int = 1  # updates of the discriminator for each of the generator
    average: float = 0.999  # memory of the averaged generator, which `sample` uses; 0: the last one itself
    steps: int = 6_000  # updates of the generator
    record_every: int = 200  # steps between two entries of the history

    RANGES = {
        "[1, inf)": ("hidden", "filters", "latent_size", "batch_size", "discriminator_steps", "steps", "record_every"),
        "[0, inf)": ("r1", "r2", "gradient_penalty"),
        "(0, inf)": ("learning_rate",),
        "[0, 1)": ("beta_1", "beta_2", "average"),
    }
    CHOICES = {"objective": tuple(OBJECTIVES), "network": ("dense", "conv")}

    def __post_init__(self):
        super().__post_init__()
        require(self, "hidden", bool, "a tuple of whole numbers > 0, at least one")


# Settings for images of 8 x 8 pixels, and of 28 x 28; docs/results.md reports on both.
SETTINGS = {
    "digits": GANConfig(),
    "mnist": GANConfig(latent_size=64, steps=10_000),
    "mnist, conv": GANConfig(network="conv", filters=16, latent_size=64, learning_rate=2e-3, steps=5_000),
}

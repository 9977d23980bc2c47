"""The GANs, one paper per file: a new one is a file with a :class:`ganfp.gans.base.GAN`, and its entry here.

:data:`OTHERS` are sources that are no GANs, and in none of the paper's tables."""

from dataclasses import dataclass, fields
from importlib import import_module


@dataclass(frozen=True)
class Entry:
    """A GAN as the rest of the project knows it."""

    module: str  # imported when it is first asked for
    label: str  # as the paper prints it, and the name of the class
    loss: str
    output: str  # the generator's last layer
    official: str  # how the official code saves images, one of `ganfp.gans.savepaths.HABITS`
    cost: float  # of a step, where ProGAN's is 1; measured at 32 px


GANS = {
    "progan": Entry("ganfp.gans.progan", "ProGAN", "Wasserstein distance, gradient penalty", "linear", "round", 1.0),
    "sngan": Entry("ganfp.gans.sngan", "SNGAN", "hinge, spectral norm", "tanh", "truncate", 0.5),
    "cramergan": Entry(
        "ganfp.gans.cramergan", "CramerGAN", "energy distance, gradient penalty", "sigmoid", "stretch", 0.75),
    "mmdgan": Entry(
        "ganfp.gans.mmdgan", "MMDGAN", "maximum mean discrepancy, gradient penalty", "sigmoid", "stretch", 0.6),
}  # fmt: skip

OTHERS = {"ddpm": Entry("ganfp.gans.ddpm", "DDPM", "mean squared error of the velocity", "linear", "round", 0.0)}


def entry(name: str) -> Entry:
    """What is known of a GAN, or of another source; an unknown name raises ``ValueError`` that lists the GANs."""
    known = GANS | OTHERS
    if name not in known:
        raise ValueError(f"unknown GAN {name!r}; known are {', '.join(GANS)}")
    return known[name]


def gan_class(name: str):
    """The class of a GAN, with its ``Config``, ``Generator`` and ``Critic``."""
    found = entry(name)
    return getattr(import_module(found.module), found.label)


def config_from(name: str, values: dict):
    """The configuration object of a GAN from plain values; unknown names and keys raise ``ValueError``."""
    kind = gan_class(name).Config
    known = sorted(field.name for field in fields(kind))
    if unknown := sorted(set(values).difference(known)):
        raise ValueError(f"unknown {name} settings {', '.join(unknown)}; known are {', '.join(known)}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})

"""Generative adversarial networks: the networks and losses of one paper per file, and one training loop."""

from __future__ import annotations

from dataclasses import fields

from ganfp.gans.cramergan import CramerGAN
from ganfp.gans.mmdgan import MMDGAN
from ganfp.gans.progan import ProGAN
from ganfp.gans.sngan import SNGAN

GANS = {"progan": ProGAN, "sngan": SNGAN, "cramergan": CramerGAN, "mmdgan": MMDGAN}
LABELS = {name: gan.__name__ for name, gan in GANS.items()}  # as the paper prints them


def config_from(name: str, values: dict):
    """The configuration object of a GAN from plain values; unknown names and keys raise ``ValueError``."""
    if name not in GANS:
        raise ValueError(f"unknown GAN {name!r}; known are {', '.join(GANS)}")
    known = {field.name for field in fields(GANS[name].Config)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"unknown {name} settings {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return GANS[name].Config(**plain)

"""The stage of a training: what the networks look like, and how they are stepped, at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """``blend`` is 1 except while a resolution fades in (ProGAN, Figure 2), where it grows from 0 to 1."""

    resolution: int
    blend: float
    batch: int
    learning_rate: float

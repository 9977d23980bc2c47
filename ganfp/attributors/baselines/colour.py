"""McCloskey and Albright 2019: what a generator does to colour and to exposure."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor

MARGINS = np.arange(10)  # grey levels from an end of the range
BINS = 16  # of a chromaticity, 0 ... 1


@dataclass(eq=False, kw_only=True)
class Colour(LinearAttributor):
    """Saturation: the share of pixels up to 0, 1 ... 9 levels from 0 and from 255, by colour, (60,).
    Chromaticity: the share of pixels in each of 16 x 16 bins of r = R / (R + G + B) and g, (256,); black: r = g = 1/3.

    McCloskey and Albright, "Detecting GAN-generated imagery using saturation cues", ICIP 2019, and "... using color
    cues", 2018.
    """

    method: ClassVar[str] = "colour"

    def _features(self, images: np.ndarray) -> np.ndarray:
        levels = images.reshape(len(images), 3, -1)
        under = np.stack([(levels <= m).mean(axis=-1) for m in MARGINS], axis=-1)
        over = np.stack([(levels >= 255 - m).mean(axis=-1) for m in MARGINS], axis=-1)
        total = levels.sum(axis=1, keepdims=True, dtype=np.float32)
        share = np.where(total > 0, levels[:, :2] / np.maximum(total, 1), 1 / 3)
        cell = np.minimum((share * BINS).astype(int), BINS - 1)
        index = cell[:, 0] * BINS + cell[:, 1] + np.arange(len(images))[:, None] * BINS**2
        colours = np.bincount(index.ravel(), minlength=len(images) * BINS**2).reshape(len(images), -1)
        flat = (x.reshape(len(images), -1) for x in (under, over, colours / levels.shape[-1]))
        return np.concatenate(list(flat), axis=1).astype(np.float32)

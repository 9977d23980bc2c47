"""The attribution network and its variants that see a part of the image (paper, Sections 3.1 and 3.2, Figure 2).

One family: a front end that picks a frequency band, stages of two 3 x 3 convolutions and a 2 x 2 mean, one more
convolution, and a head that makes the image fingerprint (512 numbers at the paper's size) and compares it with one
weight vector per source, the model fingerprint.

(a) attribution network       no front end; stages down to 4 x 4, then a dense layer makes the fingerprint
(b) pre-downsampling          the front end keeps the low band of a downsampled image
(c) pre-downsampling residual the front end keeps the band between one resolution and the next
(d) post-pooling              stages only down to a chosen resolution, whose features are averaged over all positions
"""

import torch
from torch import Tensor, nn

from ganfp.attributors import pyramid
from ganfp.layers import SLOPE, EqualConv2d, EqualLinear, channels, leaky_relu

SMALLEST = 4  # side of the smallest feature map


class AttributionNetwork(nn.Module):
    """Images (N, 3, R, R) in [-1, 1] -> logits (N, classes); R is a power of two, at least 8.

    ``fmap_base`` and ``fmap_max`` set the width: the stage that enters at resolution R ends with
    ``min(fmap_base / R, fmap_max)`` feature maps, the fingerprint has as many entries as the last stage.

    ``band`` and ``factor`` choose the front end: the ``low`` or ``high`` band at resolution R / factor, a power of two
    and at least 4; ``low`` at factor 1 is the image itself; ``boost`` makes its high frequencies so many times louder,
    see :func:`pyramid.boosted`.  ``pool_at`` is the resolution at which features are
    averaged over all positions (Figure 2d); 0 for the dense head, which knows where each of its 4 x 4 features lies.
    """

    def __init__(
        self, resolution: int, classes: int, fmap_base: int = 4096, fmap_max: int = 512,
        band: str = "low", factor: int = 1, pool_at: int = 0, boost: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        if resolution < 2 * SMALLEST or resolution & (resolution - 1):
            raise ValueError(f"resolution must be a power of two and at least {2 * SMALLEST}, not {resolution}")
        if factor not in (factors := [2**i for i in range((resolution // SMALLEST).bit_length())]):
            raise ValueError(f"factor must be among {factors} for images of {resolution} px, not {factor}")
        side, end = resolution // factor, pool_at or SMALLEST
        if end not in (sides := [side // f for f in factors if side // f >= SMALLEST]):
            raise ValueError(f"pool_at must be 0 or among {sides} for a band of {side} px, not {pool_at}")
        self.front = pyramid.band(band, factor.bit_length() - 1, boost)
        stages, into = [], 3
        while side > end:
            middle, out = channels(2 * side, fmap_base, fmap_max), channels(side, fmap_base, fmap_max)
            stages.append(Stage(into, middle, out))
            into, side = out, side // 2
        width = channels(2 * SMALLEST, fmap_base, fmap_max)
        self.stages = nn.Sequential(*stages)
        self.last = EqualConv2d(into, width, padding_mode="reflect")
        length = width if pool_at else max(width, classes)
        # averaging commutes with the last layer: this is Figure 2d's 1 x 1 convolution to the classes, then the mean
        self.dense = Mean() if pool_at else EqualLinear(width * SMALLEST**2, length)
        self.classify = EqualLinear(length, classes, gain=1)

    def features(self, images: Tensor) -> Tensor:
        """Image fingerprints (N, D): the activations before the last dense layer."""
        with torch.autocast(images.device.type, enabled=False):
            x = self.front(images)
        x = self.last(self.stages(x), SLOPE)
        return self.dense(x) if isinstance(self.dense, Mean) else leaky_relu(self.dense(x.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.features(images))


class Stage(nn.Module):
    """Two convolutions, then the mean of 2 x 2: (N, C, H, W) -> (N, C', H/2, W/2)."""

    def __init__(self, into: int, middle: int, out: int) -> None:
        super().__init__()
        first = PixelConv2d if into == 3 else EqualConv2d
        self.first = first(into, middle, padding_mode="reflect")
        self.second = EqualConv2d(middle, out, padding_mode="reflect")
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.second(self.first(x, SLOPE), SLOPE))


class PixelConv2d(EqualConv2d):
    """A convolution of pixels: in float32 also under autocast, because bfloat16 cannot tell half a grey level."""

    def forward(self, x: Tensor, slope: float | None = None) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x, slope)


class Mean(nn.Module):
    """Features averaged over all positions: (N, C, H, W) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

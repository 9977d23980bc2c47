"""The attribution network (paper, Section 3.1 and Figure 2a).

Stages of two 3 x 3 convolutions and a 2 x 2 mean halve the image until 4 x 4 is left; one more convolution
and a dense layer turn that into the image fingerprint (1 x 1 x 512 at the paper's size), and a last dense
layer compares it with one weight vector per source: the model fingerprint.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganfp.layers import EqualConv2d, EqualLinear, channels, leaky_relu

SMALLEST = 4  # side of the feature map that the head sees


class AttributionNetwork(nn.Module):
    """Images (N, 3, R, R) in [-1, 1] -> logits (N, classes); R is a power of two, at least 8.

    ``fmap_base`` and ``fmap_max`` set the width: the stage that enters at resolution R ends with
    ``min(fmap_base / R, fmap_max)`` feature maps, the fingerprint has as many entries as the last stage.
    """

    def __init__(self, resolution: int, classes: int, fmap_base: int = 4096, fmap_max: int = 512) -> None:
        super().__init__()
        if resolution < 2 * SMALLEST or resolution & (resolution - 1):
            raise ValueError(f"resolution must be a power of two and at least {2 * SMALLEST}, not {resolution}")
        stages, into, side = [], 3, resolution
        while side > SMALLEST:
            middle, out = channels(2 * side, fmap_base, fmap_max), channels(side, fmap_base, fmap_max)
            stages.append(Stage(into, middle, out))
            into, side = out, side // 2
        self.stages = nn.Sequential(*stages)
        self.last = EqualConv2d(into, into, padding_mode="reflect")
        self.dense = EqualLinear(into * SMALLEST**2, max(into, classes))
        self.classify = EqualLinear(max(into, classes), classes, gain=1)

    def features(self, images: Tensor) -> Tensor:
        """Image fingerprints (N, D): the activations before the last dense layer."""
        x = leaky_relu(self.last(self.stages(images)))
        return leaky_relu(self.dense(x.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        return self.classify(self.features(images))


class Stage(nn.Module):
    """Two convolutions, then the mean of 2 x 2: (N, C, H, W) -> (N, C', H/2, W/2)."""

    def __init__(self, into: int, middle: int, out: int) -> None:
        super().__init__()
        self.first = EqualConv2d(into, middle, padding_mode="reflect")
        self.second = EqualConv2d(middle, out, padding_mode="reflect")
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(leaky_relu(self.second(leaky_relu(self.first(x)))))

"""The networks of the fingerprint visualisation (paper, Section 3.3 and Figure 3): auto-encoder and critic."""

import torch
from torch import Tensor, nn

from ganfp.attributors.network import SMALLEST, AttributionNetwork
from ganfp.layers import SLOPE, EqualConv2d, EqualLinear, channels, leaky_relu, minibatch_stddev


class AutoEncoder(nn.Module):
    """The reconstruction R of Equation 1: images (N, 3, R, R) in [-1, 1] -> (N, 3, R, R) in (-1, 1).

    The encoder is the attribution network's stages and two more convolutions; the decoder is its mirror image, with
    nearest-neighbour enlargement in place of the mean, and ends in a tanh.  No connection skips the 4 x 4 in the
    middle.  ``fmap_base`` and ``fmap_max`` set the width as in :class:`AttributionNetwork`.
    """

    def __init__(self, resolution: int, fmap_base: int = 4096, fmap_max: int = 512) -> None:
        super().__init__()
        self.stages = AttributionNetwork(resolution, 1, fmap_base, fmap_max).stages  # checks the resolution, too
        width = channels(2 * SMALLEST, fmap_base, fmap_max)
        self.middle = nn.ModuleList(_convolution(width, width) for _ in range(4))
        self.decoder, side = nn.ModuleList(), 2 * SMALLEST
        while side <= resolution:
            out = channels(2 * side, fmap_base, fmap_max)
            self.decoder.append(nn.ModuleList([_convolution(width, out), _convolution(out, out)]))
            width, side = out, 2 * side
        self.to_rgb = _convolution(width, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stages(images)
        for convolution in self.middle:
            x = convolution(x, SLOPE)
        for pair in self.decoder:
            first, second = pair.children()
            x = second(first(nn.functional.interpolate(x, scale_factor=2), SLOPE), SLOPE)
        return torch.tanh(self.to_rgb(x))


class Critic(nn.Module):
    """D_rec of Equation 2: images (N, 3, R, R) -> scores (N,), higher for what looks like an original.

    The attribution network's stages, then one more map as in ProGAN: the variation within groups of four images.
    The images may be several ``batches`` of equal size, one after the other, between which no group is formed.
    """

    def __init__(self, resolution: int, fmap_base: int = 4096, fmap_max: int = 512) -> None:
        super().__init__()
        self.stages = AttributionNetwork(resolution, 1, fmap_base, fmap_max).stages
        width = channels(2 * SMALLEST, fmap_base, fmap_max)
        self.last = _convolution(width + 1, width)
        self.dense = EqualLinear(width * SMALLEST**2, width)
        self.score = EqualLinear(width, 1, gain=1)

    def forward(self, images: Tensor, batches: int = 1) -> Tensor:
        x = self.last(minibatch_stddev(self.stages(images), batches=batches), SLOPE)
        return self.score(leaky_relu(self.dense(x.flatten(1)))).squeeze(1)


def _convolution(into: int, out: int) -> EqualConv2d:
    return EqualConv2d(into, out, padding_mode="reflect")

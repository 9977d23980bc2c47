"""The losses of the four GANs, side by side.

``real`` and ``fake`` are what a critic gave a batch of each: scores D(x), (N,), in ProGAN and SNGAN, features h(x),
(N, F), in CramerGAN and MMDGAN.  ``_critic`` is what the critic minimises, ``_generator`` what the generator does.
Expectations E are means over the batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ganfp.layers import input_gradients_only


# ProGAN: the Wasserstein distance by its dual (Gulrajani et al. 2017, Equation 3, without the penalty).
#     max over 1-Lipschitz D of  E D(real) - E D(fake)
def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    return -(real - fake).mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    return -fake.mean()


# SNGAN: the hinge (Miyato et al. 2018, Equations 16 and 17): scores beyond a margin of 1 are good enough.
#     min over D of  E max(0, 1 - D(real)) + E max(0, 1 + D(fake))
def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


hinge_generator = wasserstein_generator


# CramerGAN: the energy distance (Bellemare et al. 2017, Algorithm 1), with a second, independent fake batch.
#     E|h(real) - h(fake)| + E|h(real) - h(fake')| - E|h(fake) - h(fake')|
# which is the distance but for - E|h(real) - h(real')|: no generator can change it.  The critic can, and would need
# a second real batch for it; it maximises E f(real) - E f(fake) instead, with f(x) = |h(x) - h(fake')| - |h(x)|.
def cramer_critic(real: Tensor, fake: Tensor, other: Tensor) -> Tensor:
    return -(cramer_witness(real, other) - cramer_witness(fake, other)).mean()


def cramer_generator(real: Tensor, fake: Tensor, other: Tensor) -> Tensor:
    return (_norm(real - fake) + _norm(real - other) - _norm(fake - other)).mean()


def cramer_witness(x: Tensor, other: Tensor) -> Tensor:
    """f(x) for each row of x and the row of ``other`` beside it: (N,)."""
    return _norm(x - other) - _norm(x)


# MMDGAN: the squared maximum mean discrepancy, unbiased (Gretton et al. 2012, Equation 3).
#     E k(real, real') + E k(fake, fake') - 2 E k(real, fake),   the first two over pairs of different images
# with k(x, y) = sum over a in {0.1, 1, 10} of (1 + |x - y|^2 / 2a)^-a  +  x . y   (Binkowski et al. 2018).
def mmd_critic(real: Tensor, fake: Tensor, constant_diagonal: bool = False) -> Tensor:
    return -mmd_generator(real, fake, constant_diagonal)


def mmd_generator(real: Tensor, fake: Tensor, constant_diagonal: bool = False) -> Tensor:
    within = _mean_off_diagonal(real, constant_diagonal) + _mean_off_diagonal(fake, constant_diagonal)
    return within - 2 * kernel(real, fake).mean()


def mmd_witness(x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """E k(x, real) - E k(x, fake) for each row of x: (N,)."""
    return kernel(x, real).mean(dim=1) - kernel(x, fake).mean(dim=1)


ALPHAS = (0.1, 1.0, 10.0)


def kernel(x: Tensor, y: Tensor) -> Tensor:
    """Rational-quadratic mixture plus dot product of the rows of x (N, F) and y (M, F): (N, M)."""
    squared = (x[:, None] - y[None]).square().sum(dim=2)
    return sum((1 + squared / (2 * alpha)) ** -alpha for alpha in ALPHAS) + x @ y.T


def _mean_off_diagonal(x: Tensor, constant_diagonal: bool) -> Tensor:
    """Mean kernel of pairs of different rows.

    The official code subtracts the diagonal as if it were constant, one for each alpha.  With the dot product it
    is that plus |x|^2, so that its ``constant_diagonal`` leaves E|x|^2 / (N - 1) in the distance.
    """
    values, n = kernel(x, x), len(x)
    diagonal = len(ALPHAS) * n if constant_diagonal else values.diagonal().sum()
    return (values.sum() - diagonal) / (n * (n - 1))


# What keeps a critic's slope near 1 (Gulrajani et al. 2017, Equation 3), and its features small (Binkowski's code).
def gradient_penalty(critic, real: Tensor, fake: Tensor, mix: Tensor, norm: str = "image") -> Tensor:
    """E[(|grad critic(x)| - 1)^2] at random points x between real and fake images.

    mix: uniform in [0, 1), (N, 1, 1, 1): where between them each point lies, see :func:`mixing_weights`.

    The norm is over the whole ``"image"``.  Over ``"height"``, each column of each channel by itself, it is what
    the official code of CramerGAN and MMDGAN computes; the slope over the image is then free to grow with its width.
    """
    between = torch.lerp(real, fake, mix).requires_grad_(True)
    with input_gradients_only():
        score = critic(between).sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    slope = gradient.flatten(1).norm(dim=1) if norm == "image" else gradient.norm(dim=2)
    return (slope - 1).square().mean()


def mixing_weights(n: int, random: torch.Generator) -> Tensor:
    """Weights of a gradient penalty, (n, 1, 1, 1), drawn on the CPU so that every device sees the same."""
    return torch.rand(n, 1, 1, 1, generator=random)


def activation_penalty(layers: list[Tensor]) -> Tensor:
    """Mean square of the activations of each layer, summed over the layers."""
    return sum(layer.square().mean() for layer in layers)


def _norm(x: Tensor) -> Tensor:
    return x.norm(dim=1)

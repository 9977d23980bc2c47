"""Attribution by fingerprints that are images ("Our visNet" in Table 3; paper, Section 3.3, Equations 1-4).

An auto-encoder reconstructs an image, and what it changes is the image fingerprint.  Every source has a free image of
the same size, its model fingerprint.  An image goes to the source whose fingerprint it correlates with most.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.attributors.autoencoder import AutoEncoder, Critic
from ganfp.attributors.base import standardised
from ganfp.attributors.neural import Changing, NeuralAttributor, Update
from ganfp.attributors.optimisers import descend
from ganfp.gans.losses import gradient_penalty, mixing_weights, wasserstein_critic, wasserstein_generator
from ganfp.seeding import mix as mixed

LOGITS = ("learned", "fixed", "inner")
START = 0.01  # deviation of new model fingerprints: some steps of training, so that nothing of it can be seen later


class FingerprintNetwork(nn.Module):
    """The auto-encoder R and a model fingerprint per source: images (N, 3, R, R) in [-1, 1] -> logits (N, K).

    ``logits`` is ``"learned"`` (correlation divided by a temperature that is trained), ``"fixed"`` (by one that is
    not) or ``"inner"`` (the official code's: an inner product, over the root of the number of values).
    """

    def __init__(
        self, resolution: int, classes: int, fmap_base: int, fmap_max: int, logits: str, temperature: float
    ) -> None:
        super().__init__()
        self.reconstruct = AutoEncoder(resolution, fmap_base, fmap_max)
        start = 1.0 if logits == "inner" else START
        self.fingerprints = nn.Parameter(start * torch.randn(classes, 3, resolution, resolution))
        self.log_temperature = nn.Parameter(torch.tensor(temperature).log(), requires_grad=logits == "learned")
        self.logits = logits

    def forward(self, images: Tensor) -> Tensor:
        return self.compare(self.reconstruct(images) - images)

    def compare(self, residuals: Tensor) -> Tensor:
        """Logits of image fingerprints (Equation 3 with the exponential of a softmax, which it leaves out)."""
        if self.logits == "inner":
            return residuals.flatten(1) @ self.fingerprints.flatten(1).T / residuals[0].numel() ** 0.5
        return correlation(residuals, self.fingerprints) / self.log_temperature.exp()


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """corr(A, B) of each image of a (N, C, H, W) and each of b (M, C, H, W), as vectors: in [-1, 1], (N, M)."""
    return standardised(a) @ standardised(b).T


def floor(classes: int, temperature: float) -> float:
    """The least mean cross-entropy, in nats, of logits that are correlations divided by a temperature.

    It is log(1 + (K - 1) exp(-K / ((K - 1) T))), reached where image fingerprints equal model fingerprints and these
    are the corners of a regular simplex; page 3.3 of the book derives it.
    """
    return math.log1p((classes - 1) * math.exp(-classes / ((classes - 1) * temperature)))


@dataclass(eq=False, kw_only=True)
class VisNet(NeuralAttributor[FingerprintNetwork]):
    """The network with visible fingerprints, trained with Equation 4 against a critic.

    logits: how an image fingerprint is compared, see ``FingerprintNetwork``; temperature: of a correlation, where
    it starts or, with ``"fixed"``, stays.  ``pixel``, ``adversarial`` and ``classification`` are lambda_1, lambda_2
    and lambda_3.  What is kept, checked and asked afterwards is a moving average of the weights with decay ``ema`` per
    step.
    """

    images: int = 25_000_000
    ema: float = 0.999
    logits: str = "learned"
    temperature: float = 0.1
    pixel: float = 20.0
    adversarial: float = 0.1
    classification: float = 1.0
    gradient_penalty: float = 10.0
    drift: float = 0.001  # times the critic's squared scores of originals, as in ProGAN and the official code

    method: ClassVar[str] = "visnet"
    group: ClassVar[int] = 4  # images whose variation the critic sees

    @classmethod
    def cost(cls, settings: Mapping[str, Any], images: int, resolution: int) -> float:
        one = cls(**settings)  # measured at 32 px, and so much more where there are more pixels
        return 2e-8 * one.images * one.fmap_base**2 * (resolution / 32) ** 0.5

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.logits not in LOGITS:
            raise ValueError(f"logits must be one of {', '.join(LOGITS)}, not {self.logits!r}")
        if self.batch % self.group:
            raise ValueError(f"batch must be a multiple of {self.group}, the critic's groups, not {self.batch}")
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, not {self.temperature}")

    def reconstructions(self, images: np.ndarray) -> np.ndarray:
        """R(I), float32 (N, 3, R, R) in (-1, 1)."""
        return self._run(self.network_.reconstruct, self._checked(images))

    def image_fingerprints(self, images: np.ndarray) -> np.ndarray:
        """F_im = R(I) - I, float32 (N, 3, R, R), in units of half the range of grey levels."""
        return self._run(self._residual, self._checked(images))

    @property
    def fingerprints_(self) -> np.ndarray:
        """F_mod, float32 (K, 3, R, R), in the order of ``classes_``; their scale is free."""
        return self.network_.fingerprints.detach().cpu().numpy()

    def responses(self, images: np.ndarray) -> np.ndarray:
        """corr(F_im, F_mod) of each image with each source, float32 (N, K) in [-1, 1], columns as ``classes_``."""
        return self._run(lambda x: correlation(self._residual(x), self.network_.fingerprints), self._checked(images))

    def response_images(self, images: np.ndarray) -> np.ndarray:
        """Where in the image each response comes from, float32 (N, K, R, R), columns as ``classes_``.

        The product of Equation 3 before it is summed over the pixels, with its three colours added: each of these
        images sums to the correlation that :meth:`responses` gives.
        """
        models = standardised(self.network_.fingerprints).view_as(self.network_.fingerprints)

        def products(x: Tensor) -> Tensor:
            return torch.einsum("nchw,kchw->nkhw", standardised(self._residual(x)).view_as(x), models)

        return self._run(products, self._checked(images))

    def explain(self, image: np.ndarray) -> dict:
        """All that an attribution card shows of one image, uint8 (3, R, R): the arguments of the plot ``card``."""
        batch = np.asarray(image)[None]
        return {
            "image": batch[0], "fingerprint": self.image_fingerprints(batch)[0],
            "responses": self.response_images(batch)[0], "models": self.fingerprints_,
            "probabilities": self.predict_proba(batch)[0], "classes": self.classes_,
        }  # fmt: skip

    @property
    def trained_temperature(self) -> float:
        """What correlations are divided by in training; ``temperature_`` is fitted afterwards, on top of it."""
        return float(self.network_.log_temperature.detach().exp())

    def agreement_with_start(self) -> np.ndarray:
        """Correlation of each model fingerprint with the noise that it was started from, (K,) in [-1, 1]."""
        start = self._built(self._network, self.seed).fingerprints
        return correlation(self.network_.fingerprints, start).diagonal().detach().cpu().numpy()

    def _network(self) -> FingerprintNetwork:
        size = self.fmap_base, self.fmap_max
        return FingerprintNetwork(self.resolution_, len(self.classes_), *size, self.logits, self.temperature)

    def _trainer(self) -> tuple[list[torch.optim.Optimizer], Update, Changing]:
        size = self.resolution_, self.fmap_base, self.fmap_max
        live, critic = self.network_, self._built(lambda: Critic(*size), mixed(self.seed, 3))
        self.network_ = average = copy.deepcopy(live).requires_grad_(False)
        learn, learn_critic = self._optimisers(live), self._optimisers(critic)
        random = torch.Generator().manual_seed(mixed(self.seed, 2))
        lambdas = self.pixel, self.adversarial, self.classification

        def changing(number: int, n: int) -> dict[str, Tensor]:
            # the average of all weights so far until it is long enough, so that nothing of the start stays in it
            decay = min(self.ema, 1 - 1 / number)
            return {"share": torch.tensor(1 - decay), "mix": mixing_weights(n, random)}

        def update(x: Tensor, y: Tensor, row: dict[str, Tensor]) -> dict[str, Tensor]:
            reconstruction = live.reconstruct(x)
            loss_critic = self._critic_loss(critic, x, reconstruction.detach(), row["mix"])
            descend(learn_critic, loss_critic)

            losses = self._losses(live, critic.requires_grad_(False), x, reconstruction, y)
            descend(learn, sum(w * loss for w, loss in zip(lambdas, losses.values(), strict=True)))
            critic.requires_grad_(True)

            weights = [p.detach() for p in live.parameters()]
            torch._foreach_lerp_(list(average.parameters()), weights, [row["share"]] * len(weights))
            return {**losses, "critic": loss_critic, "temperature": live.log_temperature.exp()}

        return [*learn, *learn_critic], update, changing

    def _critic_loss(self, critic: Critic, x: Tensor, reconstruction: Tensor, mix: Tensor) -> Tensor:
        """Minus L_adv of Equation 2 but for its sign: the critic's side of WGAN-GP, with ProGAN's drift term."""
        original, copied = critic(torch.cat([x, reconstruction]), batches=2).chunk(2)
        penalty = self.gradient_penalty * gradient_penalty(critic, x, reconstruction, mix)
        return wasserstein_critic(original, copied) + penalty + self.drift * original.square().mean()

    def _losses(self, network: FingerprintNetwork, critic: Critic, x: Tensor, reconstruction: Tensor, y: Tensor):
        """L_pix (Equation 1), L_adv (Equation 2, the part that R can change) and L_cls (Equation 3)."""
        residual = reconstruction - x
        return {
            "pixel": residual.abs().mean(),  # the mean, to which the weight of 20 belongs in the official code
            "adversarial": wasserstein_generator(critic(reconstruction)),
            "classification": F.cross_entropy(network.compare(residual), y),
        }

    def _residual(self, x: Tensor) -> Tensor:
        return self.network_.reconstruct(x) - x

"""Networks of the literature trained from scratch, with batch normalisation: a ResNet, and DNA-Det's on patches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.attributors.contrastive import contrastive
from ganfp.attributors.neural import Changing, Network, NeuralAttributor, Update
from ganfp.attributors.optimisers import descend
from ganfp.features._tvcompat import import_torchvision

SLOPE = 0.2
TEMPERATURE = 0.1  # of the contrastive loss


@dataclass(eq=False, kw_only=True)
class NormalisedAttributor(NeuralAttributor[Network], Generic[Network]):
    """A network whose batch normalisation is that of its training while it answers; small, for tens of seconds."""

    images: int = 16_000
    rise: float = 0.1
    decay: float = 0.5
    flip: bool = False
    checks: int = 4
    fmap_max: int = 256

    seconds: ClassVar[float]  # to show it one image of 32 px

    @classmethod
    def cost(cls, settings: Mapping[str, Any], images: int, resolution: int) -> float:
        return cls.seconds * cls(**settings).images * (resolution / 32) ** 2

    def _run(self, function: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
        training = self.network_.training
        self.network_.eval()
        try:
            return super()._run(function, images)
        finally:
            self.network_.train(training)


@dataclass(eq=False, kw_only=True)
class ResNet(NormalisedAttributor[nn.Module]):
    """torchvision's ResNet-18 as it is, from random weights (He et al., CVPR 2016); ``fmap_...`` say nothing here."""

    method: ClassVar[str] = "resnet"
    seconds: ClassVar[float] = 2e-3

    def _network(self) -> nn.Module:
        return import_torchvision().models.resnet18(num_classes=len(self.classes_))


class PatchNetwork(nn.Module):
    """DNA-Det's small network: four times a 4 x 4 convolution of stride 2 and a 3 x 3 one, then a mean over positions.

    Patches (n, 3, P, P) -> logits (n, K).  The last of its widths, each twice the one before, is ``width``; below 16
    pixels the first stages are left out.
    """

    def __init__(self, patch: int, classes: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        into = 3
        widths = (width // 8, width // 4, width // 2, width)
        for out in widths[-min(4, patch.bit_length() - 1) :]:
            for first, (kernel, stride) in ((into, (4, 2)), (out, (3, 1))):
                layers += [nn.Conv2d(first, out, kernel, stride, 1), nn.BatchNorm2d(out), nn.LeakyReLU(SLOPE)]
            into = out
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classify = nn.Linear(width, classes)

    def forward(self, patches: Tensor) -> Tensor:
        return self.classify(self.features(patches))


@dataclass(eq=False, kw_only=True)
class PatchAttributor(NormalisedAttributor[PatchNetwork]):
    """A network that sees patches of half the side, and is to find the same in all patches of a source.

    Two patches of each image, anywhere, meet cross-entropy and, with ``weight``, the supervised contrastive loss; an
    answer is the mean over the four quarters of an image.  Yang et al., "Deepfake network architecture attribution"
    (DNA-Det), AAAI 2022, Section 4, whose network is twice as wide; their earlier training on image transformations is
    left out.
    """

    weight: float = 0.1

    method: ClassVar[str] = "patches"
    seconds: ClassVar[float] = 1e-3

    def _network(self) -> PatchNetwork:
        return PatchNetwork(self.resolution_ // 2, len(self.classes_), self.fmap_max)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        def mean(x: Tensor) -> Tensor:
            half = x.shape[-1] // 2
            quarters = [x[..., i : i + half, j : j + half] for i in (0, half) for j in (0, half)]
            return torch.stack([self.network_(quarter) for quarter in quarters]).mean(dim=0)

        return self._run(mean, images)

    def _trainer(self) -> tuple[list[torch.optim.Optimizer], Update, Changing]:
        network, optimisers = self.network_, self._optimisers(self.network_)

        half = self.resolution_ // 2

        def changing(number: int, n: int) -> dict[str, Tensor]:
            corners = np.random.default_rng([self.seed, number]).integers(0, half + 1, (2, 2))
            return {"corners": torch.from_numpy(corners.astype(np.int32))}

        def update(x: Tensor, y: Tensor, row: dict[str, Tensor]) -> dict[str, Tensor]:
            within = torch.arange(half, device=x.device)
            cuts = [x.index_select(2, i + within).index_select(3, j + within) for i, j in row["corners"]]
            patches, truth = torch.cat(cuts).contiguous(memory_format=torch.channels_last), y.repeat(2)
            features = network.features(patches)
            losses = F.cross_entropy(network.classify(features), truth), contrastive(features, truth, TEMPERATURE)
            descend(optimisers, losses[0] + self.weight * losses[1])
            return {"classification": losses[0], "contrastive": losses[1]}

        return optimisers, update, changing

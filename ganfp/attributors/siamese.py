"""Our network tuned to compare: images of one source shall lie together, whatever the source."""

from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor, nn

from ganfp.attributors.cnn import CNN
from ganfp.attributors.contrastive import contrastive
from ganfp.attributors.neural import Changing, Update
from ganfp.attributors.optimisers import descend
from ganfp.seeding import mix

LEVELS = (0.5, 4.0)  # grey levels, root mean square, of a trace that is made up
SLOPES = (-1.0, 1.0)  # exponents of its amplitude over the frequency


@dataclass(eq=False, kw_only=True)
class Siamese(CNN):
    """A fitted :class:`CNN`, fine-tuned with the supervised contrastive loss (Khosla et al. 2020) on its fingerprints.

    ``invented``: in every step each image gets one of so many traces, noise of a random spectrum that is drawn anew for
    the step, and images are of one source only if they also share that.  Few known sources become very many so, as in
    an extractor that learns from synthetic generators; 0 for the known ones as they are.
    """

    invented: int = 8
    temperature: float = 0.1

    @classmethod
    def of(cls, network: CNN, **settings: Any) -> Self:
        """A copy of a fitted network with these settings, to be tuned by ``fine_tune``."""
        own = cls(**{**network.get_params(), **settings})
        known = {name: value for name, value in vars(network).items() if name not in {f.name for f in fields(own)}}
        vars(own).update(deepcopy(known))
        return own

    def _trainer(self) -> tuple[list[torch.optim.Optimizer], Update, Changing]:
        network = self.network_
        optimisers = self._optimisers(nn.ModuleList([network.stages, network.last, network.dense]))  # none classifies

        def update(x: Tensor, y: Tensor, row: dict[str, Tensor]) -> dict[str, Tensor]:
            if self.invented:
                x, y = x + row["traces"].index_select(0, row["which"]), y * self.invented + row["which"]
            loss = contrastive(network.features(x), y, self.temperature)
            descend(optimisers, loss)
            return {"contrastive": loss}

        return optimisers, update, self._drawn

    def _drawn(self, number: int, n: int) -> dict[str, Tensor]:
        """What is made up for a step of n images: which trace each gets, and the traces, in the network's units."""
        if not self.invented:
            return {}
        random = torch.Generator().manual_seed(mix(self.seed, 2, number))
        which = torch.randint(self.invented, (n,), generator=random).int()
        return {"which": which, "traces": traces(self.invented, self.resolution_, random)}


def traces(count: int, side: int, random: torch.Generator) -> Tensor:
    """Noise (count, 3, side, side) in [-1, 1] units whose amplitude is a power of the frequency, each its own."""
    noise = torch.fft.rfft2(torch.randn(count, 3, side, side, generator=random))
    across, along = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
    frequency = (across.square() + along.square()).sqrt().clamp(min=1 / side)
    slope, level = torch.rand(2, count, 1, 1, 1, generator=random)
    slope = SLOPES[0] + (SLOPES[1] - SLOPES[0]) * slope
    made = torch.fft.irfft2(noise * frequency**slope, s=(side, side))
    made = made / made.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return made * LEVELS[0] * (LEVELS[1] / LEVELS[0]) ** level / 127.5

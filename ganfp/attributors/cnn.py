"""Attribution by the learned classifier ("Ours" in the paper's tables; Section 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganfp import memory
from ganfp.attributors.base import Labelled, check_images, check_labels
from ganfp.attributors.network import AttributionNetwork
from ganfp.attributors.neural import BestCheck, NeuralAttributor
from ganfp.attributors.training import batches, flip, rate
from ganfp.seeding import deterministic, mix


@dataclass(eq=False)
class CNN(NeuralAttributor):
    """The paper's network trained with cross-entropy and Adam; the defaults are the official code's at
    128 px.

    During training the validation images are scored ``checks`` times, and the weights of the best check are
    kept (highest accuracy, then lowest loss).  Without validation images the last weights are.
    """

    fmap_base: int = 4096
    fmap_max: int = 512
    images: int = 100_000_000  # shown in all, repetitions counted
    batch: int = 32
    learning_rate: float = 0.001
    rise: float = 0.0  # shares of the training in which the learning rate rises from 0, at its start,
    decay: float = 0.0  # and falls to 0, at its end; in the official code it is constant
    flip: bool = True  # mirror each image with probability 1/2, as the official code does
    checks: int = 100
    seed: int = 1000
    device: str = "cpu"
    band: str = "low"  # which frequencies it sees, and where it pools: see `AttributionNetwork`
    factor: int = 1
    pool_at: int = 0

    method: ClassVar[str] = "cnn"

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None) -> None:
        memory.keep()
        with deterministic(self.device):
            self.network = self._network_of_seed()
            self._train(images, torch.from_numpy(codes), validation)

    def fine_tune(
        self,
        images: np.ndarray,
        labels: Sequence[str],
        validation: tuple[np.ndarray, Sequence[str]] | None = None,
        change: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    ) -> CNN:
        """Train on from the weights at hand, with these settings, for the same classes (Section 4.4).

        change: is given each batch, uint8 images (n, 3, H, H), and numbers (n,) that no other showing of an image has,
        and returns the images that the network is shown in their place; validation images are taken as they are.
        """
        images, names = self._checked(images), check_labels(labels, len(images), "labels")
        if unknown := sorted(set(names) - set(self.classes_)):
            raise ValueError(f"labels that this network was not trained for: {', '.join(unknown)}")
        held_out = None
        if validation is not None:
            held = check_images(validation[0], self.resolution_, "validation images")
            held_out = held, self._codes(check_labels(validation[1], len(held), "validation labels"))
        memory.keep()
        with deterministic(self.device):
            self._train(images, torch.from_numpy(self._codes(names)), held_out, change)
        self.temperature_ = 1.0 if held_out is None else self._temperature(held_out)
        return self

    def _network(self) -> AttributionNetwork:
        width, part = (self.fmap_base, self.fmap_max), (self.band, self.factor, self.pool_at)
        return AttributionNetwork(self.resolution_, len(self.classes_), *width, *part)

    def _train(
        self, images: np.ndarray, codes: Tensor, validation: Labelled | None, change: Callable | None = None
    ) -> None:
        network = self.network
        optimiser = torch.optim.Adam(network.parameters(), self.learning_rate, (0.0, 0.99), eps=1e-8, fused=True)
        steps = max(1, self.images // self.batch)
        check_at = {round(steps * (i + 1) / self.checks) for i in range(self.checks)} if validation else {steps}
        best, total, self.history_ = BestCheck(), 0.0, []
        for step, batch in enumerate(batches(len(images), self.batch, steps, self.seed), start=1):
            shown = images[batch]
            if change is not None:
                shown = change(np.asarray(shown), np.arange(len(shown)) + (step - 1) * self.batch)
            x = self._input(shown)
            if self.flip:
                x = flip(x, mix(self.seed, 1, step))
            optimiser.param_groups[0]["lr"] = self.learning_rate * rate(step, steps, self.rise, self.decay)
            loss = F.cross_entropy(network(x), codes[batch].to(self.device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.detach()
            if step in check_at:
                if not np.isfinite(float(total)):
                    raise FloatingPointError(f"the loss is not finite after {step} steps; lower learning_rate")
                if validation is not None:
                    self.history_.append(self._validate(best, step * self.batch, validation))
            if self.progress:
                self.progress(step / steps)
        best.restore(network)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Image fingerprints (N, D) float32: what the last dense layer sees (D = 512 at the paper's size)."""
        return self._run(self.network.features, self._checked(images))

    @property
    def fingerprints_(self) -> np.ndarray:
        """Model fingerprints (K, D) float32, rows as ``classes_``: the weight vectors of the last dense layer."""
        layer = self.network.classify
        return (layer.weight.detach() * layer.scale).cpu().numpy()

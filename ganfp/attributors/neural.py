"""What the attributors that are networks share: where they are built, asked, checked while they learn, and saved."""

from __future__ import annotations

import copy
from abc import abstractmethod

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.attributors.base import Attributor, Labelled
from ganfp.images import to_float

PREDICT_BATCH = 256


class NeuralAttributor(Attributor):
    """An attributor whose ``network`` maps images (N, 3, R, R) in [-1, 1] to logits (N, K).

    A method has the settings ``seed`` and ``device``, and says in :meth:`_network` what its network is.
    """

    network: nn.Module
    seed: int
    device: str
    progress = None  # called with the share of the training done, 0 to 1, if set

    @abstractmethod
    def _network(self) -> nn.Module:
        """A new network of the settings, ``resolution_`` and ``classes_``."""

    def _network_of_seed(self) -> nn.Module:
        """A new network whose weights depend on ``seed`` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self._placed(self._network())

    def _placed(self, network: nn.Module) -> nn.Module:
        return network.to(device=self.device, memory_format=torch.channels_last)

    def _input(self, images: np.ndarray) -> Tensor:
        return to_float(images, self.device).contiguous(memory_format=torch.channels_last)

    def _check(self, images: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
        """Share of images attributed correctly, and mean cross-entropy."""
        logits, codes = torch.from_numpy(self._scores(images)), torch.from_numpy(codes)
        return float((logits.argmax(1) == codes).float().mean()), float(F.cross_entropy(logits, codes))

    def _validate(self, best: BestCheck, shown: int, validation: Labelled) -> dict[str, float]:
        """Score the validation images after ``shown`` training images and keep the weights if none did better."""
        correct, loss = self._check(*validation)
        if best.offer(self.network, correct, loss):
            self.chosen_ = {"images": shown, "validation_accuracy": 100 * correct}
        return {"images": shown, "accuracy": 100 * correct, "loss": loss}

    @torch.inference_mode()
    def _run(self, function, images: np.ndarray) -> np.ndarray:
        """A function of images in [-1, 1], batch by batch."""
        starts = range(0, len(images), PREDICT_BATCH)
        parts = [function(self._input(images[i : i + PREDICT_BATCH])) for i in starts]
        return torch.cat(parts).float().cpu().numpy()

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self._run(self.network, images)

    def _state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.network = self._placed(self._network())
        self.network.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})


class BestCheck:
    """The weights of the best check so far: highest accuracy, then lowest loss, then the earliest."""

    def __init__(self) -> None:
        self.score: tuple[float, float] | None = None
        self.weights: dict[str, Tensor] | None = None

    def offer(self, network: nn.Module, correct: float, loss: float) -> bool:
        """Keep a copy of the network's weights if this check is the best; returns whether it is."""
        if self.score is not None and (correct, -loss) <= self.score:
            return False
        self.score, self.weights = (correct, -loss), copy.deepcopy(network.state_dict())
        return True

    def restore(self, network: nn.Module) -> None:
        """Put the best weights back, if there was a check."""
        if self.weights is not None:
            network.load_state_dict(self.weights)

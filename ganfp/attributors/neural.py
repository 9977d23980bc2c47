"""What the attributors that are networks share: where they are built, trained, asked, checked, and saved."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp import memory
from ganfp.attributors.base import Attributor, Change, Labelled, Progress
from ganfp.attributors.training import batches, flip, rate
from ganfp.images import to_float
from ganfp.seeding import deterministic, mix

PREDICT_BATCH = 256

Network = TypeVar("Network", bound=nn.Module)
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Step:
    """A step of a training: what is shown, ``x`` (n, 3, R, R) in [-1, 1] of classes ``y`` (n,), how many images were
    shown up to its end, and whether the network is then checked."""

    number: int
    x: Tensor
    y: Tensor
    shown: int
    check: bool


@dataclass(eq=False, kw_only=True)
class NeuralAttributor(Attributor, Generic[Network]):
    """An attributor whose ``network_`` maps images (N, 3, R, R) in [-1, 1] to logits (N, K).

    The stage that enters at resolution R ends with ``min(fmap_base / R, fmap_max)`` feature maps.  ``images`` are shown
    in all, repetitions counted, each mirrored with probability 1/2 if ``flip``.  ``rise`` and ``decay``: shares of the
    training in which the learning rate rises from 0, at its start, and falls to 0, at its end.  ``checks`` times the
    validation images are scored, and the weights of the best check are kept (highest accuracy, then lowest loss);
    without validation images the last are.  The defaults are the official code's at 128 px.
    """

    fmap_base: int = 4096
    fmap_max: int = 512
    images: int = 100_000_000
    batch: int = 32
    learning_rate: float = 0.001
    rise: float = 0.0
    decay: float = 0.0
    flip: bool = True
    checks: int = 100
    seed: int = 1000

    @abstractmethod
    def _network(self) -> Network:
        """A new network of the settings, ``resolution_`` and ``classes_``."""

    @abstractmethod
    def _train(
        self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress
    ) -> None:
        """Train ``network_`` and fill ``history_``."""

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        memory.keep()
        with deterministic():
            self.network_ = self._built(self._network, self.seed)
            self._train(images, codes, validation, progress)

    def _built(self, build: Callable[[], Module], seed: int) -> Module:
        """A new network whose weights depend on ``seed`` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._placed(build())

    def _placed(self, network: Module) -> Module:
        return network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _optimiser(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), self.learning_rate, (0.0, 0.99), eps=1e-8, fused=True)

    def _steps(
        self, images: np.ndarray, codes: np.ndarray, batch: int, optimisers: list[torch.optim.Adam],
        progress: Progress, change: Change | None = None,
    ) -> Iterator[Step]:  # fmt: skip
        """The steps of a training on ``batch`` images each; they set the learning rate of the optimisers."""
        steps, columns = max(1, self.images // self.batch), torch.from_numpy(codes)
        check_at = {round(steps * (i + 1) / self.checks) for i in range(self.checks)}
        for number, chosen in enumerate(batches(len(images), batch, steps, self.seed), start=1):
            some, before = images[chosen], (number - 1) * self.batch
            if change is not None:
                some = change(np.asarray(some), np.arange(before, before + len(some)))
            x = self._input(some)
            if self.flip:
                x = flip(x, mix(self.seed, 1, number))
            for optimiser in optimisers:
                optimiser.param_groups[0]["lr"] = self.learning_rate * rate(number, steps, self.rise, self.decay)
            yield Step(number, x, columns[chosen].to(self.device), before + self.batch, number in check_at)
            progress(number / steps)

    def _input(self, images: np.ndarray) -> Tensor:
        """Images on the device, in [-1, 1].  They travel as bytes, and a GPU takes them while the CPU goes on."""
        some = torch.from_numpy(np.array(images))
        if torch.device(self.device).type == "cuda":
            some = some.pin_memory().to(self.device, non_blocking=True)
        return to_float(some, self.device).contiguous(memory_format=torch.channels_last)

    def _validate(self, best: BestCheck, shown: int, validation: Labelled) -> dict[str, Any]:
        """Score the validation images after ``shown`` training images and keep the weights if none did better."""
        logits, truth = torch.from_numpy(self._scores(validation[0])), torch.from_numpy(validation[1])
        correct, loss = float((logits.argmax(1) == truth).float().mean()), float(F.cross_entropy(logits, truth))
        if best.offer(self.network_, correct, loss):
            self.chosen_ = {"images": shown, "validation_accuracy": 100 * correct}
        return {"images": shown, "accuracy": 100 * correct, "loss": loss}

    @torch.inference_mode()
    def _run(self, function: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
        """A function of images in [-1, 1], batch by batch."""
        starts = range(0, len(images), PREDICT_BATCH)
        parts = [function(self._input(images[i : i + PREDICT_BATCH])) for i in starts]
        return torch.cat(parts).float().cpu().numpy()

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self._run(self.network_, images)

    def _state(self) -> dict[str, Tensor]:
        return self.network_.state_dict()

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.network_ = self._placed(self._network())
        self.network_.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})


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

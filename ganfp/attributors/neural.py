"""What the attributors that are networks share: where they are built, trained, asked, checked, and saved."""

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp import memory
from ganfp.attributors.base import Ahead, Attributor, Change, Labelled, Progress, cut, on_device
from ganfp.attributors.optimisers import OPTIMISERS, Rates, descend, optimisers_of
from ganfp.captured import STEPS_BETWEEN_CHECKS, Captured, Losses, Rows, resident
from ganfp.gans.base import SMALLEST, doublings
from ganfp.images import to_float
from ganfp.layers import channels
from ganfp.seeding import deterministic, drawn_with, mix

PREDICT_PIXELS = {"cpu": 2**18, "cuda": 2**22}  # of a batch; what a network makes of it fits into a core's caches
MAPS = 50  # of a layer, for an image: what is kept for the gradient, and gradients, of visNet's three networks
PRECISIONS = ("float32", "bfloat16", "auto")

Network = TypeVar("Network", bound=nn.Module)
Module = TypeVar("Module", bound=nn.Module)
Item = TypeVar("Item")
Update = Callable[[Tensor, Tensor, dict[str, Tensor]], dict[str, Tensor]]
"""One step of training, from x (n, 3, R, R) in [-1, 1], classes y (n,) and what else changes, to its losses."""
Changing = Callable[[int, int], dict[str, Tensor]]
"""What else an update takes that changes, from the number of the step, from 1 on, and of its images."""


@dataclass(eq=False, kw_only=True)
class NeuralAttributor(Attributor, Generic[Network]):
    """An attributor whose ``network_`` maps images (N, 3, R, R) in [-1, 1] to logits (N, K).

    The stage that enters at resolution R ends with ``min(fmap_base / R, fmap_max)`` feature maps.  ``images`` are shown
    in all, repetitions counted, each mirrored with probability 1/2 if ``flip``.  ``rise`` and ``decay``: shares of the
    training in which the learning rate rises from 0, at its start, and falls to 0, at its end.  ``checks`` times the
    validation images are scored, and the weights of the best check are kept (highest accuracy, then lowest loss);
    without validation images the last are.  The defaults are the official code's at 128 px.

    ``optimiser`` is ``"adam"``, the paper's, or ``"muon"``, see ``ganfp.attributors.optimisers``.  ``precision``, in
    which convolutions and dense layers compute while they train: ``"float32"``, ``"bfloat16"``, or ``"auto"``, the
    lower one where the device has instructions for it.
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
    optimiser: str = "adam"
    precision: str = "float32"

    eager: ClassVar[bool] = False  # on a GPU, whether each step is asked for anew and not replayed, for comparison
    group: ClassVar[int] = 1  # what the size of a batch is a multiple of

    @classmethod
    def memory(cls, settings: Mapping[str, Any], resolution: int) -> float:
        one = cls(**settings)
        maps = sum(side**2 * channels(side, one.fmap_base, one.fmap_max) for side in doublings(SMALLEST, resolution))
        return 4 * MAPS * maps * one.batch

    @abstractmethod
    def _network(self) -> Network:
        """A new network of the settings, ``resolution_`` and ``classes_``."""

    def _check_settings(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"optimiser must be one of {', '.join(OPTIMISERS)}, not {self.optimiser!r}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {self.precision!r}")

    def _trainer(self) -> tuple[list[torch.optim.Optimizer], Update, Changing]:
        """The optimisers of a training of ``network_``, its step, of tensors alone, and what that takes from the CPU.

        Here cross-entropy, and no other loss, which takes nothing more.
        """
        network, optimisers = self.network_, self._optimisers(self.network_)
        low = self.precision == "bfloat16" or self.precision == "auto" and has_bfloat16(self.device)
        lowered = torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=low, cache_enabled=False)

        def update(x: Tensor, y: Tensor, row: dict[str, Tensor]) -> dict[str, Tensor]:
            with lowered:
                logits = network(x)
            loss = F.cross_entropy(logits.float(), y)
            descend(optimisers, loss)
            return {"classification": loss}

        return optimisers, update, lambda number, n: {}

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        self.network_ = self._built(self._network, self.seed)
        self._train(images, codes, validation, progress)

    def _built(self, build: Callable[[], Module], seed: int) -> Module:
        """A new network whose weights depend on ``seed`` alone."""
        with drawn_with(seed):
            return self._placed(build())

    def _placed(self, network: Module) -> Module:
        return network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _optimisers(self, network: nn.Module) -> list[torch.optim.Optimizer]:
        return optimisers_of(network, self.optimiser, self.learning_rate)

    def _train(
        self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress,
        change: Change | None = None,
    ) -> None:  # fmt: skip
        """Train ``network_`` on, keep the weights of the best check; ``history_``: a row of each, with mean losses."""
        memory.keep()
        steps = max(1, self.images // self.batch)
        check_at = {round(steps * (i + 1) / self.checks) for i in range(self.checks)}
        best, weights = None, None
        self.history_: list[dict[str, Any]] = []
        with deterministic():
            losses = self._sums = Losses(torch.device(self.device))
            for number in self._steps(images, codes, steps, change):
                if number in check_at or losses.steps == STEPS_BETWEEN_CHECKS:
                    row: dict[str, Any] = losses.means()
                    if not all(map(np.isfinite, row.values())):
                        raise FloatingPointError(f"a loss is not finite after {number} steps; lower learning_rate")
                if number in check_at:
                    row["images"] = number * self.batch
                    if validation is not None:
                        row |= self._validated(*validation)
                        if best is None or (row["accuracy"], -row["loss"]) > best:
                            best, weights = (row["accuracy"], -row["loss"]), copy.deepcopy(self.network_.state_dict())
                            self.chosen_ = {"images": row["images"], "validation_accuracy": row["accuracy"]}
                    self.history_.append(row)
                    losses.clear()
                progress(number / steps)
        if weights is not None:
            self.network_.load_state_dict(weights)

    def _steps(self, images: np.ndarray, codes: np.ndarray, steps: int, change: Change | None) -> Iterator[int]:
        """Train; yields the number of each step after it.

        Images are on the device, or a GPU has no room for them or a ``change`` makes new ones: these come in the rows.
        """
        optimisers, update, changing = self._trainer()
        device, size = torch.device(self.device), min(self.batch, len(images) // self.group * self.group)
        rates, columns, coming = Rates(optimisers, device), torch.from_numpy(codes).to(device), Rows(device)
        there = resident(images, device) if change is None and fits(images, device) else None
        order = batches(len(images), size, steps, self.seed)

        def row(number: int) -> dict[str, Tensor]:
            chosen, before = next(order), (number - 1) * self.batch
            found = {"factor": torch.tensor(rate(number, steps, self.rise, self.decay), dtype=torch.float64)}
            found |= {"chosen": torch.from_numpy(chosen)}
            if there is None:
                some = np.asarray(images[chosen])
                some = some if change is None else change(some, np.arange(before, before + len(some)))
                found["shown"] = torch.from_numpy(np.ascontiguousarray(some))
            if self.flip:
                found["mirrored"] = mirrored(size, mix(self.seed, 1, number))
            return found | changing(number, size)

        def body() -> None:
            now = coming.read()
            rates.scale(now["factor"])
            x = now["shown"] if there is None else there.index_select(0, now["chosen"])
            x = flip(self._seen(x), now["mirrored"]) if self.flip else self._seen(x)
            self._sums.add(update(x, columns.index_select(0, now["chosen"]), now))

        step, first = Captured(body, device, self.eager), row(1)
        coming.begin(first)
        # a change may ask the network as it is by then, as adversarial training does
        ahead = change is None or isinstance(change, Ahead)
        length = coming.capacity if ahead else 1
        blocks = (
            [first if n == 1 else row(n) for n in range(start, min(steps + 1, start + length))]
            for start in range(1, steps + 1, length)
        )
        blocks = made_ahead(blocks) if ahead and device.type == "cuda" else blocks
        for number in range(1, steps + 1):
            if not coming.left:
                coming.fill(next(blocks))
            coming.left -= 1
            step()
            self._sums.steps += 1
            yield number

    def _validated(self, images: np.ndarray, codes: np.ndarray) -> dict[str, float]:
        logits, truth = torch.from_numpy(self._scores(images)), torch.from_numpy(codes)
        right = float((logits.argmax(1) == truth).float().mean())
        return {"accuracy": 100 * right, "loss": float(F.cross_entropy(logits, truth))}

    def _seen(self, images: Tensor) -> Tensor:
        """Images, uint8, in [-1, 1]."""
        return to_float(images).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def _run(self, function: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
        """A function of images in [-1, 1], batch by batch."""
        size = PREDICT_PIXELS[torch.device(self.device).type] // self.resolution_**2
        parts = [function(self._seen(on_device(images[part], self.device))) for part in cut(images, size)]
        return torch.cat(parts).float().cpu().numpy()

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self._run(self.network_, images)

    def _state(self) -> dict[str, np.ndarray]:
        return {name: value.cpu().numpy() for name, value in self.network_.state_dict().items()}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        with torch.device("meta"):  # settings that do not fit the weights are refused before they take memory
            fits = {key: tuple(value.shape) for key, value in self._network().state_dict().items()}
        if fits != {key: value.shape for key, value in state.items()}:
            raise ValueError(f"its weights are not those of a {self.method} with its settings")
        self.network_ = self._placed(self._network())
        self.network_.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})


def made_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made by a thread while the one before it is used."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = worker.submit(next, items, None)
            yield item


def batches(n: int, batch: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """Indices of each batch: n images in a new order every epoch, a last incomplete batch left out."""
    done, epoch = 0, 0
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(n)
        for start in range(0, n - batch + 1, batch):
            if done == steps:
                return
            yield order[start : start + batch]
            done += 1
        epoch += 1


def rate(step: int, steps: int, rise: float, decay: float) -> float:
    """The factor of the learning rate in step 1 ... ``steps``: a line from 0 to 1, then 1, then a line towards 0.

    ``rise`` and ``decay`` are the shares of the steps that the two lines take.  A high rate from the first step on may
    leave a network at chance for long, and a short training at a constant one ends on a step in some direction.
    """
    if min(rise, decay) < 0 or rise + decay > 1:
        raise ValueError(f"rise and decay must be shares of the training, 1 together at most, not {rise} and {decay}")
    up = step / (rise * steps) if rise else 1.0
    down = (1 - (step - 1) / steps) / decay if decay else 1.0
    return min(1.0, up, down)


def mirrored(n: int, seed: int) -> Tensor:
    """Which of n images to mirror, each with probability 1/2: int32, 1 or 0."""
    return (torch.rand(n, generator=torch.Generator().manual_seed(seed)) < 0.5).int()


def flip(x: Tensor, chosen: Tensor) -> Tensor:
    """The images of a batch, those that are chosen (n,) mirrored left to right."""
    return torch.where(chosen.bool()[:, None, None, None], x.flip(-1), x)


def fits(images: np.ndarray, device: torch.device) -> bool:
    """Whether a device has room for images: a CPU has, as they may stay on the disk, a GPU in half of what is free."""
    return device.type != "cuda" or images.nbytes <= torch.cuda.mem_get_info(device)[0] // 2


def has_bfloat16(device: str) -> bool:
    """Whether a device multiplies bfloat16 faster than float32, instead of imitating it."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))

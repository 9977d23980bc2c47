"""One training loop for every source of images: deterministic, resumable.

All randomness is a function of three seeds and a position, never of a state that must be carried along: the
weights start from ``init``; the latents of iteration t come from (``noise``, t); the real images of epoch e come in
the permutation of (``order``, e).  A training that is stopped and resumed therefore ends with the same bytes as
one that was not, and two trainings that differ in one image stay byte-equal until that image is seen.
"""

import copy
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.captured import STEPS_BETWEEN_CHECKS, Captured, Losses, Rows, resident
from ganfp.files import read_tensors, write_tensors
from ganfp.gans.base import Stage
from ganfp.gans.resample import fading
from ganfp.seeding import drawn_with
from ganfp.worlds import rows

GENERATOR = "generator.safetensors"
PIXELS_AT_A_TIME = 1000  # images of which a digest is made
ROWS = 400  # of the training curves
POSITION = ("seen", "iteration", "seconds", "resolution", "rows")  # in a checkpoint, beside the tensors


@dataclass(frozen=True)
class Seeds:
    """The three sources of randomness of a training: weights, latents, order of the images."""

    init: int
    noise: int
    order: int

    @classmethod
    def all(cls, seed: int) -> Self:
        """All three varied together, as the official code's one seed does (Table 3)."""
        return cls(seed, seed, seed)


class DivergedError(RuntimeError):
    """A loss stopped being finite."""


class Loop(ABC):
    """The state of a training of the networks ``trained``; the ``average`` of the first one is what samples.

    ``images`` are uint8 (N, 3, R, R), an array or a memmap, with R the configuration's resolution.  On a GPU, which
    holds them all, the step is captured once for each form that it takes, and replayed, unless ``eager``.
    """

    trained: ClassVar[tuple[str, ...]]
    batches = 1  # of images in an iteration

    def __init__(
        self, name: str, config, seeds: Seeds, images: np.ndarray, device: str = "cpu", eager: bool = False
    ) -> None:
        shape, first = (3, config.resolution, config.resolution), config.stage(0)
        if images.shape[1:] != shape or images.dtype != np.uint8:
            raise ValueError(f"images must be uint8 (N, {str(shape)[1:]}, not {images.dtype} {images.shape}")
        if len(images) < first.batch:
            raise ValueError(f"{len(images)} images are fewer than one batch of {first.batch}")
        self.name, self.config, self.seeds, self.images = name, config, seeds, images
        self.device = torch.device(device)
        with drawn_with(seeds.init):  # weights are drawn on the CPU: the same on every device
            networks = [build(config) for build in self._builders()]
        for part, network in zip(self.trained, networks, strict=True):
            setattr(self, part, network.to(device=self.device, memory_format=torch.channels_last))
        self.average = copy.deepcopy(getattr(self, self.trained[0])).requires_grad_(False).eval()
        self.seen = 0  # images shown
        self.iteration = 0
        self.seconds = 0.0
        self.rows: list[dict] = []  # training curves
        lazy = isinstance(images, rows.Rows) and self.device.type == "cpu"
        array, self._order = (images.array, images.order) if lazy else (images, np.arange(len(images)))
        self._resident, self._eager = resident(array, self.device), eager
        self._losses, self._coming, self._form = Losses(self.device), Rows(self.device), None
        self._reset_optimisers(first.resolution)

    @abstractmethod
    def _builders(self) -> list[Callable[..., nn.Module]]:
        """What builds each of the networks ``trained`` from the configuration."""

    @abstractmethod
    def _row(self, stage: Stage, seen: int, iteration: int) -> dict[str, Tensor]:
        """All that changes from step to step."""

    @abstractmethod
    def _body(self, stage: Stage) -> None:
        """A step of tensors alone: nothing in it waits for a number, and all that changes comes in the next row."""

    def step(self) -> None:
        """All updates of one iteration; raises :class:`DivergedError` where a loss is found not to be finite."""
        stage = self.config.stage(self.seen)
        if _form(stage) != self._form:
            self._enter(stage)
        if not self._coming.left:
            self._coming.fill(self._drawn(stage))
        self._coming.left -= 1
        self._advance()
        self.seen += stage.batch * self.batches
        self.iteration += 1
        self._losses.steps += 1
        if self.seen * ROWS // self.config.total_images > len(self.rows):
            self.flush()
        elif self._losses.steps % STEPS_BETWEEN_CHECKS == 0:
            self._means()

    def _enter(self, stage: Stage) -> None:
        """Begin to step in another form; what was captured of the old one is gone before the new one is."""
        self._advance = None
        for part in self.trained:
            self._optimiser(part).zero_grad(set_to_none=True)
        if stage.resolution != self.resolution:
            self._reset_optimisers(stage.resolution)  # as ProGAN does whenever the networks grow
        self._form = _form(stage)
        self._coming.begin(self._row(stage, self.seen, self.iteration))
        self._advance = Captured(lambda: self._body(stage), self.device, self._eager)

    def _drawn(self, stage: Stage) -> list[dict[str, Tensor]]:
        """The rows of the next steps, as many as are sent together, or as are left in this form."""
        found = []
        for ahead in range(self._coming.capacity):
            seen = self.seen + ahead * stage.batch * self.batches
            then = self.config.stage(seen)
            if ahead and (_form(then) != self._form or seen >= self.config.total_images):
                break
            found.append(self._row(then, seen, self.iteration + ahead))
        return found

    def _real(self, places: Tensor, stage: Stage) -> Tensor:
        """Images in [-1, 1], reduced by box averages to the stage's resolution and rounded to grey levels."""
        batch = self._resident.index_select(0, places).float()
        if stage.resolution < self.config.resolution:
            batch = F.avg_pool2d(batch, self.config.resolution // stage.resolution).round_()
        return batch.div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)

    def _shown(self, seen: int, batch: int) -> Tensor:
        """The rows of the resident images that an iteration shows, (batches, batch) int32."""
        positions = np.arange(seen, seen + self.batches * batch)
        return torch.from_numpy(self._order[self.indices(positions)].reshape(self.batches, -1).astype(np.int32))

    def indices(self, positions: np.ndarray) -> np.ndarray:
        """Which image stands at each position of the endless stream of epochs; depends on ``order`` and N alone."""
        n = len(self.images)
        epochs, slots = np.divmod(positions, n)
        return np.concatenate(
            [permutation(n, self.seeds.order, int(e))[slots[epochs == e]] for e in np.unique(epochs)]
        )

    def _optimiser(self, part: str) -> torch.optim.Optimizer:
        return getattr(self, f"{part}_optimiser")

    def _reset_optimisers(self, resolution: int) -> None:
        self.resolution = resolution
        betas, on_gpu = tuple(map(float, self.config.betas)), self.device.type == "cuda"
        # a tensor that each step fills; torch's fused Adam takes what the device computes with
        self.rate = torch.zeros((), dtype=torch.float32 if on_gpu else torch.float64, device=self.device)
        for part in self.trained:
            weights = getattr(self, part).parameters()
            adam = torch.optim.Adam(weights, self.rate, betas, eps=1e-8, fused=True, capturable=on_gpu)
            setattr(self, f"{part}_optimiser", adam)

    def _means(self) -> dict[str, float]:
        """The mean losses of the row so far; raises :class:`DivergedError` if one is not finite."""
        means = self._losses.means()
        for name, value in means.items():
            if not np.isfinite(value):
                raise DivergedError(
                    f"{self.name}: the {name} loss is {value} after {self.seen} images at {self.resolution} px; "
                    "lower the learning rate or train with another seed (the last checkpoint is sound)"
                )
        return means

    def flush(self) -> None:
        """Close a row of the training curves; raises :class:`DivergedError` if a loss in it is not finite."""
        if not self._losses.steps:
            return
        stage, means = self.config.stage(self.seen), self._means()
        self.rows.append({"images": self.seen, "resolution": stage.resolution, "blend": stage.blend, **means})
        self._losses.clear()

    def save(self, path: Path) -> None:
        """Write everything that the training needs to go on, atomically, in one file."""
        if self._losses.steps:
            self._means()
        tensors = {"losses": self._losses.totals}
        for part in (*self.trained, "average"):
            tensors |= {f"{part}.{key}": value for key, value in getattr(self, part).state_dict().items()}
        for part in self.trained:
            for index, state in self._optimiser(part).state_dict()["state"].items():
                tensors |= {f"{part}_optimiser.{index}.{key}": value for key, value in state.items()}
        position, losses = {key: getattr(self, key) for key in POSITION}, [self._losses.names, self._losses.steps]
        run = self._identity() | {"pixels": self._pixels}
        write_tensors(path, tensors, {"run": run, "position": position, "losses": losses})

    def _identity(self) -> dict:
        """What a checkpoint must agree on before it may be resumed."""
        config, seeds = asdict(self.config), asdict(self.seeds)
        return {"name": self.name, "config": config, "seeds": seeds, "images": len(self.images)}

    @cached_property
    def _pixels(self) -> str:
        """SHA-256, as hex, of the images in their order."""
        digest = hashlib.sha256()
        for start in range(0, len(self.images), PIXELS_AT_A_TIME):
            digest.update(np.ascontiguousarray(self.images[start : start + PIXELS_AT_A_TIME]))
        return digest.hexdigest()

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint; ``ValueError`` if it is one of other images, another configuration or seed."""
        tensors, meta = read_tensors(path, self.device)
        wanted = json.loads(json.dumps(self._identity() | {"pixels": self._pixels}))
        if not isinstance(meta.get("run"), dict):
            raise ValueError(f"{path} is no checkpoint; delete it to begin anew")
        if differs := ", ".join(sorted(key for key in wanted if meta["run"].get(key) != wanted[key])):
            raise ValueError(f"{path} was made with other {differs}; resume with the same, or use a new folder")
        for key, value in meta["position"].items():
            setattr(self, key, value)
        for part in (*self.trained, "average"):
            getattr(self, part).load_state_dict(_under(tensors, part))
        self._reset_optimisers(self.resolution)
        for part in self.trained:
            optimiser = self._optimiser(part)
            for key, value in _under(tensors, f"{part}_optimiser").items():
                index, name = key.split(".")
                parameter = optimiser.param_groups[0]["params"][int(index)]
                # moments must lie in memory as their parameter does: the fused Adam walks both alike
                moment = value if name == "step" else torch.empty_like(parameter.detach()).copy_(value)
                optimiser.state[parameter][name] = moment
        self._losses.names, self._losses.steps = meta["losses"]
        self._losses.totals, self._form = tensors["losses"], None

    def export_generator(self, folder: Path) -> None:
        """Write the averaged generator, with its resolution and blend: one that is fading in must be sampled so."""
        write_tensors(folder / GENERATOR, self.average.state_dict(), self.meta())

    def meta(self) -> dict:
        """What is written beside weights."""
        stage = self.config.stage(self.seen)
        return {**self._identity(), "resolution": stage.resolution, "blend": stage.blend, "seen": self.seen}


@lru_cache(maxsize=8)  # trainings side by side, two epochs in a batch
def permutation(n: int, order: int, epoch: int) -> np.ndarray:
    """The order in which an epoch shows the critic ``n`` images; ``order`` is the seed of that name."""
    return np.random.default_rng([order, epoch]).permutation(n)


def _form(stage: Stage) -> tuple:
    """What differs between stages whose steps do not do the same."""
    return stage.resolution, stage.batch, fading(stage.blend)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries below ``prefix.``, without it."""
    return {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(prefix + ".")}

"""One training loop for every GAN: deterministic, resumable, bounded by images or by seconds.

All randomness is a function of three seeds and a position, never of a state that must be carried along: the
weights start from ``init``; the latents of iteration t come from (``noise``, t); the real images of epoch e come in
the permutation of (``order``, e).  A training that is stopped and resumed therefore ends with the same bytes as
one that was not, and two trainings that differ in one image stay byte-equal until that image is seen.
"""

import copy
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp import memory
from ganfp.captured import STEPS_BETWEEN_CHECKS, Captured, Losses, Rows, resident
from ganfp.files import read_tensors, write_json, write_tensors
from ganfp.gans import config_from, gan_class
from ganfp.gans.base import Stage
from ganfp.gans.resample import Blend, fading
from ganfp.images import quantise
from ganfp.layers import weights_fixed
from ganfp.processes import between_steps
from ganfp.seeding import deterministic, drawn_with, mix
from ganfp.worlds import rows

CHECKPOINT, GENERATOR, CRITIC = "checkpoint.safetensors", "generator.safetensors", "critic.safetensors"
HISTORY, SNAPSHOTS = "history.json", "snapshots"
SAMPLING_BATCH = 250
PIXELS_AT_A_TIME = 1000  # images of which a digest is made
ROWS = 400  # of the training curves
SECONDS_BETWEEN_CHECKPOINTS = 60.0
NETWORKS, OPTIMISERS = ("generator", "critic", "average"), ("generator_optimiser", "critic_optimiser")
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


class Training:
    """The state of one training; :meth:`step` advances it by one generator update.

    ``images`` are uint8 (N, 3, R, R), an array or a memmap, with R the configuration's resolution.  On a GPU, which
    holds them all, the step is captured once for each form that it takes, and replayed, unless ``eager``.
    """

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
        self.gan = gan_class(name)(config)
        with drawn_with(seeds.init):  # weights are drawn on the CPU: the same on every device
            self.generator, self.critic = self.gan.Generator(config), self.gan.Critic(config)
        for network in (self.generator, self.critic):
            network.to(device=self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.seen = 0  # images shown to the critic
        self.iteration = 0  # updates of the generator
        self.seconds = 0.0
        self.rows: list[dict] = []  # training curves
        lazy = isinstance(images, rows.Rows) and self.device.type == "cpu"
        array, self._order = (images.array, images.order) if lazy else (images, np.arange(len(images)))
        self._resident, self._eager = resident(array, self.device), eager
        self._losses, self._coming, self._form = Losses(self.device), Rows(self.device), None
        self._reset_optimisers(first.resolution)

    def step(self) -> None:
        """``critic_steps`` updates of the critic, one of the generator, one of its moving average."""
        stage = self.config.stage(self.seen)
        if _form(stage) != self._form:
            self._enter(stage)
        if not self._coming.left:
            self._coming.fill(self._drawn(stage))
        self._coming.left -= 1
        self._advance()
        self.seen += stage.batch * self.config.critic_steps
        self.iteration += 1
        self._losses.steps += 1
        if self.seen * ROWS // self.config.total_images > len(self.rows):
            self.flush()
        elif self._losses.steps % STEPS_BETWEEN_CHECKS == 0:
            self._means()

    def _enter(self, stage: Stage) -> None:
        """Begin to step in another form; what was captured of the old one is gone before the new one is."""
        self._advance = None
        for optimiser in (self.critic_optimiser, self.generator_optimiser):
            optimiser.zero_grad(set_to_none=True)
        if stage.resolution != self.resolution:
            self._reset_optimisers(stage.resolution)  # as ProGAN does whenever the networks grow
        self._form = _form(stage)
        self._coming.begin(self._row(stage, self.seen, self.iteration))
        self._advance = Captured(lambda: self._body(stage), self.device, self._eager)

    def _drawn(self, stage: Stage) -> list[dict[str, Tensor]]:
        """The rows of the next steps, as many as are sent together, or as are left in this form."""
        found = []
        for ahead in range(self._coming.capacity):
            seen = self.seen + ahead * stage.batch * self.config.critic_steps
            then = self.config.stage(seen)
            if ahead and (_form(then) != self._form or seen >= self.config.total_images):
                break
            found.append(self._row(then, seen, self.iteration + ahead))
        return found

    def _row(self, stage: Stage, seen: int, iteration: int) -> dict[str, Tensor]:
        """All that changes from step to step: learning rate and blend, order of the images, random numbers."""
        random = torch.Generator().manual_seed(mix(self.seeds.noise, iteration))
        steps, blend = self.config.critic_steps, float(stage.blend)
        order = self._order[self.indices(np.arange(seen, seen + steps * stage.batch))].reshape(steps, -1)
        numbers = [self.gan.numbers(stage, random) for _ in range(steps)]
        return {
            "scales": torch.tensor([stage.learning_rate, blend, 1 - blend], dtype=torch.float64),
            "order": torch.from_numpy(order.astype(np.int32)),
            **{name: torch.stack([one[name] for one in numbers]) for name in numbers[0]},
            "last": torch.stack([self.gan.latents(stage.batch, random) for _ in range(self.gan.fakes)]),
        }

    def _body(self, stage: Stage) -> None:
        """A step of tensors alone: nothing in it waits for a number, and all that changes comes in the next row."""
        row = self._coming.read()
        rate, *blend = row.pop("scales")
        self.rate.copy_(rate)
        if fading(stage.blend):
            stage = replace(stage, blend=Blend(*(share.float() for share in blend)))
        order, last = row.pop("order"), row.pop("last")
        with weights_fixed():
            for i, places in enumerate(order):
                numbers = {name: values[i] for name, values in row.items()}
                real = self.gan.real(self._real(places, stage), stage, numbers)
                with torch.no_grad():
                    fake = self._fake(numbers["latents"], stage)
                with weights_fixed():
                    critic_loss, parts = self.gan.critic_loss(self.critic, real, fake, stage, numbers)
                _update(self.critic_optimiser, critic_loss, self.gan.clip)
        self.critic.requires_grad_(False)
        loss = self.gan.generator_loss(self.critic, self._fake(last, stage), stage, real)
        _update(self.generator_optimiser, loss, self.gan.clip)
        self.critic.requires_grad_(True)
        self._update_average()
        self._losses.add({"critic": critic_loss, **parts, "generator": loss})

    def _real(self, places: Tensor, stage: Stage) -> Tensor:
        """Images in [-1, 1], reduced by box averages to the stage's resolution and rounded to grey levels."""
        batch = self._resident.index_select(0, places).float()
        if stage.resolution < self.config.resolution:
            batch = F.avg_pool2d(batch, self.config.resolution // stage.resolution).round_()
        return batch.div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)

    def indices(self, positions: np.ndarray) -> np.ndarray:
        """Which image stands at each position of the endless stream of epochs; depends on ``order`` and N alone."""
        n = len(self.images)
        epochs, slots = np.divmod(positions, n)
        return np.concatenate(
            [permutation(n, self.seeds.order, int(e))[slots[epochs == e]] for e in np.unique(epochs)]
        )

    def _fake(self, latents: Iterable[Tensor], stage: Stage) -> Tensor:
        """Generated images, as many batches as the loss takes; each batch passes the generator by itself."""
        return torch.cat([self.generator(z, stage.resolution, stage.blend) for z in latents])

    def _update_average(self) -> None:
        with torch.no_grad():
            averages, values = list(self.average.parameters()), list(self.generator.parameters())
            torch._foreach_lerp_(averages, values, 1 - self.config.ema)
            for average, value in zip(self.average.buffers(), self.generator.buffers(), strict=True):
                average.copy_(value)

    def _reset_optimisers(self, resolution: int) -> None:
        self.resolution = resolution
        betas, on_gpu = tuple(map(float, self.config.betas)), self.device.type == "cuda"
        # a tensor that each step fills; torch's fused Adam takes what the device computes with
        self.rate = torch.zeros((), dtype=torch.float32 if on_gpu else torch.float64, device=self.device)
        self.critic_optimiser, self.generator_optimiser = (
            torch.optim.Adam(network.parameters(), self.rate, betas, eps=1e-8, fused=True, capturable=on_gpu)
            for network in (self.critic, self.generator)
        )

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
        for part in NETWORKS:
            tensors |= {f"{part}.{key}": value for key, value in getattr(self, part).state_dict().items()}
        for part in OPTIMISERS:
            for index, state in getattr(self, part).state_dict()["state"].items():
                tensors |= {f"{part}.{index}.{key}": value for key, value in state.items()}
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
        for part in NETWORKS:
            getattr(self, part).load_state_dict(_under(tensors, part))
        self._reset_optimisers(self.resolution)
        for part in OPTIMISERS:
            optimiser = getattr(self, part)
            for key, value in _under(tensors, part).items():
                index, name = key.split(".")
                parameter = optimiser.param_groups[0]["params"][int(index)]
                # moments must lie in memory as their parameter does: the fused Adam walks both alike
                moment = value if name == "step" else torch.empty_like(parameter.detach()).copy_(value)
                optimiser.state[parameter][name] = moment
        self._losses.names, self._losses.steps = meta["losses"]
        self._losses.totals, self._form = tensors["losses"], None

    def export(self, folder: Path) -> None:
        """Write the averaged generator, the critic and the training curves for use outside the training."""
        self.export_generator(folder)
        write_tensors(folder / CRITIC, self.critic.state_dict(), self._meta())
        history = {"rows": self.rows, "seen": self.seen, "iterations": self.iteration, "seconds": self.seconds}
        write_json(folder / HISTORY, history)

    def export_generator(self, folder: Path) -> None:
        """Write the averaged generator, with its resolution and blend: one that is fading in must be sampled so."""
        write_tensors(folder / GENERATOR, self.average.state_dict(), self._meta())

    def _meta(self) -> dict:
        stage = self.config.stage(self.seen)
        return {**self._identity(), "resolution": stage.resolution, "blend": stage.blend, "seen": self.seen}


def train(
    name: str, config, seeds: Seeds, images: np.ndarray, folder: Path, *, device: str = "cpu",
    budget: float | None = None, resume: bool = False, progress: Callable[[float], None] | None = None,
    snapshots: Sequence[int] = (), eager: bool = False,
) -> bool:  # fmt: skip
    """Train a GAN until it has seen ``config.total_images``, or for ``budget`` seconds of this call.

    Writes ``generator.safetensors`` (the moving average), ``critic.safetensors`` and ``history.json`` into
    ``folder``, and a checkpoint at least every minute and when it is interrupted, as by Ctrl-C.  With ``resume`` it
    goes on from the checkpoint there, if there is one; without, one there is a ``FileExistsError``: nothing is lost.
    ``progress`` is called with the share done, 0 to 1.  After each number of images in ``snapshots`` the generator so
    far is also written into ``snapshots/NUMBER``, from where it can be sampled.  ``eager``: see :class:`Training`.
    Returns whether the training is complete; after an exhausted budget the generator written is the one so far, at its
    own resolution and blend.
    """
    if budget is not None and budget <= 0:
        raise ValueError(f"budget must be a positive number of seconds, not {budget}")
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / CHECKPOINT
    memory.keep()
    with deterministic(), between_steps() as interrupted:
        training = Training(name, config, seeds, images, device, eager)
        if checkpoint.exists():
            if not resume:
                raise FileExistsError(f"{checkpoint} exists; resume that training, or train into another folder")
            training.restore(checkpoint)
        started = saved = time.monotonic()
        seconds = training.seconds
        while training.seen < config.total_images and (budget is None or time.monotonic() - started < budget):
            if interrupted:
                break
            before = training.seen
            training.step()
            for count in snapshots:
                if before < count <= training.seen:
                    training.export_generator(folder / SNAPSHOTS / str(count))
            now = time.monotonic()
            training.seconds = seconds + now - started
            if now - saved > SECONDS_BETWEEN_CHECKPOINTS:
                training.save(checkpoint)
                saved = now
            if progress:
                progress(min(1.0, training.seen / config.total_images))
        if complete := training.seen >= config.total_images:
            training.flush()
        training.save(checkpoint)
        training.export(folder)
    return complete


@lru_cache(maxsize=8)  # trainings side by side, two epochs in a batch
def permutation(n: int, order: int, epoch: int) -> np.ndarray:
    """The order in which an epoch shows the critic ``n`` images; ``order`` is the seed of that name."""
    return np.random.default_rng([order, epoch]).permutation(n)


def largest_difference(one: nn.Module, other: nn.Module) -> float:
    """The largest absolute difference between the weights of two networks that are built alike."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def load_generator(folder: Path, device: str = "cpu") -> tuple[nn.Module, dict]:
    """The averaged generator of a finished or interrupted training, and its metadata (name, config, blend, ...)."""
    return _load(folder / GENERATOR, "Generator", device)


def load_critic(folder: Path, device: str = "cpu") -> tuple[nn.Module, dict]:
    """The critic that the generator was trained against, and the same metadata."""
    return _load(folder / CRITIC, "Critic", device)


def _load(path: Path, kind: str, device: str) -> tuple[nn.Module, dict]:
    tensors, meta = read_tensors(path, device)
    try:
        make, config = getattr(gan_class(meta["name"]), kind), config_from(meta["name"], meta["config"])
        with torch.device("meta"):  # settings that do not fit the weights are refused before they take memory
            make(config).load_state_dict(tensors, assign=True)
        network = make(config)
        network.load_state_dict(tensors)
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError, AttributeError) as error:
        raise ValueError(f"{path} does not hold a {kind.lower()} of ganfp ({error})") from error
    network.to(device=device, memory_format=torch.channels_last)
    return network.requires_grad_(False).eval(), meta


def sample(
    folder: Path, count: int, seed: int, device: str = "cpu", progress: Callable | None = None,
    save: Callable[[Tensor], Tensor] = quantise,
) -> np.ndarray:  # fmt: skip
    """Images of a trained GAN, uint8 (count, 3, R, R), at the resolution and blend that its training had reached.

    ``save`` turns the generator's numbers into bytes; another one than the default is for experiments only.
    """
    network, meta = load_generator(folder, device)
    latents = gan_class(meta["name"])(network.config).latents(count, torch.Generator().manual_seed(seed))
    parts = []
    with deterministic(), torch.inference_mode():
        for batch in latents.split(SAMPLING_BATCH):
            parts.append(save(network(batch.to(device), meta["resolution"], meta["blend"])).cpu())
            if progress:
                progress(len(parts) * SAMPLING_BATCH / max(SAMPLING_BATCH, count))
    return torch.cat(parts).numpy()


def _form(stage: Stage) -> tuple:
    """What differs between stages whose steps do not do the same."""
    return stage.resolution, stage.batch, fading(stage.blend)


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, clip: float | None) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if clip is not None:
        for parameter in optimiser.param_groups[0]["params"]:  # one by one, as the official code does
            nn.utils.clip_grad_norm_(parameter, clip)
    optimiser.step()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries below ``prefix.``, without it."""
    return {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(prefix + ".")}

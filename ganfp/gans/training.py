"""Trainings of GANs, bounded by images or by seconds, and what is done with what they leave.

What is random depends on seeds and positions alone, see :mod:`ganfp.gans.loop`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ganfp import memory
from ganfp.files import read_tensors, write_json, write_tensors
from ganfp.gans import config_from, gan_class
from ganfp.gans.base import Stage
from ganfp.gans.loop import GENERATOR, Loop, Seeds
from ganfp.gans.resample import Blend, fading
from ganfp.images import quantise
from ganfp.layers import weights_fixed
from ganfp.processes import between_steps
from ganfp.seeding import deterministic, mix

CHECKPOINT, CRITIC = "checkpoint.safetensors", "critic.safetensors"
HISTORY, SNAPSHOTS = "history.json", "snapshots"
SAMPLING_BATCH = 250
SECONDS_BETWEEN_CHECKPOINTS = 60.0


class Training(Loop):
    """A GAN's; :meth:`step` advances it by one update of the generator."""

    trained = ("generator", "critic")

    @property
    def batches(self) -> int:
        return self.config.critic_steps

    def _builders(self) -> list[Callable[..., nn.Module]]:
        self.gan = gan_class(self.name)(self.config)
        return [self.gan.Generator, self.gan.Critic]

    def _row(self, stage: Stage, seen: int, iteration: int) -> dict[str, Tensor]:
        """All that changes from step to step: learning rate and blend, order of the images, random numbers."""
        random = torch.Generator().manual_seed(mix(self.seeds.noise, iteration))
        steps, blend = self.config.critic_steps, float(stage.blend)
        numbers = [self.gan.numbers(stage, random) for _ in range(steps)]
        return {
            "scales": torch.tensor([stage.learning_rate, blend, 1 - blend], dtype=torch.float64),
            "order": self._shown(seen, stage.batch),
            **{name: torch.stack([one[name] for one in numbers]) for name in numbers[0]},
            "last": torch.stack([self.gan.latents(stage.batch, random) for _ in range(self.gan.fakes)]),
        }

    def _body(self, stage: Stage) -> None:
        """``critic_steps`` updates of the critic, one of the generator, one of its moving average."""
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

    def _fake(self, latents: Iterable[Tensor], stage: Stage) -> Tensor:
        """Generated images, as many batches as the loss takes; each batch passes the generator by itself."""
        return torch.cat([self.generator(z, stage.resolution, stage.blend) for z in latents])

    def _update_average(self) -> None:
        with torch.no_grad():
            averages, values = list(self.average.parameters()), list(self.generator.parameters())
            torch._foreach_lerp_(averages, values, 1 - self.config.ema)
            for average, value in zip(self.average.buffers(), self.generator.buffers(), strict=True):
                average.copy_(value)


def train(
    name: str, config, seeds: Seeds, images: np.ndarray, folder: Path, *, device: str = "cpu",
    budget: float | None = None, resume: bool = False, progress: Callable[[float], None] | None = None,
    snapshots: Sequence[int] = (), eager: bool = False,
) -> bool:  # fmt: skip
    """Train a source until it has seen ``config.total_images``, or for ``budget`` seconds of this call.

    Writes ``generator.safetensors`` (the moving average), a GAN's ``critic.safetensors``, and ``history.json`` into
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
        training = getattr(gan_class(name), "Training", Training)(name, config, seeds, images, device, eager)
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
        _export(training, folder)
    return complete


def _export(training: Loop, folder: Path) -> None:
    """Write what is used outside the training: average, critic and training curves."""
    training.export_generator(folder)
    if isinstance(training, Training):
        write_tensors(folder / CRITIC, training.critic.state_dict(), training.meta())
    history = {"rows": training.rows, "seen": training.seen, "iterations": training.iteration}
    write_json(folder / HISTORY, {**history, "seconds": training.seconds})


def largest_difference(one: nn.Module, other: nn.Module) -> float:
    """The largest absolute difference between the weights of two networks that are built alike."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def load_generator(folder: Path, device: str = "cpu") -> tuple[nn.Module, dict]:
    """The averaged generator of a training, finished or not, and its metadata (name, config, blend, ...).

    folder: of the training, or the generator's own file.
    """
    return _load(folder if folder.is_file() else folder / GENERATOR, "Generator", device)


def load_critic(folder: Path, device: str = "cpu") -> tuple[nn.Module, dict]:
    """The critic that the generator was trained against, and the same metadata."""
    return _load(folder / CRITIC, "Critic", device)


def _load(path: Path, kind: str, device: str) -> tuple[nn.Module, dict]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: name the folder of a training, or the file of a generator")
    tensors, meta = read_tensors(path, device)
    try:
        make, config = getattr(gan_class(meta["name"]), kind), config_from(meta["name"], meta["config"])
        with torch.device("meta"):  # settings that do not fit the weights are refused before they take memory
            make(config).load_state_dict(tensors, assign=True)
        network = make(config)
        network.load_state_dict(tensors)
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError, AttributeError) as error:
        why = str(error).partition("\n")[0].rstrip(":")  # torch goes on with every tensor
        raise ValueError(f"{path} does not hold a {kind.lower()} of ganfp ({why})") from error
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


def _update(optimiser: torch.optim.Optimizer, loss: Tensor, clip: float | None) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if clip is not None:
        for parameter in optimiser.param_groups[0]["params"]:  # one by one, as the official code does
            nn.utils.clip_grad_norm_(parameter, clip)
    optimiser.step()

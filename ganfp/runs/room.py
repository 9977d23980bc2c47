"""Whether what is to be made has room: on the disk, and on the GPU."""

import shutil
from collections.abc import Iterable
from functools import cache, singledispatch
from pathlib import Path
from typing import Any

import torch

from ganfp.gans import gan_class
from ganfp.runs.recipes.attacked import Resaved
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.gans import GAN
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample


@singledispatch
def disk(recipe: Recipe) -> float:
    """Bytes of the images, or of the GAN, that an artifact keeps: nearly all that is on the disk."""
    return 0.0


@disk.register
def _(recipe: Images) -> float:
    return 3 * recipe.count * recipe.resolution**2


@disk.register
def _(recipe: Sample) -> float:
    return 3 * recipe.count * recipe.origin.resolution**2


@disk.register
def _(recipe: Resaved) -> float:
    return disk(recipe.sample)


@disk.register
def _(recipe: Fit) -> float:
    return sum(map(disk, recipe.setup.part("train"))) if recipe.method == "knn" else 0.0  # its neighbours themselves


@disk.register
def _(recipe: GAN) -> float:
    return weights(recipe.name, recipe.config)


@cache
def weights(name: str, config: Any) -> int:
    """Bytes of a GAN's networks, in single precision."""
    kind = gan_class(name)
    with torch.device("meta"):
        networks = [getattr(kind, part)(config) for part in ("Generator", "Critic") if hasattr(kind, part)]
    return sum(value.nbytes for network in networks for value in network.state_dict().values())


def check(recipes: Iterable[Recipe], root: Path, device: str = "cpu", gpu: float | None = None) -> None:
    """``ValueError`` where the disk of ``root``, or the GPU that is ``device`` or has ``gpu`` bytes, is too small."""
    recipes = list(recipes)
    near = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
    needed, free = sum(map(disk, recipes)), shutil.disk_usage(near).free
    if needed > free:
        what = f"the artifacts take {needed / 1e9:.1f} GB of disk, and {free / 1e9:.1f} are free at {near}"
        raise ValueError(f"{what}; make room, name another folder in GANFP_STORE, or take a smaller profile")
    if gpu is None and torch.device(device).type == "cuda":
        gpu = torch.cuda.get_device_properties(device).total_memory
    for recipe in recipes:
        if gpu is not None and recipe.memory() > gpu:
            most = f"{recipe.memory() / 1e9:.1f} GB of memory, and the GPU has {gpu / 1e9:.1f}"
            raise ValueError(f"{recipe.kind}: one takes {most}; use smaller batches or a larger GPU")

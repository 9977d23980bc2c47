"""`ganfp attribute predict` against Pillow alone, on the same files and cores.

    python benchmarks/predict.py [--files 2000] [--repeat 3] [--methods prnu cnn]

Pillow opens and decodes each file, in one thread and in as many as there are cores, and the better of the two counts.
Prints milliseconds of one core per file of both, which other work on the machine changes little, their ratio (1 is as
fast as Pillow alone), the ratio of files per second, and the largest memory of the process; and what limits the ratio:
what it would be if a file took no more than its reading and its convolutions and matrix products at the rate of a large
product in float32.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from ganfp.attributors import attributor_class
from ganfp.machine import cores
from ganfp.wild import stream
from ganfp.wild.model import Model
from ganfp.wild.prepare import Preparation
from ganfp.wild.train import settings
from ganfp.worlds import faces

KINDS = {  # side of the files, their format, what the model sees of them
    "32 px PNG": (32, "png", Preparation("exact", 32)),
    "128 px PNG": (128, "png", Preparation("exact", 128)),
    "512 px PNG": (512, "png", Preparation("tiles", 128, 4)),
    "1024 px JPEG": (1024, "jpg", Preparation("tiles", 128, 4)),
}


def files(folder: Path, count: int, side: int, suffix: str) -> list[Path]:
    """Noisy pictures, so that they take about as long to decode as photographs."""
    rng = np.random.default_rng(0)
    some = faces.draw(min(count, 20), resolution=min(side, 128), seed=0)
    paths = [folder / f"{i}.{suffix}" for i in range(count)]
    for i, path in enumerate(paths):
        picture = np.kron(some[i % len(some)], np.ones((1, side // some.shape[-1], side // some.shape[-1]), np.uint8))
        noise = rng.normal(0, 4, picture.shape)
        Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)).save(path, quality=90)
    return paths


def fitted(method: str, preparation: Preparation) -> Model:
    """A model with the default settings, trained too briefly to be any good: its answers take as long."""
    rng, side = np.random.default_rng(1), preparation.size
    images = rng.integers(0, 256, (200, 3, side, side), dtype=np.uint8)
    known = settings(method, len(images), side, 64)
    model = Model(attributor_class(method)(**known).fit(images, [f"source {i % 5}" for i in range(200)]), preparation)
    model.calibrate(model.attributor.scores(images), np.arange(200) % 5)
    return model


def decode(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def pillow(paths: Sequence[Path], workers: int) -> None:
    if workers == 1:
        for path in paths:
            decode(path)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(decode, paths, chunksize=32))


def predicted(model: Model, paths: Sequence[Path]) -> None:
    for _, answers in model.ask(paths, lambda share: None):
        assert answers is not None
        _ = answers.sources, answers.probabilities, answers.none


def seconds(function: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Of one core, and of the clock: the best of the repetitions."""
    cpu, clock = [], []
    for _ in range(repeat):
        start = time.process_time(), time.perf_counter()
        function()
        cpu.append(time.process_time() - start[0])
        clock.append(time.perf_counter() - start[1])
    return min(cpu), min(clock)


def peak() -> float:
    """Operations per second of one core in a large product of float32 matrices."""
    a, b = torch.randn(2, 1024, 1024)
    return 8 * 2 * 1024**3 / seconds(lambda: [a @ b for _ in range(8)], 5)[0]


def operations(model: Model) -> int:
    """Of convolutions and matrix products, for a square."""
    with FlopCounterMode(display=False) as counter:
        model.attributor.scores(np.zeros((16, 3, model.preparation.size, model.preparation.size), np.uint8))
    return counter.get_total_flops() // 16


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--files", type=int, default=2000, help="of 32 px; fewer of larger ones")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=["prnu", "cnn"])
    asked = parser.parse_args()
    heads = f"{'Pillow ms':>10} {'predict ms':>10} {'ratio':>6} {'clock':>6} {'MB':>5} {'limit':>6}"
    torch.set_num_threads(1)
    rate = peak()
    print(f"{cores()} cores, {rate / 1e9:.0f} GFLOP/s each\n{'files':<14} {'method':<10} {heads}")
    for kind, (side, suffix, preparation) in KINDS.items():
        count = max(40, asked.files * 32 // side)
        with tempfile.TemporaryDirectory() as folder:
            paths = files(Path(folder), count, side, suffix)
            both = [seconds(partial(pillow, paths, workers), asked.repeat) for workers in {1, cores()}]
            alone, clock = map(min, zip(*both, strict=True))
            reading = seconds(partial(stream.read, paths, preparation), asked.repeat)[0]
            squares = sum(len(item.squares) for item in stream.read(paths, preparation))
            for method in asked.methods:
                model = fitted(method, preparation)
                ours, taken = seconds(partial(predicted, model, paths), asked.repeat)
                limit = alone / (reading + squares * operations(model) / rate)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                times = f"{1000 * alone / count:>10.3f} {1000 * ours / count:>10.3f}"
                ratios = f"{alone / ours:>6.2f} {clock / taken:>6.2f} {memory:>5.0f} {limit:>6.2f}"
                print(f"{kind:<14} {method:<10} {times} {ratios}", flush=True)


if __name__ == "__main__":
    main()

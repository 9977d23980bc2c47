"""Nearest neighbours by perceptual distance: ours beside the lpips package, pair by pair in batches.

    python benchmarks/perceptual.py            one thread, about a minute
    python benchmarks/perceptual.py --quick    fewer images

Both compute the same distance: a seeded trunk (nothing is downloaded) under the package's own heads.  The package is
given a batch of pairs at a time, and timed on some of them; ours finds the nearest of all reference images for every
image, the trunk's work and the exact distance of the winner included.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is imported, or it has no effect

import argparse  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from ganfp.features._tvcompat import import_torchvision  # noqa: E402
from ganfp.features.perceptual import trunk_distance  # noqa: E402
from ganfp.images import to_float  # noqa: E402

PAIRS, BATCH = 256, 64  # given to the package


def package(net: str) -> nn.Module:
    """The lpips package's network on a seeded trunk."""
    import_torchvision()
    import lpips

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()


@torch.inference_mode()
def pairwise(network: nn.Module, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    parts = [
        network(to_float(first[i : i + BATCH]), to_float(second[i : i + BATCH])) for i in range(0, len(first), BATCH)
    ]
    return torch.cat(parts).flatten().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer images")
    count = 500 if parser.parse_args().quick else 2000
    torch.set_num_threads(1)
    print("trunk     px   images x real   package, us a pair   ours, us a pair   ours is   relative difference")
    for net, side in (("alex", 32), ("squeeze", 32), ("alex", 64)):
        rng = np.random.default_rng(0)
        images, real = (rng.integers(0, 256, (n, 3, side, side), dtype=np.uint8) for n in (count, 2 * count))
        network = package(net)
        layers = [layer for name, part in network.net.named_children() if name.startswith("slice") for layer in part]
        distance = trunk_distance(net, nn.Sequential(*layers), weighted=True)

        start = time.perf_counter()
        found = distance.nearest(images, real)
        ours = (time.perf_counter() - start) / (len(images) * len(real))

        first, second = images[:PAIRS], real[found.index[:PAIRS]]
        pairwise(network, first[:BATCH], second[:BATCH])  # warm up
        start = time.perf_counter()
        expected = pairwise(network, first, second)
        theirs = (time.perf_counter() - start) / len(first)
        difference = np.abs(found.distance[:PAIRS] / expected - 1).max()
        print(
            f"{net:8s}{side:4d}   {len(images):6d} x {len(real):4d}   {1e6 * theirs:18.1f}   {1e6 * ours:15.2f}   "
            f"{theirs / ours:6.0f} x   {difference:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()

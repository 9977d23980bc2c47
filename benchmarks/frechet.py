"""Fréchet distance: ours beside what a user would pick instead, in seconds and in agreement.

    python benchmarks/frechet.py            one thread, about two minutes
    python benchmarks/frechet.py --quick    d = 512 only

scipy       sqrtm of the product of the covariances, as the original FID code and clean-fid do
eigvals     eigenvalues of that product, as torch-fidelity 0.4 and torchmetrics do
eigvalsh    eigenvalues of S1^(1/2) S2 S1^(1/2), symmetric
ours        singular values of the product of the centred features (of their R where n > d)

Each is timed from the features on; the features have a decaying spectrum, as a network's do.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is imported, or it has no effect

import argparse  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402
from scipy.linalg import sqrtm  # noqa: E402

from ganfp.metrics import fd_ratio, frechet_distance  # noqa: E402


def _moments(x, y):
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    return s1, s2, np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(s1) + np.trace(s2)


def by_sqrtm(x, y):
    s1, s2, rest = _moments(x, y)
    return rest - 2 * np.trace(sqrtm(s1 @ s2)).real


def by_eigvals(x, y):
    s1, s2, rest = _moments(x, y)
    return rest - 2 * np.sqrt(np.linalg.eigvals(s1 @ s2).astype(complex)).real.sum()


def by_eigvalsh(x, y):
    s1, s2, rest = _moments(x, y)
    values, vectors = np.linalg.eigh(s1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return rest - 2 * np.sqrt(np.linalg.eigvalsh(root @ s2 @ root).clip(0)).sum()


METHODS = {"ours": frechet_distance, "scipy": by_sqrtm, "eigvals": by_eigvals, "eigvalsh": by_eigvalsh}


def features(rng, n, d, scale=1.0):
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (scale * rng.normal(size=(n, d)) / np.sqrt(1 + np.arange(d)) @ turn).astype(np.float64)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="d = 512 only")
    quick = parser.parse_args().quick
    print("   d     n  method     seconds   ours is   relative difference")
    for d, n in ((512, 1000), (512, 400), (2048, 1000))[: 2 if quick else 3]:
        rng = np.random.default_rng(0)
        x, y = features(rng, n, d), features(rng, n, d, 1.2)
        taken = {}
        for name, method in METHODS.items():
            start = time.perf_counter()
            value = method(x, y)
            taken[name] = time.perf_counter() - start
            if name == "ours":
                reference = value
            ratio, difference = taken[name] / taken["ours"], abs(value - reference) / reference
            print(f"{d:4d}  {n:4d}  {name:9s}  {taken[name]:7.2f}  {ratio:6.1f} x   {difference:.1e}", flush=True)

    classes, n, d = 11, 1000, 512
    sample = np.random.default_rng(0).normal(size=(classes * n, d))
    labels = np.repeat([f"source {i}" for i in range(classes)], n)
    for convention in ("matched", "paper"):
        start = time.perf_counter()
        result = fd_ratio(sample, labels, convention)
        seconds = time.perf_counter() - start
        print(f"FD ratio, {convention:8s}{classes} equal classes, n {n}, d {d}: {result.ratio:.3f} in {seconds:.1f} s")


if __name__ == "__main__":
    main()

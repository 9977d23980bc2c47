"""From scores to probabilities: a softmax with one fitted temperature."""

from __future__ import annotations

import numpy as np


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (N, K) in float64 from scores (N, K); each row sums to 1."""
    scaled = np.asarray(scores, dtype=np.float64) / temperature
    exps = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exps / exps.sum(axis=1, keepdims=True)


def fit_temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """The temperature at which ``softmax(scores / T)`` has the least log-loss on labelled images.

    scores: (N, K); codes: (N,) column of the true class.  The predicted class never changes.  Targets are
    smoothed as Platt (1999) does, (N + 1) / (N + K) for the true class and 1 / (N + K) for each other one:
    otherwise perfectly separated images drive T to 0, and the first mistake afterwards has probability 0.
    Temperature scaling after Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    from scipy.optimize import minimize_scalar

    scores = np.asarray(scores, dtype=np.float64)
    n, k = scores.shape
    spread = float(scores.std(axis=1).mean())
    if spread == 0:  # every class scores the same: any temperature gives 1 / K
        return 1.0
    targets = np.full((n, k), 1 / (n + k))
    targets[np.arange(n), codes] = (n + 1) / (n + k)

    def log_loss(log_t: float) -> float:
        scaled = scores / (spread * np.exp(log_t))
        top = scaled.max(axis=1, keepdims=True)
        log_p = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        return -float((targets * log_p).sum(axis=1).mean())

    # The loss is convex in 1 / T, so it has one minimum on the logarithmic axis as well.
    best = minimize_scalar(log_loss, bounds=(-10, 10), method="bounded", options={"xatol": 1e-4})
    return spread * float(np.exp(best.x))

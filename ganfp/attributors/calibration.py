"""From scores to probabilities: a softmax with one fitted temperature."""

import numpy as np


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (N, K) in float64 from scores (N, K); each row sums to 1."""
    from scipy.special import softmax

    return softmax(np.asarray(scores, dtype=np.float64) / temperature, axis=1)


def fit_temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """The temperature at which ``softmax(scores / T)`` has the least log-loss on labelled images.

    scores: (N, K); codes: (N,) column of the true class.  To the N labels one is added that all classes share, 1 / K
    each: otherwise perfectly separated images drive T to 0, and the first mistake afterwards has probability 0.
    (Platt, 1999, adds one for each class, which leaves an attributor that hardly errs much too unsure.)  Temperature
    scaling after Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    scores = np.asarray(scores, dtype=np.float64)
    n, k = scores.shape
    spread = float(scores.std(axis=1).mean())
    if spread == 0:  # every class scores the same: any temperature gives 1 / K
        return 1.0
    targets = (np.eye(k)[codes] * n + 1 / k) / (n + 1)

    def log_loss(log_t: float) -> float:
        return -float((targets * log_softmax(scores / (spread * np.exp(log_t)), axis=1)).sum(axis=1).mean())

    # The loss is convex in 1 / T, so it has one minimum on the logarithmic axis as well.
    best = minimize_scalar(log_loss, bounds=(-10, 10), method="bounded", options={"xatol": 1e-4})
    return spread * float(np.exp(best.x))

"""The parts of a face, and how much of a response lies in each."""

import numpy as np

REGIONS = ("eyes", "face", "background")
RESAMPLED = 1000  # bootstrap samples of the images

# CelebA's aligned faces in the paper's crop, in shares of its side: measured on the mean of 500 images.
EYES, EYE_RADIUS = ((44.5 / 128, 53.5 / 128), (84.5 / 128, 53.5 / 128)), 8 / 128
HEAD, HEAD_HALVES = (0.5, 0.5), (40 / 128, 60 / 128)
OUTSIDE = 1.25  # times the head's ellipse: there hair and background begin


def aligned_masks(resolution: int) -> np.ndarray:
    """The share of each pixel, cut into 8 x 8 points, in :data:`REGIONS` of CelebA's aligned faces, float32 (3, R, R).

    Two disks round the eyes' usual places, an ellipse round the head's, and what is well outside it, hair included.
    """
    fine = 8 * resolution
    y, x = (np.mgrid[:fine, :fine] + 0.5) / fine
    eyes = np.any([np.hypot(x - cx, y - cy) < EYE_RADIUS for cx, cy in EYES], axis=0)
    radius = np.hypot((x - HEAD[0]) / HEAD_HALVES[0], (y - HEAD[1]) / HEAD_HALVES[1])
    parts = np.stack([eyes, (radius < 1) & ~eyes, radius > OUTSIDE]).astype(np.float32)
    return parts.reshape(3, resolution, 8, resolution, 8).mean(axis=(2, 4))


def core_pixels(masks: np.ndarray) -> np.ndarray:
    """Pixels that usually show eyes, face and background, bool (3, R, R), none of them in two regions.

    A pixel belongs to the eyes where these are at least half as likely as at their likeliest place, else to the face
    or the background where that is likelier than everything else together.
    """
    eyes = masks[0] >= masks[0].max() / 2
    return np.stack([eyes, (masks[1] > 0.5) & ~eyes, (masks[2] > 0.5) & ~eyes])


def densities(values: np.ndarray, masks: np.ndarray, seed: int = 0) -> np.ndarray:
    """Mean of values (N, R, R) within each of M masks (N or 1, M, R, R) over their mean everywhere: (1 + 1000, M).

    Both means are over all images together.  First what is measured, then a bootstrap over the images.  Equal seeds
    draw image k equally often, so that the samples of sources whose image k shares its latent may be subtracted.
    """
    rng, n = np.random.default_rng(seed), len(values)
    weights = np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), RESAMPLED)])
    whole = values.mean(axis=(1, 2), dtype=np.float64)
    columns = []
    for mask in np.moveaxis(masks, 1, 0):
        inside = (values * mask).sum(axis=(1, 2), dtype=np.float64)
        area = np.broadcast_to(mask.sum(axis=(1, 2), dtype=np.float64), inside.shape)
        columns.append((weights @ inside) / (weights @ area) / (weights @ whole / n))
    return np.stack(columns, axis=1)


def bootstrap_interval(samples: np.ndarray, n: int) -> tuple[float, float]:
    """95 % interval of the first of the samples, as :func:`densities` gives them for ``n`` images.

    Student's, with the standard error of the bootstrap: the middle 95 % of the samples cover too little when images are
    few.
    """
    from scipy.stats import t

    half = t.ppf(0.975, n - 1) * samples[1:].std(ddof=1) * (n / (n - 1)) ** 0.5
    return float(samples[0] - half), float(samples[0] + half)

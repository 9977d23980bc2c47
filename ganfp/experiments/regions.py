"""Where does it look (Section 4.5)?  Responses by the part of the face, with the renderer's own masks."""

from __future__ import annotations

import numpy as np

from ganfp import metrics, worlds
from ganfp.experiments.attribution import attributor
from ganfp.experiments.existence import seed_setup
from ganfp.paper.record import Result, accuracy_record, record
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

REGIONS = ("eyes", "face", "background")
VALUES = 2**28  # of response images at a time, 1 GB: at 128 px that is 135 images of each of eleven sources
DRAWS = 20  # random sets of pixels that a region is compared with

# CelebA's aligned faces in the paper's crop, in shares of its side: measured on the mean of 500 images.
EYES, EYE_RADIUS = ((44.5 / 128, 53.5 / 128), (84.5 / 128, 53.5 / 128)), 8 / 128
HEAD, HEAD_HALVES = (0.5, 0.5), (40 / 128, 60 / 128)
OUTSIDE = 1.25  # times the head's ellipse: there hair and background begin


def has_masks(run: Run) -> bool:
    """Whether it is known where on this data set's images a face is."""
    return worlds.parse(run.source)[0] in ("faces", "celeba")


def masks(run: Run) -> np.ndarray | None:
    """The share of each pixel that shows eyes, face and background, float32 (N, 3, R, R), for the real test images.

    Only drawn faces know it: they are drawn once more, now with their masks.  None for other data sets.
    """
    if run.images.dataset != "faces":
        return None
    scene = run.images.scene("test", run.seed, maps=True)
    return np.stack([getattr(scene, name) for name in REGIONS], axis=1)


def usual_masks(run: Run) -> np.ndarray:
    """How likely each pixel shows eyes, face and background, (3, R, R): generated images have no masks of their own.

    On drawn faces the mean of the true masks; on CelebA, whose faces are aligned, two disks round the eyes' usual
    places, an ellipse round the head's, and what is well outside it, hair included.
    """
    if not has_masks(run):
        raise ValueError(f"dataset {run.dataset!r} has no masks: it is not known where its images show a face")
    true = masks(run)
    return aligned_masks(run.profile.resolution) if true is None else true.mean(axis=0)


def aligned_masks(resolution: int) -> np.ndarray:
    """:func:`usual_masks` of CelebA's aligned faces, (3, R, R), each pixel cut into 8 x 8 points."""
    fine = 8 * resolution
    y, x = (np.mgrid[:fine, :fine] + 0.5) / fine
    eyes = np.any([np.hypot(x - cx, y - cy) < EYE_RADIUS for cx, cy in EYES], axis=0)
    radius = np.hypot((x - HEAD[0]) / HEAD_HALVES[0], (y - HEAD[1]) / HEAD_HALVES[1])
    parts = np.stack([eyes, (radius < 1) & ~eyes, radius > OUTSIDE]).astype(np.float32)
    return parts.reshape(3, resolution, 8, resolution, 8).mean(axis=(2, 4))


def where(run: Run) -> Result:
    """What each region of the face contributes to the response of images to their own model fingerprint.

    Arrays: ``classes``; ``masks`` (3, R, R), see :func:`usual_masks`; ``maps`` (K, R, R), the mean response image of
    each source's test images to their own model; ``only`` (3, R, R), the pixels of :func:`regions_of`.
    Records, by source (row) and region (column), 1 being what the average pixel has:

    ``response``   response per pixel, which adds up to the correlation; may be negative
    ``energy``     squared response per pixel
    ``accuracy``   percent of the source's images that are attributed rightly when only the region's pixels count, and
                   in ``params.elsewhere`` when as many random pixels do

    With ``params.variant`` "true masks": the real images once more, each with its own masks.
    Nothing at all for a data set of which it is not known where a face is.
    """
    if not has_masks(run):
        return Result()
    setup = seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    each = min(setup.test, VALUES // (len(setup.classes) * run.profile.resolution) ** 2)
    looked = np.tile(np.arange(setup.test) < each, len(setup.classes))
    images, truth = images[looked], truth[looked]
    network = attributor(run, "visnet", setup)
    responses = network.response_images(images)[:, network.columns(setup.classes)]
    usual, true, result = usual_masks(run), masks(run), Result()
    true = None if true is None else true[:each]
    own = {name: responses[truth == name, k] for k, name in enumerate(setup.classes)}
    for name, maps in own.items():
        result.records += _densities(run, name, maps, usual[None])
        if name == "real" and true is not None:
            result.records += _densities(run, name, maps, true, "true masks")
    chosen = regions_of(usual)
    result.records += _only(run, responses, truth, setup.classes, chosen)
    result.arrays = {
        "classes": np.array(setup.classes),
        "masks": usual,
        "only": chosen,
        "maps": np.stack([maps.mean(axis=0) for maps in own.values()]),
    }
    return result


def _densities(run: Run, source: str, maps: np.ndarray, parts: np.ndarray, variant: str | None = None) -> list[dict]:
    """Response and energy per pixel of each region, of response images (N, R, R) and masks (N or 1, 3, R, R)."""
    found = []
    for metric, values in {"response": maps, "energy": maps**2}.items():
        for column, part in zip(REGIONS, np.moveaxis(parts, 1, 0), strict=True):
            value, low, high = density(values, part)
            params = {"variant": variant} if variant else {}
            found.append(
                record(
                    run,
                    source,
                    metric,
                    value,
                    figure="7",
                    setup="seeds",
                    column=column,
                    interval=(low, high),
                    n=len(maps),
                    params=params,
                )
            )
    return found


def density(values: np.ndarray, part: np.ndarray) -> tuple[float, float, float]:
    """Mean of values (N, R, R) within a mask (N or 1, R, R) over their mean everywhere, with a 95 % interval.

    Both means are over all images together; the interval is the jackknife's, with Student's quantile: a bootstrap's
    percentiles are too narrow where images are few.
    """
    inside = (values * part).sum(axis=(1, 2), dtype=np.float64)
    area = np.broadcast_to(part.sum(axis=(1, 2), dtype=np.float64), inside.shape)
    whole, n = values.mean(axis=(1, 2), dtype=np.float64), len(values)
    without = (inside.sum() - inside) / (area.sum() - area) / ((whole.sum() - whole) / (n - 1))
    half = (n - 1) * (metrics.mean(without).high - without.mean())
    ratio = inside.sum() / area.sum() / whole.mean()
    return float(ratio), float(ratio - half), float(ratio + half)


def regions_of(usual: np.ndarray) -> np.ndarray:
    """Pixels that usually show eyes, face and background, bool (3, R, R), none of them in two regions.

    A pixel belongs to the eyes where these are at least half as likely as at their likeliest place, else to the face
    or the background where that is likelier than everything else together.
    """
    eyes = usual[0] >= usual[0].max() / 2
    return np.stack([eyes, (usual[1] > 0.5) & ~eyes, (usual[2] > 0.5) & ~eyes])


def _only(run: Run, responses: np.ndarray, truth: np.ndarray, classes: list[str], chosen: np.ndarray) -> list[dict]:
    """Accuracy by source when only the pixels of a region add up to the response."""
    flat, rng, found = responses.reshape(*responses.shape[:2], -1), np.random.default_rng(run.seed), []
    for column, pixels in zip(REGIONS, chosen.reshape(len(chosen), -1), strict=True):
        random = [rng.permutation(pixels) for _ in range(DRAWS)]
        named, *elsewhere = (np.array(classes)[(flat @ p.astype(np.float32)).argmax(axis=1)] for p in (pixels, *random))
        by_class = metrics.per_class_accuracy(truth, named)
        for name in classes:
            among = np.mean([[(guess == name)[truth == name].mean()] for guess in elsewhere])
            found.append(
                accuracy_record(
                    run, name, by_class[name], figure="7", setup="regions", column=column, classes=len(classes),
                    params={"pixels": int(pixels.sum()), "elsewhere": 100 * float(among)},
                )  # fmt: skip
            )
    return found

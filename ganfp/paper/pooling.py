"""One record of several that differ in the seed: pooled as the metric asks, never averaged for want of better.

A record carries in ``params`` what pooling needs.  Every metric:

``accuracy``  ``shared``, how many of its n test images are the same for every seed; ``deff``, the design effect of
              images that share a cause, 1 if absent (see :func:`ganfp.metrics.share`)
``trend``     ``hits`` and ``counts`` of every group, ``scores`` of the groups, ``deff``
``fd_ratio``  ``inter``, ``intra`` and ``spread``
means         (``margin``, ``difference``, ``gain_difference``) nothing but their interval, as percentages, which stay
              between 0 and 100
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ganfp import metrics
from ganfp.adversaries import GOALS
from ganfp.paper.record import Record

PER_SEED = ("seed", "chosen", "by_class", "p")  # params that say nothing of several seeds
Records = Sequence[Record]


def pooled(results: Sequence[Sequence[Record]], hardware: str) -> list[Record]:
    """The records of several seeds as those of one; ``params`` has the single numbers, ``seeds``, and ``hardware``."""
    return [_pool(same, hardware) for same in zip(*results, strict=True)]


def _pool(records: Records, hardware: str) -> Record:
    """Raises ``ValueError`` for records of different places, for a metric that cannot be pooled, for params that are
    needed and missing, and for others that differ between seeds."""
    first = records[0]
    for key in ("table", "dataset", "setup", "row", "column", "metric", "variant"):
        if len(found := {getattr(r, key) for r in records}) > 1:
            raise ValueError(f"records of different {key} cannot be pooled: {', '.join(sorted(found))}")
    changed: dict = {"params": {}}
    if len(records) > 1:
        if first.metric not in POOLED:
            raise ValueError(f"records of metric {first.metric!r} cannot be pooled over seeds: measure one seed")
        try:
            changed |= POOLED[first.metric](records)
        except KeyError as missing:
            raise ValueError(f"records of metric {first.metric!r} cannot be pooled: params lack {missing}") from missing
    if first.seconds is not None:
        changed["seconds"] = float(np.median([r.seconds for r in records]))
    kept = {k: v for k, v in first.params.items() if k not in (*PER_SEED, *changed["params"])}
    if differing := [k for k, v in kept.items() if any(r.params.get(k) != v for r in records)]:
        raise ValueError(f"params {differing} of metric {first.metric!r} differ between seeds and cannot be pooled")
    params = kept | changed["params"] | {"seeds": [r.value for r in records], "hardware": hardware}
    return replace(first, **changed | {"params": params})


def _accuracy(records: Records) -> dict:
    """Pooled hits.  A shared image counts as one however many seeds it met; the interval takes its answers as equal."""
    values, seeds = [r.value for r in records], len(records)
    counts, shared = {r.n for r in records}, {r.params["shared"] for r in records}
    if len(counts) > 1 or len(shared) > 1:
        raise ValueError(f"accuracies on {sorted(counts)} images, {sorted(shared)} shared, cannot be pooled")
    (n,), (same,) = counts, shared
    deff = float(np.mean([r.params.get("deff", 1.0) for r in records]))
    met = 1 + (seeds - 1) * same / n  # of images that are wholly correlated between seeds, see Kish's design effect
    low, high = metrics.interval_over_seeds(values, seeds * n / deff / met)
    changed = {"deff": deff} if deff != 1 else {}
    distinct = seeds * n - (seeds - 1) * same
    return {"value": float(np.mean(values)), "ci_low": low, "ci_high": high, "n": distinct, "params": changed}


def _trend(records: Records) -> dict:
    hits, counts = (np.sum([r.params[key] for r in records], axis=0) for key in ("hits", "counts"))
    deff = float(np.mean([r.params["deff"] for r in records]))
    test = metrics.trend(hits, counts, records[0].params["scores"], deff)
    params = {"hits": hits.tolist(), "counts": counts.tolist(), "deff": deff}
    params |= {"slope": test.slope, "tau": test.tau, "p_rungs": test.p_groups}
    return {"value": test.p, "n": int(counts.sum()), "params": params}


def _fd_ratio(records: Records) -> dict:
    """Mean distance between classes over mean distance within; ``spread`` stays that of the halvings of one seed."""
    inter, intra = (float(np.mean([r.params[key] for r in records])) for key in ("inter", "intra"))
    spread = float(np.sqrt(np.mean(np.square([r.params["spread"] for r in records]))))
    params = {"inter": inter, "intra": intra, "spread": spread}
    return {"value": inter / intra, "n": sum(r.n for r in records), "params": params}


def _mean(records: Records) -> dict:
    """Student's interval over the seeds, but no narrower than that of all their images together."""
    over = metrics.mean([r.value for r in records])
    inner = [np.sqrt(np.sum([(r.value - getattr(r, end)) ** 2 for r in records])) / len(records) for end in ENDS]
    low, high = min(over.low, over.value - inner[0]), max(over.high, over.value + inner[1])
    own = {key: float(np.mean([r.params[key] for r in records])) for key in AVERAGED if key in records[0].params}
    n = sum(r.n for r in records)
    return {"value": over.value, "ci_low": float(low), "ci_high": float(high), "n": n, "params": own}


def _percentage(records: Records) -> dict:
    """The mean of shares or of areas under curves."""
    found = _mean(records)
    return found | {end: min(100.0, max(0.0, found[end])) for end in ENDS}


ENDS = ("ci_low", "ci_high")
AVERAGED = ("own", "psnr", "seconds")  # params that are numbers beside the number
PERCENTAGES = (
    "tpr", "fpr", "identified", "auroc", "oscr", "false_attribution", "refused", "ece", "recall", "called", *GOALS
)  # fmt: skip
POOLED: dict[str, Callable[[Records], dict]] = {
    "accuracy": _accuracy,
    "trend": _trend,
    "fd_ratio": _fd_ratio,
    "margin": _mean,
    "difference": _mean,
    "gain_difference": _mean,
    "gained_by_defence": _mean,
    **dict.fromkeys(PERCENTAGES, _percentage),
}

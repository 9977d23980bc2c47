"""What fingerprints that are images show (Sections 3.3 and 4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganfp.experiments.existence import VISNET
from ganfp.experiments.regions import REGIONS
from ganfp.paper.record import pick, readable, reference_records


def visnet(records: Sequence[dict]) -> str:
    """The visNet row beside the attribution network's, data set by data set."""
    texts = []
    for world in dict.fromkeys(r["dataset"] for r in records):
        rows = {r["row"]: r for r in pick(records, dataset=world, metric="accuracy")}
        plain, visible = rows["Ours"], rows[VISNET]
        text = (
            f"On {world}, visNet names {visible['value']:.1f} % of the test images rightly, ours "
            f"{plain['value']:.1f} %. "
        )
        if visible["ci_low"] > plain["ci_high"]:
            text += "The visible fingerprint is even the better one here."
        elif visible["ci_high"] < plain["ci_low"]:
            text += "To be seen costs accuracy here: the intervals do not meet."
        else:
            text += "The intervals meet: it costs nothing to make the fingerprint visible."
        texts.append(text)
    return " ".join(texts)


def own_models(records: Sequence[dict], row: str = VISNET) -> str:
    """Whether the images of every source respond most to their own model, for one method."""
    texts = []
    for world in dict.fromkeys(r["dataset"] for r in records):
        found = pick(records, row=row, metric="margin", dataset=world)
        wrong = [r for r in found if r["ci_low"] <= 0]
        least = min(found, key=lambda r: r["value"])
        text = f"On {world}, the mean correlation with the own model is {_range([r['params']['own'] for r in found])}"
        if wrong:
            names = ", ".join(readable(r["column"]) for r in wrong)
            text += f". **The diagonal is not shown to be the largest of every row:** not for {names}."
        else:
            text += (
                ", and **the images of every source respond most to their own model**; the least lead is "
                f"{least['value']:.3f} ({least['ci_low']:.3f} to {least['ci_high']:.3f}), of "
                f"{readable(least['column'])} over {readable(least['params']['rival'])}."
            )
        texts.append(text + _in_the_reference_run(world, row))
    return " ".join(texts)


def _in_the_reference_run(world: str, row: str) -> str:
    """The same of the reference run, in a sentence."""
    found = pick(reference_records(), row=row, metric="margin", dataset=world)
    if not found:
        return ""
    wrong, least = [r for r in found if r["ci_low"] <= 0], min(found, key=lambda r: r["value"])
    if wrong:
        return f" In the reference run it is not shown for {', '.join(readable(r['column']) for r in wrong)}."
    return f" So they do in the reference run, with a least lead of {least['value']:.3f}."


def _range(values: Sequence[float]) -> str:
    low, high = (f"{f(values):.2f}".replace("-", "−") for f in (min, max))
    return low if low == high else f"{low} to {high}"


def logits(records: Sequence[dict]) -> str:
    """What the three logits come to."""
    learned, fixed, inner = (next(r for r in records if r["row"] == name) for name in ("learned", "fixed", "inner"))
    p, q = learned["params"], fixed["params"]
    text = (
        f"With the temperature of 1 the cross-entropy cannot fall below {q['floor']:.2f} nats, and it stays at "
        f"{q['cross_entropy']:.2f}; the learned temperature ends at {p['temperature']:.3f}, and the cross-entropy at "
        f"{p['cross_entropy']:.2f}. "
    )
    if fixed["ci_high"] < learned["ci_low"]:
        text += "That costs accuracy as well. "
    elif fixed["ci_low"] > learned["ci_high"]:
        text += "All the same it attributes better, since only the order of the sources counts. "
    else:
        text += "The order of the sources, which is all that accuracy sees, hardly suffers. "
    start = inner["params"]["start"]
    text += (
        f"The official code's fingerprints correlate with their own random start by {start:.2f} at the end of this "
        f"training, those of the learned temperature by {p['start']:.2f}: "
    )
    if start > 0.5:
        return text + "what one would look at in them is mostly the noise they were started from."
    return text + "this training is long enough for both to leave their start behind."


def mirroring(records: Sequence[dict]) -> str:
    """What mirrored training images cost, and what they do to the fingerprints; in the reference run, too."""
    world = records[0]["dataset"]
    runs = {"": records, "In the reference run ": pick(reference_records(), setup="mirroring", dataset=world)}
    texts = []
    for opening, found in runs.items():
        if found:
            plain, mirrored = (pick(found, row=row)[0] for row in ("as they are", "mirrored"))
            s, t = (f"{r['params']['symmetry']:.2f}".replace("-", "−") for r in (plain, mirrored))
            text = (
                f"After {plain['params']['images']:,} images visNet names {plain['value']:.1f} % of the test images "
                f"rightly, and {mirrored['value']:.1f} % if its training images are mirrored; its fingerprints "
                f"correlate with their own mirror images by {s} and by {t}."
            )
            texts.append(opening + (text[0].lower() if opening else text[0]) + text[1:])
    return " ".join(texts)


def lattice(by_method: Mapping[str, np.ndarray], classes: Sequence[str]) -> str:
    """Whether GANs' fingerprints have more power than the real ones at the frequencies of the up-sampling grid."""
    texts = []
    for method, power in by_method.items():
        real = power[list(classes).index("real")]
        gans = [p for p, name in zip(power, classes, strict=True) if name != "real"]
        text = (
            f"**{method}.** At the frequencies of period 2 the power is {real:.1f} times that of all others in the "
            f"real fingerprint, and {min(gans):.1f} to {max(gans):.1f} times in those of the GANs"
        )
        if min(gans) > max(1.0, real):
            text += ": every GAN shows the peaks of its up-sampling, and the real fingerprint shows less of them."
        elif max(gans) > max(1.0, real):
            text += ": some GANs show peaks there, not all."
        else:
            text += ": no peak of an up-sampling grid stands out."
        texts.append(text)
    return " ".join(texts)


def regions(records: Sequence[dict]) -> str:
    """Whether the real class is decided at the eyes, and GANs also by the background."""
    if not records:
        return "Where the images of this data set show a face is not known, so the question cannot be asked here."
    usual = [r for r in records if not r["params"].get("variant")]
    at = {(r["row"], r["metric"], r["column"]): r for r in usual}
    eyes, face, back = (at["real", "response", name] for name in REGIONS)
    text = (
        f"**Real images.** A pixel of the eyes gives {eyes['value']:.1f} times the response of the average pixel, one "
        f"of the face {face['value']:.1f}, one of the background {back['value']:.1f}. "
    )
    if eyes["ci_low"] > max(face["ci_high"], back["ci_high"], 1.0):
        text += "That much of the paper's observation holds: nowhere is the response as dense as at the eyes. "
    elif eyes["value"] > max(face["value"], back["value"], 1.0):
        text += (
            "The eyes are first, as the paper says, but it is not shown: the interval of their number, "
            f"{eyes['ci_low']:.1f} to {eyes['ci_high']:.1f}, is too wide. "
        )
    else:
        text += "The paper's observation does not hold here: the eyes are not where the response is densest. "
    dense = [r for r in pick(usual, metric="response", column="eyes") if r["row"] != "real"]
    alike = [readable(r["row"]) for r in dense if r["ci_high"] >= eyes["ci_low"]]
    if alike:
        names = "every GAN" if len(alike) == len(dense) else "; ".join(alike)
        text += f"Nor are eyes peculiar to real images: for {names} they are as dense, or denser. "
    text += _sufficient(at["real", "accuracy", "eyes"])
    gans = [r for r in pick(usual, metric="response", column="background") if r["row"] != "real"]
    more = [r for r in gans if r["ci_low"] > back["ci_high"]]
    text += (
        f"\n\n**GANs.** A pixel of the background gives {_range([r['value'] for r in gans])} times the response of the "
        "average pixel. "
    )
    if len(more) == len(gans):
        text += "For every GAN that is more than for the real images, as the paper says."
    elif more:
        names = ", ".join(readable(r["row"]) for r in more)
        text += f"That is more than for the real images with {len(more)} of {len(gans)} GANs only ({names})."
    else:
        text += "For no GAN is it shown to be more than for the real images, unlike in the paper."
    return text


def _sufficient(r: dict) -> str:
    """Whether the eyes alone are enough to know a real image, and whether as many other pixels are."""
    text = (
        f"With nothing but the {r['params']['pixels']} pixels where eyes usually are, {r['value']:.0f} % of the real "
        f"images are still attributed rightly; with as many random pixels {r['params']['elsewhere']:.0f} %"
    )
    if r["ci_low"] > r["params"]["elsewhere"]:
        return text + ". The eyes are worth more than their number of pixels."
    return text + ". So the eyes alone are not sufficient: as many pixels from anywhere do as well."

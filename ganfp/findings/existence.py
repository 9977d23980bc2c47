"""Save paths, equal beginnings, trends and services (Section 4.2 and 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp.findings.attribution import p_words
from ganfp.paper.record import pick


def save_path(records: Sequence[dict]) -> str:
    """What the official save paths give away, and what is left."""
    bits, six = (
        {path: next(r for r in records if r["row"] == row and r["column"] == path) for path in ("official", "ours")}
        for row in dict.fromkeys(r["row"] for r in records)
    )
    chance = 100 / bits["ours"]["classes"]
    text = (
        f"Two bits per image name the source of {bits['official']['value']:.0f} % of the images saved in the official "
        f"way, and four more numbers of {six['official']['value']:.0f} %; chance is {chance:.0f} %. After one and the "
        f"same quantiser it is {bits['ours']['value']:.0f} % and {six['ours']['value']:.0f} %. "
    )
    if bits["ours"]["ci_high"] < bits["official"]["ci_low"]:
        text += "The quantiser closes a part of the leak"
    elif six["ours"]["ci_high"] < six["official"]["ci_low"]:
        text += "The quantiser closes what the stretch had put into the lowest bits"
    else:
        text += "In this run that is no clear difference"
    if bits["ours"]["ci_low"] > chance:
        return text + (
            ", and something remains: a property of the networks, not of the files. ProGAN's last layer is linear and "
            "overshoots, so that its values are cut off at 0 and 255; the others end in a tanh or a sigmoid, which "
            "come near the ends and rarely reach them."
        )
    return text + ", and nothing remains that two bits can tell."


def beginnings(records: Sequence[dict]) -> str:
    """Whether every rung's training is equal to the base's until its first exchanged image."""
    early = [r for r in records if r["value"] + r["params"]["batch"] <= r["params"]["first_swapped"]]
    late = [r for r in records if r["value"] > r["params"]["first_swapped"]]
    parts = ", ".join(
        f"with {r['params']['swapped']:,} exchanged it comes after {r['params']['first_swapped']:,} images, and not a "
        f"bit differs up to {r['value']:,.0f}"
        for r in records
    )
    text = f"The first exchanged image: {parts}. "
    if early or late:
        return text + "**That is not what was expected:** the trainings part at another moment than at that image."
    return text + "Each training parts from the others in the very step that shows it the first exchanged image."


def trend(records: Sequence[dict]) -> str:
    """Whether accuracy follows the number of exchanged images, for our network."""
    texts = []
    for r in pick(records, row="Ours", metric="trend"):
        rungs = pick(records, row="Ours", metric="accuracy", dataset=r["dataset"])
        low, high = (f(rungs, key=lambda x: x["value"]) for f in (min, max))
        text = (
            f"On {r['dataset']}, ours is right on {low['value']:.1f} % of the images of the worst rung "
            f"({low['params']['swapped']:,} exchanged) and {high['value']:.1f} % of the best "
            f"({high['params']['swapped']:,}). "
        )
        if r["value"] < 0.05:
            direction = "rises" if r["params"]["slope"] > 0 else "falls"
            text += (
                f"Accuracy {direction} with the number of exchanged images by more than the choice of test images "
                f"explains ({p_words(r['value'])}). But each rung is one GAN, easy or hard for reasons of its own, and "
                f"{r['params']['rungs']} GANs cannot show that the number is the reason."
            )
        else:
            text += f"No trend can be seen ({p_words(r['value'])}), as the paper claims."
        texts.append(text)
    return "\n\n".join(texts)


def service(records: Sequence[dict]) -> str:
    """What the folders say about the test of a service."""
    own, stranger = records[0], records[-1]
    text = (
        "The folder that is wholly the service's "
        + ("is recognised" if own["params"]["p"] < 0.05 else "is not recognised")
        + f" ({own['value']:.0f} %). "
    )
    wrong = [r["row"] for r in records[1:-1] if r["params"]["p"] < 0.05 and r["params"]["truth"] <= 50]
    if wrong:
        text += f"**Wrongly recognised: {' and '.join(wrong)}.** "
    text += (
        f"Of the images of a GAN that the attributor was never shown, {stranger['value']:.0f} % are given to the "
        "service. They have to be given to somebody: a closed set of sources has no place for a stranger, "
    )
    return text + (
        "and here the test is fooled by it."
        if stranger["params"]["p"] < 0.05
        else "and only luck decides whom it is taken for."
    )

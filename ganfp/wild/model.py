"""A fitted attributor with what it takes to use it: how images are prepared, how sure it is, when it knows nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from ganfp.attributors import Attributor, load
from ganfp.attributors.base import SIDECAR
from ganfp.attributors.calibration import fit_temperature, softmax
from ganfp.files import write_json
from ganfp.metrics import wilson
from ganfp.wild import stream
from ganfp.wild.prepare import Preparation
from ganfp.wild.stream import Item, Report

CARD = "card.json"
FORMAT = 1
KEPT = ("temperature", "certainty", "validated", "facts")
NONE = 0.95  # of known images, so many are more certain than one that is called none of these
STEPS = 1001  # of the distribution of certainty that is kept


@dataclass
class Model:
    """An attributor, how it is fed, and its calibration on whole images that it was not fitted to.

    An image's score is the mean of its squares' scores.  ``temperature``: of the probabilities of such scores, None for
    the attributor's own.  ``certainty``: quantiles of :func:`certain` of ``validated`` images, none if not known.
    ``facts``: what is said of it, as plain JSON values: dates, counts, accuracy, controls.
    """

    attributor: Attributor
    preparation: Preparation
    temperature: float | None = None
    certainty: np.ndarray = field(default_factory=lambda: np.empty(0))
    validated: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def calibrate(self, scores: np.ndarray, columns: np.ndarray) -> None:
        """Take temperature and certainty from scores (N, K) of validation images of the classes (N,)."""
        self.temperature, self.validated = fit_temperature(scores, columns), len(scores)
        self.certainty = np.quantile(certain(scores, self.temperature), np.linspace(0, 1, STEPS))

    @property
    def known_unknown(self) -> tuple[int, int]:
        """Of how many images of known sources how many look like none of them: of the test's, if there was one."""
        few, of = self.facts.get("none", (0, 0))
        return (int(few), int(of)) if of else (round((1 - NONE) * self.validated), self.validated)

    def pooled(self, squares: np.ndarray, counts: np.ndarray) -> "Answers":
        """What is said of images with so many squares each, (N,), of all squares (n, 3, S, S)."""
        scores, starts = self.attributor.scores(squares), np.cumsum(counts) - counts
        means = np.add.reduceat(scores.astype(np.float64), starts) / counts[:, None]
        votes = scores.argmax(axis=1) == np.repeat(means.argmax(axis=1), counts)
        return Answers(self, means, counts, np.add.reduceat(votes, starts, dtype=int))

    def ask(self, paths: Sequence[Path], report: Report) -> Iterator[tuple[list[Item], "Answers | None"]]:
        """Files, some at a time, and what is said of those that could be read, if any."""

        def work(items: list[Item]) -> tuple[list[Item], Answers | None]:
            cut = [item.squares for item in items if item.squares is not None]
            return items, self.pooled(np.concatenate(cut), np.array([len(one) for one in cut])) if cut else None

        return stream.each(paths, self.preparation, work, report)

    def save(self, folder: Path) -> None:
        """Write the attributor's files and, beside them, ``card.json``."""
        self.attributor.save(folder)
        of = json.loads((folder / SIDECAR).read_text("utf-8"))["sha256"]
        write_json(folder / CARD, {
            "format": FORMAT, "of": of, "preparation": vars(self.preparation), "temperature": self.temperature,
            "certainty": self.certainty.tolist(), "validated": self.validated, "facts": self.facts,
        })  # fmt: skip

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Self:
        """The model in a folder; without a ``card.json`` it takes squares of the attributor's size alone.

        ``ValueError`` names a file that is damaged, or a card that belongs to another attributor.
        """
        attributor = load(folder, device)
        if not (folder / CARD).exists():
            return cls(attributor, Preparation("exact", attributor.resolution_))
        card = read_card(folder)
        if card["preparation"].size != attributor.resolution_:
            raise ValueError(f"{folder / CARD}: its size is not that of the attributor; train again")
        return cls(attributor, card["preparation"], *(card[key] for key in KEPT))


@dataclass(frozen=True)
class Answers:
    """What a model says of N files: pooled scores (N, K), how many squares, and how many of them have its source."""

    model: Model
    scores: np.ndarray
    squares: np.ndarray
    votes: np.ndarray

    @property
    def columns(self) -> np.ndarray:
        """The column of the source, (N,) int64."""
        return self.scores.argmax(axis=1)

    @property
    def sources(self) -> np.ndarray:
        """The name of the source, (N,) str."""
        return self.model.attributor.classes_[self.columns]

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities (N, K), calibrated on validation images, columns as the attributor's ``classes_``."""
        if self.model.temperature is None:
            return self.model.attributor._probabilities(self.scores)
        return softmax(self.scores, self.model.temperature)

    @property
    def none(self) -> np.ndarray:
        """For "none of these", (N,): the share of validation images that were more certain; NaN if that is not known.

        Of images from the known sources, one in twenty has more than 0.95.  An unknown source has more only as far as
        the attributor is unsure of it: it may as well be taken for a known one with certainty.
        """
        known = self.model.certainty
        if not len(known):
            return np.full(len(self.scores), np.nan)
        return 1 - np.searchsorted(known, certain(self.scores, self.model.temperature or 1.0), "left") / len(known)

    @property
    def unknown(self) -> np.ndarray:
        """Whether each file looks like none of the sources, (N,) bool."""
        return self.none > NONE

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """Wilson's 95 % interval of the share of squares with the source, as if they were independent."""
        return [wilson(votes / count, count) for votes, count in zip(self.votes, self.squares, strict=True)]


def certain(scores: np.ndarray, temperature: float) -> np.ndarray:
    """How certain scores (N, K) are: the log odds of the most probable source, (N,), which do not saturate at 1."""
    from scipy.special import logsumexp

    logits = np.sort(np.asarray(scores, dtype=np.float64) / temperature, axis=1)
    return logits[:, -1] - logsumexp(logits[:, :-1], axis=1)


def read_card(folder: Path) -> dict[str, Any]:
    """What ``card.json`` says; ``ValueError`` names one that is damaged or not of the attributor beside it."""
    path = folder / CARD
    try:
        card = json.loads(path.read_text("utf-8"))
        of = json.loads((folder / SIDECAR).read_text("utf-8"))["sha256"]
        card["preparation"] = Preparation.read(card["preparation"])
        card["certainty"] = np.array(card["certainty"], dtype=np.float64)
        if card["format"] != FORMAT or card["of"] != of or not isinstance(card["facts"], dict):
            raise ValueError("of another attributor, or of another version of ganfp")
        if card["temperature"] is not None and not 0 < card["temperature"] < np.inf:
            raise ValueError(f"temperature is {card['temperature']}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged or does not belong there ({error}); train the model again") from error
    return card

"""The paper's claims as predicates on records: evaluated on the paper's own numbers and on this run's.

A claim is checked on each data set by itself.  Two rules for all of them:

* *Above* and *below* mean that the two 95 % intervals do not meet.  A number without an interval (the paper
  prints none) counts as exact.  So a comparison that a small run cannot decide does not hold there: it is not
  shown.
* Thresholds that the paper leaves open ("near chance", "equally high") are constants of `base`, each with its
  reason, and apply to the numbers themselves.

A claim that needs a number which was not measured is neither true nor false: its verdict is None.
"""

from __future__ import annotations

# In the order of the paper, which is that of the ledger: a section's claims register themselves.
# ruff: noqa: F401, I001
from ganfp.claims import existence
from ganfp.claims import immunizability
from ganfp.claims.base import (
    CLAIMS,
    NEAR_CHANCE,
    RESTORED,
    SIGNIFICANT,
    SUFFICIENT,
    Claim,
    NotMeasured,
    Number,
    Verdict,
    World,
    evaluate,
    ledger,
)

__all__ = [
    "CLAIMS",
    "NEAR_CHANCE",
    "RESTORED",
    "SIGNIFICANT",
    "SUFFICIENT",
    "Claim",
    "NotMeasured",
    "Number",
    "Verdict",
    "World",
    "evaluate",
    "ledger",
]

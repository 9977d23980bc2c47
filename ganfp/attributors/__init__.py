"""Who made this image: the paper's network and the methods it is compared with, behind one interface.

Every method is an :class:`~ganfp.attributors.base.Attributor`, an estimator by scikit-learn's conventions.  A
method's module, scikit-learn and PyWavelets are imported when first asked for: training the network needs none.
"""

from dataclasses import dataclass
from importlib import import_module

from ganfp.attributors.base import Attributor, chosen

load = Attributor.load


@dataclass(frozen=True)
class Method:
    """A method's class as ``module:name``, its row in the paper's tables, whether the paper only compares with it."""

    path: str
    row: str
    baseline: bool = False


METHODS = {
    "knn": Method("ganfp.attributors.knn:KNN", "kNN", baseline=True),
    "eigenface": Method("ganfp.attributors.eigenface:Eigenface", "Eigenface", baseline=True),
    "prnu": Method("ganfp.attributors.prnu:PRNU", "PRNU", baseline=True),
    "cnn": Method("ganfp.attributors.cnn:CNN", "Ours"),
    "visnet": Method("ganfp.attributors.visnet:VisNet", "Our visNet"),
}
"""All methods, in the order of the rows of the paper's tables."""


def attributor_class(method: str) -> type[Attributor]:
    """The class behind a method name of :data:`METHODS`; ``ValueError`` lists the known names."""
    if method not in METHODS:
        raise ValueError(f"unknown attribution method {method!r}; known: {', '.join(sorted(METHODS))}")
    module, _, name = METHODS[method].path.partition(":")
    return getattr(import_module(module), name)


__all__ = ["METHODS", "Attributor", "Method", "attributor_class", "chosen", "load"]

"""Who made this image: the paper's network and the methods it is compared with, behind one interface.

Every method is an :class:`~ganfp.attributors.base.Attributor` with scikit-learn's conventions: ``fit``,
``scores``, ``predict``, ``predict_proba``, ``classes_``, and ``save`` / ``load``.  A method's module,
scikit-learn and PyWavelets are imported when first asked for: training the network needs none of them.
"""

from __future__ import annotations

from importlib import import_module

from ganfp.attributors.base import Attributor

METHODS = {"knn": "KNN", "eigenface": "Eigenface", "prnu": "PRNU", "cnn": "CNN", "visnet": "VisNet"}
"""Method name -> class name; the class lives in the module of the method's name."""


def attributor_class(method: str) -> type[Attributor]:
    """The class behind a method name of :data:`METHODS`; ``ValueError`` lists the known names."""
    if method not in METHODS:
        raise ValueError(f"unknown attribution method {method!r}; known: {', '.join(sorted(METHODS))}")
    return getattr(import_module(f"{__name__}.{method}"), METHODS[method])


__all__ = ["METHODS", "Attributor", "attributor_class"]

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

LATER = {
    "dct": Method("ganfp.attributors.baselines.dct:DCT", "DCT"),
    "azimuthal": Method("ganfp.attributors.baselines.azimuthal:Azimuthal", "Azimuthal spectrum"),
    "decay": Method("ganfp.attributors.baselines.decay:Decay", "Spectral decay"),
    "blockdct": Method("ganfp.attributors.baselines.blockdct:BlockDCT", "Block DCT"),
    "cooccurrence": Method("ganfp.attributors.baselines.cooccurrence:CoOccurrence", "Co-occurrence"),
    "colour": Method("ganfp.attributors.baselines.colour:Colour", "Saturation and colour"),
    "residual": Method("ganfp.attributors.baselines.residual:ResidualSpectrum", "Residual spectrum"),
    "manifpt_rgb": Method("ganfp.attributors.baselines.manifpt:ManiFPTPixels", "ManiFPT, RGB"),
    "manifpt_freq": Method("ganfp.attributors.baselines.manifpt:ManiFPTFrequencies", "ManiFPT, frequencies"),
    "patches": Method("ganfp.attributors.baselines.scratch:PatchAttributor", "Patch network"),
    "resnet": Method("ganfp.attributors.baselines.scratch:ResNet", "ResNet-18"),
}
"""Methods of the literature that the paper does not compare with; page x4 of the book does."""


def entry(method: str) -> Method:
    """What is known of a method of :data:`METHODS` or :data:`LATER`; ``ValueError`` lists the known names."""
    known = METHODS | LATER
    if method not in known:
        raise ValueError(f"unknown attribution method {method!r}; known: {', '.join(sorted(known))}")
    return known[method]


def attributor_class(method: str) -> type[Attributor]:
    """The class behind a method's name, see :func:`entry`."""
    module, _, name = entry(method).path.partition(":")
    return getattr(import_module(module), name)


__all__ = ["LATER", "METHODS", "Attributor", "Method", "attributor_class", "chosen", "entry", "load"]

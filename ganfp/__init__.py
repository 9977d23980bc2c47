"""Fingerprints of generative adversarial networks: attribute images to the GAN that made them.

What is named here is imported when it is first used: ``import ganfp`` alone takes no time.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

# torch looks once, when a process first multiplies matrices on a GPU; without it nothing there could repeat itself
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

if TYPE_CHECKING:
    from ganfp.attacks import attack as attack
    from ganfp.attributors import load as load
    from ganfp.attributors.cnn import CNN as CNN
    from ganfp.attributors.eigenface import Eigenface as Eigenface
    from ganfp.attributors.knn import KNN as KNN
    from ganfp.attributors.prnu import PRNU as PRNU
    from ganfp.attributors.visnet import VisNet as VisNet
    from ganfp.gans.training import sample as sample
    from ganfp.metrics import accuracy as accuracy
    from ganfp.metrics import fd_ratio as fd_ratio
    from ganfp.metrics import frechet_distance as frechet_distance
    from ganfp.relighting import relight as relight
    from ganfp.worlds import bedrooms as bedrooms
    from ganfp.worlds import faces as faces
else:  # hidden from type checkers, which would take any name for one of ganfp's
    HOMES = {
        "CNN": "attributors.cnn",
        "Eigenface": "attributors.eigenface",
        "KNN": "attributors.knn",
        "PRNU": "attributors.prnu",
        "VisNet": "attributors.visnet",
        "accuracy": "metrics",
        "attack": "attacks",
        "bedrooms": "worlds",
        "faces": "worlds",
        "fd_ratio": "metrics",
        "frechet_distance": "metrics",
        "load": "attributors",
        "relight": "relighting",
        "sample": "gans.training",
    }

    def __getattr__(name):
        if name not in HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = f"{__name__}.{HOMES[name]}"
        value = import_module(f"{home}.{name}") if HOMES[name] == "worlds" else getattr(import_module(home), name)
        return globals().setdefault(name, value)

    def __dir__():
        return sorted({*globals(), *HOMES} - {"HOMES"})

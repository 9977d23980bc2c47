"""Import torchvision beside a CPU-only torch.

torchvision's wheel on PyPI is built against the CUDA torch.  Beside another its compiled part stays unloaded, and the
import stops at two operators (non-maximum suppression) that were never declared.  Their schemas are all that it
misses: the models are Python.  The operators themselves stay unavailable and say so when called.
"""

import importlib
import re
import sys
from types import ModuleType

import torch

_UNDECLARED = re.compile(r"operator torchvision::q?nms does not exist")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library: torch.library.Library | None = None  # its declarations last as long as it does


def import_torchvision() -> ModuleType:
    """Import and return torchvision; declare the two operators only where their absence stops the import.

    Call it before anything else that imports torchvision.  Any other failure is raised as it is.
    """
    global _library
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _library is not None or not _UNDECLARED.search(str(error)):
            raise
    _library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        _library.define(name + _SCHEMA)
    for name in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what the first attempt left half imported
    return importlib.import_module("torchvision")

"""The training path needs nothing but numpy, torch, safetensors, PyYAML, click and tqdm."""

import subprocess
import sys

import pytest

FORBIDDEN = (
    "sklearn", "scipy", "pywt", "PIL", "pandas", "matplotlib", "seaborn", "torchvision", "lpips",
    "papermill", "IPython",
)  # fmt: skip
PATHS = (
    "ganfp.cli, ganfp.paper.sections, ganfp.runs.building, ganfp.runs.run",
    "ganfp.attributors.cnn, ganfp.worlds.faces, ganfp.gans.training",
)


@pytest.mark.parametrize("modules", PATHS)
def test_nothing_else_is_imported(modules):
    code = f"import sys, {modules}; print([m for m in {FORBIDDEN!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"

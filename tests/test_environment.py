"""The three places that name a dependency agree, and torchvision can be imported beside this torch."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]


def requirements(lines):
    stripped = (line.partition("#")[0].strip() for line in lines)
    return [Requirement(line) for line in stripped if line]


DECLARED = requirements(sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"]))
PINS = requirements((ROOT / "requirements.txt").read_text("utf-8").splitlines())
PINNED = {canonicalize_name(pin.name): pin for pin in PINS}


@pytest.mark.parametrize("requirement", DECLARED, ids=lambda requirement: requirement.name)
def test_what_is_declared_is_pinned_within_its_bounds(requirement):
    pin = PINNED.get(canonicalize_name(requirement.name))
    assert pin is not None, f"requirements.txt does not pin {requirement.name}"
    (exact,) = pin.specifier
    assert exact.operator == "=="
    assert requirement.specifier.contains(exact.version)


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_the_pinned_version_is_installed(pin):
    public, _, _ = metadata.version(pin.name).partition("+")  # 2.13.0+cpu is 2.13.0
    assert pin.specifier.contains(public)


def test_the_conda_environment_installs_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    (by_pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert environment["name"] == PROJECT["name"]
    assert by_pip == ["-r requirements.txt", "-e ."]
    assert sorted(d.partition("=")[0] for d in plain) == ["pip", "python"]
    (python,) = [d.partition("=")[2] for d in plain if d.startswith("python=")]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)


def test_the_package_carries_its_data_files():
    import ganfp

    package = Path(ganfp.__file__).parent
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["ganfp"]
    carried = {path for pattern in patterns for path in package.glob(pattern)}
    assert carried == {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}


def test_torchvision_can_be_imported_in_a_fresh_process():
    code = """
from ganfp.features._tvcompat import import_torchvision
first = import_torchvision()
assert import_torchvision() is first
import torch, torchvision
assert torchvision is first
features = torchvision.models.squeezenet1_1(weights=None).features
assert features(torch.zeros(1, 3, 64, 64)).shape[:2] == (1, 512)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_code_keeps_to_the_style():
    subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", str(ROOT)], check=True)

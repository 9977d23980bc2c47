"""Hostile input at every border: ``python tests/borders.py --count 10000`` damages so many inputs of each.

A border is where something from outside is read.  Whatever comes there is read or refused by an error that names the
file (or parameter) and that the command line shows as one line; it never ends the process, takes seconds, or memory by
the gigabyte.  Each function here damages one good input by what a source of chance says, reads it, and asserts that.
"""

import ast
import io
import json
import logging
import random
import resource
import shutil
import string
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click
import lmdb
import numpy as np
import torch
import yaml
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook
from papermill.parameterize import parameterize_notebook
from PIL import Image

from ganfp import CNN, attributors, cli, notebooks, worlds
from ganfp.files import read_tensors, write_tensors
from ganfp.gans import training
from ganfp.gans.sngan import SNGAN
from ganfp.runs import profiles, shipping
from ganfp.runs.store import DONE, DamagedArtifactError, Store

NONSENSE = (
    None, True, -1, 0, 1, 2**70, 1e308, float("nan"), float("inf"), "", "x", "../../x", "/etc/passwd", "\0", "a" * 5000,
    "{{ 1 }}", "\udc80", [], {}, [[]], {"": None}, [1, "a", None],
)  # fmt: skip
TOKENS = (b"", b"\0", b"\xff" * 8, b"{", b"[" * 3000, b"9" * 5000, b"\n", b"'", b"-1", b"1e999", b"NUMPY")


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with some of them changed, left out, doubled, or the end gone."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        # headers are short, and what they say is what hurts
        at = rng.randrange(min(len(data), rng.choice((128, len(data)))) + 1) if data else 0
        what = rng.randrange(6)
        if what == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif what == 1:
            data[at : at + rng.choice((1, 2, 8, 64))] = b""
        elif what == 2:
            data[at : at + rng.choice((0, 4, 8))] = rng.choice(TOKENS)
        elif what == 3:
            data[at:at] = data[at : at + rng.choice((1, 16, 200))]
        elif what == 4:
            data[at : at + 4] = rng.randrange(2**32).to_bytes(4, rng.choice(("little", "big")))
        else:
            del data[len(data) - min(at, len(data)) :]
    return bytes(data)


def twisted(value, rng: random.Random):
    """A JSON value with something in it left out, exchanged for nonsense, or renamed."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        value, key = dict(value), rng.choice(list(value))
        what = rng.randrange(8)
        if what == 0:
            del value[key]
        elif what == 1:
            value[str(rng.choice(NONSENSE))] = value.pop(key)
        else:
            value[key] = twisted(value[key], rng)
        return value
    if isinstance(value, list) and value and rng.random() < 0.6:
        at = rng.randrange(len(value))
        return [*value[:at], twisted(value[at], rng), *value[at + 1 :]]
    return rng.choice(NONSENSE)


def hurt(text: bytes, rng: random.Random) -> bytes:
    """A JSON text that is damaged, or that says what it should not."""
    return json.dumps(twisted(json.loads(text), rng)).encode() if rng.random() < 0.6 else damaged(text, rng)


@contextmanager
def refused(*names: str) -> Iterator[None]:
    """What is read may be refused, by an error that says one of the names."""
    try:
        yield
    except (ValueError, OSError, DamagedArtifactError) as error:
        assert any(name in str(error) for name in names), f"{type(error).__name__} without {names}: {error!s:.300}"


# ---------------------------------------------------------------------------- good inputs


@cache
def good_images() -> dict[str, bytes]:
    pixels, found = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3), {}
    for kind, mode in (("PNG", "RGB"), ("PNG", "P"), ("JPEG", "RGB"), ("GIF", "P"), ("BMP", "RGB"), ("TIFF", "RGB"),
                       ("WEBP", "RGB"), ("PPM", "RGB")):  # fmt: skip
        stream = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(stream, kind)
        found[f"{mode}.{kind.lower()}"] = stream.getvalue()
    return found


@cache
def good_npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, images=np.arange(6 * 64 * 3, dtype=np.uint8).reshape(6, 8, 8, 3), identity=np.arange(6))
    return stream.getvalue()


@cache
def good_database() -> bytes:
    """An LMDB of a few pages."""
    with tempfile.TemporaryDirectory() as folder:
        with lmdb.open(folder, map_size=1 << 20) as environment, environment.begin(write=True) as writing:
            for i, image in enumerate([good_images()["RGB.png"], good_images()["RGB.jpeg"]] * 4):
                writing.put(f"{i:08}".encode(), image)
        return Path(folder, "data.mdb").read_bytes().rstrip(b"\0")


@cache
def good_model() -> Path:
    folder = Path(tempfile.mkdtemp())
    images = np.random.default_rng(0).integers(0, 256, (8, 3, 8, 8), dtype=np.uint8)
    settings = dict(fmap_base=16, fmap_max=4, images=8, batch=4, checks=1)
    CNN(**settings).fit(images, ["a", "b"] * 4).save(folder)
    return folder


@cache
def good_gan() -> Path:
    folder = Path(tempfile.mkdtemp())
    config = SNGAN.Config(resolution=8, latent=4, fmap_base=16, fmap_max=4, batch=4, total_images=8)
    images = np.random.default_rng(0).integers(0, 256, (8, 3, 8, 8), dtype=np.uint8)
    training.train("sngan", config, training.Seeds.all(1), images, folder)
    return folder


class Thing:
    """As much of a recipe as the store asks for."""

    kind, key = "thing", "a"

    def describe(self) -> dict:
        return {"name": "a"}


# ---------------------------------------------------------------------------- borders


def image(rng: random.Random, folder: Path) -> None:
    """A picture in a user's folder."""
    name = rng.choice(sorted(good_images()))
    (folder / name).write_bytes(damaged(good_images()[name], rng))
    with refused(name, str(folder)):
        assert worlds.load(f"folder:{folder}", 8, 0, 0).shape == (1, 3, 8, 8)


def npz(rng: random.Random, folder: Path) -> None:
    """A user's npz file, with identities as CelebA's may have them."""
    (folder / "a.npz").write_bytes(damaged(good_npz(), rng) if rng.random() < 0.5 else _lying_npz(rng))
    with refused("a.npz"):
        images = worlds.load(f"{rng.choice(('npz', 'celeba'))}:{folder / 'a.npz'}", 8, 6, 0)
        assert images.dtype == np.uint8 and images.shape[1:] == (3, 8, 8)


def _lying_npz(rng: random.Random) -> bytes:
    """A sound archive of an array whose header says what is not so."""
    sides = (0, 1, 3, 6, 8, 8, 8, 10**6, 10**12, -1, 2**63)
    shape = tuple(rng.choice(sides) for _ in range(rng.choice((0, 1, 3, 4, 4, 4, 5))))
    kind = rng.choice(("|u1", "|u1", "|u1", "<f8", "|O", "<U9", "[('a', '|u1')]", "x"))
    header = f"{{'descr': {kind!r}, 'fortran_order': {rng.random() < 0.1}, 'shape': {shape}, }}"
    header = header if rng.random() < 0.7 else damaged(header.encode(), rng).decode("latin1")
    block = b"\x93NUMPY\x01\x00" + (len(header) % 65536).to_bytes(2, "little") + header.encode("latin1", "replace")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        name = rng.choice(("images.npy", "images.npy", "a.npy", "../a.npy", "/a.npy", "identity.npy"))
        archive.writestr(name, block + bytes(rng.choice((0, 1, 1152, 5000))))
    return stream.getvalue()


def tensors(rng: random.Random, folder: Path) -> None:
    """A safetensors file of ganfp's own: bytes damaged, or a sound file with a wrong description."""
    path = folder / training.GENERATOR
    if rng.random() < 0.5:
        path.write_bytes(damaged((good_gan() / training.GENERATOR).read_bytes(), rng))
    else:
        values, meta = read_tensors(good_gan() / training.GENERATOR)
        if rng.random() < 0.2:
            values[rng.choice(sorted(values))] = torch.zeros(rng.choice((0, 1, 7)))
        write_tensors(path, values, twisted(meta, rng))
    with refused(training.GENERATOR):
        training.load_generator(folder)


def model(rng: random.Random, folder: Path) -> None:
    """The folder of a fitted attributor."""
    for name in ("model.json", "model.safetensors"):
        shutil.copy(good_model() / name, folder)
    if rng.random() < 0.7:
        meta = json.loads((good_model() / "model.json").read_text())
        (folder / "model.json").write_bytes(hurt(json.dumps(meta).encode(), rng))
    else:
        (folder / "model.safetensors").write_bytes(damaged((good_model() / "model.safetensors").read_bytes(), rng))
    with refused("model.json", "model.safetensors"):
        attributors.load(folder)


def artifact(rng: random.Random, folder: Path) -> None:
    """The description of an artifact, and its files."""
    store = Store(folder)
    made = store.build(Thing(), lambda part, progress: (part / "data").write_bytes(b"data"))
    (made / DONE).write_bytes(hurt((made / DONE).read_bytes(), rng))
    with refused(DONE, "data", str(made)):
        store.verify(Thing())
        assert store.info(Thing())["seconds"] >= 0


def database(rng: random.Random, folder: Path) -> None:
    """An LMDB of images."""
    (folder / "data.mdb").write_bytes(damaged(good_database(), rng))
    with refused("data.mdb"):
        assert worlds.load(f"lsun:{folder}", 8, 4, 0).dtype == np.uint8


def manifest(rng: random.Random, folder: Path) -> None:
    """The manifest of shipped generators."""
    one = {"file": "a.safetensors", "sha256": "0" * 64, "bytes": 1, "seconds": 1.0, "recipe": {"name": "x"}}
    text = json.dumps([one, {**one, "file": "b.safetensors"}]).encode()
    (folder / shipping.MANIFEST).write_bytes(hurt(text, rng))
    with refused(shipping.MANIFEST):
        for found in shipping.manifest(folder):
            assert (folder / found["file"]).resolve().parent == folder.resolve() and isinstance(found["recipe"], dict)


def preset(rng: random.Random, folder: Path) -> None:
    """A preset."""
    name = rng.choice(("smoke", "quick", "reference"))
    text = (profiles.folder() / f"{name}.yml").read_bytes()
    if rng.random() < 0.6:
        text = yaml.safe_dump(twisted(yaml.safe_load(text), rng)).encode("utf-8", "surrogatepass")
    else:
        text = damaged(text, rng)
    with refused("presets/x.yml"):
        profiles.read(text.decode("utf-8", "replace"), "x")


def command(rng: random.Random, folder: Path) -> None:
    """A command line: it ends with a status, and without a traceback."""
    words = ["train", "build", "sample", "profiles", "notebook", "attack", "explain", "bench"]
    first = rng.choice(words)
    known = [f for one in cli.main.commands[first].params if isinstance(one, click.Option) for f in one.opts]
    known = [name for name in known if name not in ("--all", "--measure")]  # which would be remembered, or long
    values = "0 -1 nan 1e999 x faces,faces folder: npz:/dev/null quick smoke cuda:99 s4_2 progan ../.. -- blur".split()
    values += ["", "\u202e", "9" * 400, str(folder), str(folder / "no")]
    line = [first, *(rng.choice([*known, *values, *values]) for _ in range(rng.randrange(6)))]
    if first == "build":
        line.append("--dry-run")
    if first in ("train", "bench"):  # whatever else is right, this is not
        line += ["--device", rng.choice(("cuda:99", "", "x"))]
    if first == "notebook":
        line += ["-p", rng.choice(("seeed", "", "'")), rng.choice(values)]
    result = CliRunner().invoke(cli.main, line)
    assert isinstance(result.exception, SystemExit | None), f"{line}: {result.exception!r:.300}"
    assert result.exit_code in (0, 1, 2) and "Traceback" not in result.output


def parameter(rng: random.Random, folder: Path) -> None:
    """A notebook's parameter: the cell that papermill writes gives the very value, whatever is in it."""
    alphabet = string.printable + "\"'\\\n#{}\u2028\u202eä"
    text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(30)))
    values = text, text, text, rng.random(), rng.randrange(-(10**20), 10**20), True, None, [text], {text: 1}
    value = rng.choice(values)
    metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "x"}, "papermill": {}}
    page = new_notebook(cells=[new_code_cell("seed = 0", metadata={"tags": ["parameters"]})], metadata=metadata)
    written = parameterize_notebook(page, {"seed": value}).cells[1].source
    (assignment,) = ast.parse(written).body
    assert ast.literal_eval(assignment.value) == value, written
    with refused("s4_2"):
        notebooks.check_parameters(notebooks.find("s4_2"), {text: value})


BORDERS: dict[str, Callable[[random.Random, Path], None]] = {
    border.__name__: border
    for border in (image, npz, database, tensors, model, artifact, manifest, preset, command, parameter)
}  # fmt: skip


def cross(name: str, rng: random.Random) -> None:
    """Bring one damaged input to a border; an ``AssertionError``, or any other, is a fault of the border."""
    with tempfile.TemporaryDirectory() as folder:
        BORDERS[name](rng, Path(folder))


@click.command()
@click.argument("which", nargs=-1, type=click.Choice([*BORDERS]))
@click.option("--count", default=10_000, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(which: tuple[str, ...], count: int, seed: int) -> None:
    """Damage so many inputs of each border, and say what was neither read nor refused."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable()
    faults: Counter = Counter()
    for name in which or BORDERS:
        cross(name, random.Random(0))  # what is prepared once
        before, began, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic(), 0.0
        for i in range(count):
            start = time.monotonic()
            try:
                cross(name, random.Random(f"{name} {seed} {i}"))
            except Exception as error:
                faults[name] += 1
                if faults[name] <= 5:
                    click.echo(f"  {name} {seed} {i}: {type(error).__name__}: {error!s:.300}")
            slowest = max(slowest, time.monotonic() - start)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024  # Linux counts in kilobytes
        took = f"{time.monotonic() - began:.0f} s, slowest {slowest:.2f} s, {grown:.0f} MB more"
        click.echo(f"{name}: {count} inputs, {faults[name]} faults, {took}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()

"""A folder of everything that people, disks and enemies call an image: ``python tests/hostile.py FOLDER --count 2000``.

Each kind of file is made anew, with chance from a seed, until there are so many; beside each it is known whether it is
to be read (32 x 32 px) or to be left out.  What a folder has once (links, devices, a deep tree, files of 5 GB that take
no room) is made first.
"""

import io
import os
import pickle
import random
import socket
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
from PIL import Image, PngImagePlugin, features

SIDE = 32
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF", "gif": "GIF", "bmp": "BMP", "jp2": "JPEG2000",
           "ppm": "PPM", **({"avif": "AVIF"} if features.check("avif") else {})}  # fmt: skip
STRANGE = (
    "a\nb", "a\tb", "\u202egnp", "a\x1b[2Jb", "=1+cmd|'x'!A1", "-rf", "--force", "@sum(1)", "+1", "%s %d {0}", "$HOME",
    "<img src=x onerror=alert(1)>", "a'\"`b", "\u00e9\u0301\u200b", "n" * 200, " ", "[1]", "*", "a,b;c", "NUL",
    os.fsdecode(b"\xff\xfe\x80"), "{{ 1 }}", "a|b", "C:\\x",
)  # fmt: skip
DEPTH = 1500  # folders in each other, more than Python calls functions in each other
SPARSE = 5 * 10**9  # bytes that a file pretends to have
Made = tuple[str, bytes, bool]  # name, bytes, whether it is to be read


def picture(rng: random.Random, mode: str = "RGB", side: int = SIDE) -> Image.Image:
    pixels = np.random.default_rng(rng.randrange(2**32)).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(image: Image.Image, suffix: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, FORMATS[suffix], **options)
    return stream.getvalue()


def some(rng: random.Random, *among: str) -> str:
    return rng.choice([suffix for suffix in among or FORMATS if suffix in FORMATS])


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 2, before: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# ---------------------------------------------------------------------------- to be read


def plain(rng: random.Random) -> Made:
    suffix = some(rng)
    return f"a.{suffix}", saved(picture(rng), suffix), True


def misnamed(rng: random.Random) -> Made:
    return rng.choice(("a", "a.txt", "a.jpg_large", "a.PNG", "a.jpeg", "a.heic", "a.tar.gz")), plain(rng)[1], True


def moded(rng: random.Random) -> Made:
    suffix, mode = rng.choice((
        ("png", "L"), ("png", "LA"), ("png", "P"), ("png", "1"), ("png", "RGBA"), ("jpg", "L"), ("webp", "RGBA"),
        ("tiff", "L"), ("tiff", "RGBA"), ("tiff", "1"), ("gif", "L"), ("bmp", "L"), ("bmp", "1"), ("ppm", "L"),
    ))  # fmt: skip
    return f"a.{suffix}", saved(picture(rng, mode), suffix), True


def turned(rng: random.Random) -> Made:
    exif, suffix = Image.Exif(), some(rng, "jpg", "png", "webp")
    exif[0x0112] = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 65535))
    return f"a.{suffix}", saved(picture(rng), suffix, exif=exif), True


def talkative(rng: random.Random) -> Made:
    """Metadata by the megabyte, some of which is small until it is unpacked."""
    size = rng.choice((10**5, 3 * 10**6))
    if rng.random() < 0.5:
        data, text = saved(picture(rng), "jpg"), bytes(65533)
        return "a.jpg", data[:2] + (b"\xff\xfe\xff\xff" + text) * (size // 65533) + data[2:], True
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "x" * size, zip=rng.random() < 0.5)
    return "a.png", saved(picture(rng), "png", pnginfo=info), True


def animated(rng: random.Random) -> Made:
    suffix = some(rng, "gif", "webp", "png")
    more = [picture(rng) for _ in range(rng.choice((1, 5)))]
    return f"a.{suffix}", saved(picture(rng), suffix, save_all=True, append_images=more), True


def polyglot(rng: random.Random) -> Made:
    """An image, and something else behind it."""
    suffix, archive = some(rng, "png", "jpg", "gif", "bmp"), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../x", b"x")
    behind = rng.choice((archive.getvalue(), b"<script>alert(1)</script>", pickle.dumps(print), b"%PDF-1.7"))
    return f"a.{suffix}", saved(picture(rng), suffix) + behind, True


def strange(rng: random.Random) -> Made:
    name, data, good = plain(rng)
    return f"{rng.choice(STRANGE)}{Path(name).suffix}", data, good


# ---------------------------------------------------------------------------- to be left out


def cut(rng: random.Random) -> Made:
    """The end is missing, up to all of it."""
    name, data, _ = plain(rng)
    return name, data[: int(len(data) * rng.choice((0, 0.01, 0.1, 0.3, 0.6)))], False


def nothing(rng: random.Random) -> Made:
    page = b"<!doctype html><title>403 Forbidden</title>"
    data = page, b"GIF89a", b"\xff\xd8\xff", pickle.dumps([print]), rng.randbytes(5000), b"\0" * 5000, b"BM", b"<svg/>"
    return f"a.{some(rng)}", rng.choice(data), False


def boastful(rng: random.Random) -> Made:
    """A header that promises more than anybody has memory for."""
    side = rng.choice((12_000, 60_000))
    made = {
        "png": png(side, side, bytes(1000)),
        "bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 10**6, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 1, 1, 0, 0),
        "gif": b"GIF89a" + struct.pack("<HH", side, side) + saved(picture(rng), "gif")[10:],
        "ppm": b"P6 %d %d 255\n" % (10**rng.choice((5, 9, 400)), side),
        "jpg": _exchanged(saved(picture(rng), "jpg"), b"\xff\xc0\x00\x11\x08\x00\x20\x00\x20", side),
    }  # fmt: skip
    suffix = rng.choice(sorted(made))
    return f"a.{suffix}", made[suffix], False


def _exchanged(data: bytes, frame: bytes, side: int) -> bytes:
    assert frame in data
    return data.replace(frame, frame[:5] + struct.pack(">HH", side, side))


def bomb(rng: random.Random) -> Made:
    """169 million pixels in 20 kB, and one row that unpacks to 100 MB."""
    if rng.random() < 0.5:
        return "a.png", png(13_000, 13_000, bytes(13_000 * 1626), 1, 0), False
    return "a.png", png(SIDE, SIDE, bytes(10)) + chunk(b"IDAT", zlib.compress(bytes(10**8))), False


def deep(rng: random.Random) -> Made:
    """More than 8 bits, or other colours than red, green and blue."""
    pixels = np.random.default_rng(rng.randrange(2**32)).integers(0, 65536, (SIDE, SIDE), dtype=np.uint16)
    made = {
        "png": saved(Image.fromarray(pixels), "png"), "tiff": saved(Image.fromarray(pixels.astype(np.float32)), "tiff"),
        "jpg": saved(picture(rng, "CMYK"), "jpg"), "tif": saved(picture(rng, "CMYK"), "tiff"),
        "ppm": b"P6 32 32 65535\n" + bytes(6 * SIDE * SIDE), "pgm": b"P5 32 32 4095\n" + bytes(2 * SIDE * SIDE),
        "PNG": png(SIDE, SIDE, bytes(SIDE * (6 * SIDE + 1)), 16),
    }  # fmt: skip
    suffix = rng.choice(sorted(made))
    return f"a.{suffix}", made[suffix], False


def small(rng: random.Random) -> Made:
    suffix = some(rng, "png", "jpg", "webp", "bmp")
    return f"a.{suffix}", saved(picture(rng).resize(rng.choice(((1, 1), (31, 32), (3000, 1)))), suffix), False


def wrong(rng: random.Random) -> Made:
    """A PNG whose chunks contradict each other."""
    rows = bytes(SIDE * (3 * SIDE + 1))
    good = png(SIDE, SIDE, rows)
    made = png(SIDE, SIDE, rows, 8, 7), png(0, SIDE, rows), png(SIDE, SIDE, rows, 3), good.replace(b"IDAT", b"ABCD")
    return "a.png", rng.choice((*made, png(SIDE, SIDE, rows[: len(rows) // 2])[:-12])), False


KINDS: tuple[Callable[[random.Random], Made], ...] = (
    plain, misnamed, moded, turned, talkative, animated, polyglot, strange,
    cut, nothing, boastful, bomb, deep, small, wrong,
)  # fmt: skip


def once(root: Path) -> Iterator[tuple[Path, bool]]:
    """What is no plain file: each path, and whether it is to be read."""
    good = saved(picture(random.Random(0)), "png")
    folder = root / "links"
    folder.mkdir(parents=True)
    (folder / "real.png").write_bytes(good)
    for name, target in {"itself": "itself.png", "nowhere": "no", "zero": "/dev/zero", "random": "/dev/random",
                         "up": "..", "tty": "/dev/tty"}.items():  # fmt: skip
        (folder / f"{name}.png").symlink_to(target)
        yield folder / f"{name}.png", False
    (folder / "good.png").symlink_to("real.png")
    yield from ((folder / name, True) for name in ("real.png", "good.png"))
    os.mkfifo(folder / "fifo.png")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may have a hundred characters
        listening.bind("socket.png")
        os.chdir(here)
    yield from ((folder / name, False) for name in ("fifo.png", "socket.png"))
    (root / "folder.png").mkdir()
    (root / "folder.png" / "a.png").write_bytes(good)
    yield root / "folder.png" / "a.png", True
    headers = {"png": good[:33], "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(9), "bmp": b"BM", "gif": b"GIF89a",
               "tiff": b"II*\x00\x08\x00\x00\x00", "webp": b"RIFF\xff\xff\xff\xffWEBPVP8 ", "ppm": b"P6 ",
               "txt": b""}  # fmt: skip
    for suffix, header in headers.items():
        path = root / f"sparse.{suffix}"
        path.write_bytes(header)
        os.truncate(path, SPARSE)
        yield path, False
    here = os.getcwd()
    os.chdir(root)
    for _ in range(DEPTH):
        os.mkdir("d")
        os.chdir("d")
    Path("a.png").write_bytes(good)
    os.chdir(here)
    yield root.joinpath(*["d"] * DEPTH, "a.png"), True


def fill(root: Path, count: int, seed: int = 0) -> dict[Path, bool]:
    """Fill a folder that is not there yet with so many files: whether each is to be read."""
    made = dict(once(root))
    for i in range(count - len(made)):
        rng = random.Random(f"{seed} {i}")
        kind = KINDS[i % len(KINDS)]
        name, data, good = kind(rng)
        # what is strange in a name hurts at its very beginning
        path = root / f"{i // 100:02}" / f"{i:04}" / name if kind is strange else root / f"{i:04}{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        made[path] = good
    return made


def remove(root: Path) -> None:
    """Remove a folder that :func:`fill` or a command made: `shutil.rmtree` calls itself too often."""
    folders = [root]
    for folder in folders:  # which grows
        for path in folder.iterdir() if folder.is_dir() else ():
            folders.append(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for folder in reversed(folders):
        folder.rmdir()


@click.command()
@click.argument("folder", type=click.Path(exists=False, path_type=Path))
@click.option("--count", default=2000, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, count: int, seed: int) -> None:
    """Fill a new FOLDER, and list what is in it: 1 or 0, whether it is to be read, and its path."""
    sys.setrecursionlimit(10**4)
    for path, good in fill(folder, count, seed).items():
        click.echo(f"{int(good)} {os.fsdecode(os.fsencode(path))!r}")


if __name__ == "__main__":
    main()

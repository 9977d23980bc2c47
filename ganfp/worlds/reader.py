"""The one reader of image files: 8-bit pixels as they are stored, or a ``ValueError`` that says why not.

Pixels are never made up: more than 8 bits a channel, CMYK and other colour spaces are refused, a colour profile is not
applied, an alpha channel is dropped (compositing would invent a background), grey is repeated, of an animation the
first picture counts, and an EXIF orientation is followed.  What was done is in the notes.  Only regular files are
opened, by the formats of :data:`FORMATS` and no others (some of Pillow's start other programs), whatever a file's name
ends in; the number of pixels is checked before anything is decoded.
"""

import io
import os
import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageFile

IMAGE_SUFFIXES = set(".avif .bmp .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tga .tif .tiff .webp".split())
LITTER = {"__MACOSX", "Thumbs.db", "desktop.ini"}  # what systems leave in folders; what begins with a dot is, too
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "JPEG2000", "PPM")  # known by their first bytes
LARGEST = 2**27  # pixels that are decoded
DENSE = b"\xff\xd8", b"GI", b"RI"  # how JPEG, GIF and WebP begin, which take a byte a pixel at most
LARGE = 2**24  # pixels beyond which images are decoded one at a time
HEAD = 4096  # bytes in which AVIF and JPEG 2000 say how deep they are
NOTES = {
    "grey": "greyscale, repeated to three channels",
    "transparent": "with an alpha channel, which was dropped",
    "turned": "turned as their EXIF orientation says",
    "profile": "with a colour profile, which was not applied",
    "animated": "of several pictures, of which the first was taken",
}
COLOURS = {1: "grey", 3: None, 4: "transparent"}  # by the number of channels
_MODES = {"1": "grey", "L": "grey", "LA": "grey", "P": None, "PA": "transparent", "RGB": None, "RGBA": "transparent"}
_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip
_alone = Lock()

Notes = tuple[str, ...]
Found = TypeVar("Found")


def images_in(path: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The images under a folder, sorted by relative name, and everything else there, each with a reason.

    Images are regular files with a suffix of ``IMAGE_SUFFIXES`` or the first bytes of an image.  What is hidden, or in
    ``LITTER``, is neither.  ``ValueError`` if there is no image.
    """
    images: list[Path] = []
    others: list[tuple[Path, str]] = []
    folders = [path]  # no call in itself: a tree may be deeper than Python's stack
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                there = [entry for entry in entries if not litter(entry.name)]
        except OSError as error:
            others.append((folder, f"cannot be opened: {error.strerror}"))
            continue
        for entry in there:
            file = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(file)
            elif reason := _no_image(file):
                others.append((file, reason))
            else:
                images.append(file)
    if not images:
        because = f": {others[0][0].name} {others[0][1]}" if others else ""
        raise ValueError(f"{path} holds no images: none of its {len(others)} files is one{because}")
    return sorted(images, key=lambda file: file.relative_to(path).as_posix()), sorted(others)


def litter(name: str) -> bool:
    """Whether a name is of what nobody means by the files in a folder."""
    return name.startswith(".") or name in LITTER


def _no_image(file: Path) -> str:
    """Why a file is not to be read, "" if it is."""
    try:
        if (reason := _unfit(file)) or file.suffix.lower() in IMAGE_SUFFIXES:
            return reason
        with Image.open(file, formats=FORMATS):
            return ""
    except OSError as error:  # Pillow's error of a format that it does not know has no number
        return f"cannot be opened: {error.strerror}" if error.errno else "is not an image of a known format"
    except Exception:  # an image, but a damaged one: reading it will say how
        return ""


def _unfit(file: Path) -> str:
    """Why a file is not even to be opened, "" if it may be."""
    found = file.stat()
    if stat.S_ISDIR(found.st_mode):
        return "is a link to a folder; name that folder itself" if file.is_symlink() else "is a folder"
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_size > LARGEST:
        dense = _from_start(file, lambda opened: opened.read(2)) in DENSE
        if dense or found.st_size > 4 * LARGEST:
            return f"has {found.st_size / 1e6:.0f} MB, more than images of {LARGEST / 1e6:.0f} million pixels have"
    return ""


def opened(source: Path | BinaryIO, name: str | Path) -> ImageFile.ImageFile:
    """An image file, of which only the header is read so far; ``ValueError`` names one that may not be decoded."""
    formats: tuple[str, ...] = FORMATS
    try:
        if isinstance(source, Path):
            if reason := _unfit(source):
                raise ValueError(f"it {reason}")
            if source.suffix.lower() == ".tga":  # which has no first bytes to know it by
                formats = (*FORMATS, "TGA")
        image = Image.open(source, formats=formats)
    except Image.UnidentifiedImageError as error:
        raise ValueError(f"{name} is not a readable image: no known format") from error
    except Exception as error:  # decoders raise whatever they meet: OSError, SyntaxError, struct.error, ...
        raise ValueError(f"{name} is not a readable image: {error}") from error
    if image.width * image.height > LARGEST:
        image.close()
        limit = f"more than {LARGEST / 1e6:.0f} million pixels are not decoded"
        raise ValueError(f"{name} has {image.width} x {image.height} px; {limit}")
    return image


def read(
    source: Path | BinaryIO, name: str | Path, check: Callable[[int, int], None] | None = None
) -> tuple[Image.Image, Notes]:
    """An image file (a path, or its bytes as a stream) with its pixels, mode L or RGB, and what was done to it.

    The notes are keys of :data:`NOTES`.  ``name`` is what the ``ValueError`` calls an image that cannot be read or is
    not 8 bits per channel.  ``check`` may raise one for a width and height, before anything is decoded.
    """
    try:
        return _read(source, name, check)
    except ValueError as error:
        if "data too large" not in str(error):  # what Pillow says of a PNG with long texts
            raise
        return _read(io.BytesIO(_without_text(source)), name, check)


def decode(source: Path | BinaryIO, name: str | Path) -> tuple[np.ndarray, Notes]:
    """The same as planes, uint8 (1 or 3, H, W)."""
    image, notes = read(source, name)
    return planes(image), notes


def planes(image: Image.Image) -> np.ndarray:
    """An image of mode L or RGB as uint8 (1 or 3, H, W)."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _read(
    source: Path | BinaryIO, name: str | Path, check: Callable[[int, int], None] | None
) -> tuple[Image.Image, Notes]:
    with opened(source, name) as image, _alone if image.width * image.height > LARGE else nullcontext():
        if check is not None:
            check(*image.size)
        try:
            animated = getattr(image, "is_animated", False)
            tiles, kind, interlaced = str(image.tile), image.format, "interlace" in image.info  # gone once loaded
            deep = _deep(tiles) or kind in ("AVIF", "JPEG2000") and _deep_stream(source)
            image.load()
            upright = _upright(image)
            if kind == "PNG" and (interlaced or not _last(image)) and not _whole(source):
                raise ValueError("its last rows are missing")
        except Exception as error:  # as in `opened`
            raise ValueError(f"{name} is not a readable image: {error}") from error
        mode = f"{image.mode} of more than 8 bits" if deep and image.mode in ("L", "LA", "RGB", "RGBA") else image.mode
        if mode not in _MODES:
            raise ValueError(f"{name} has colour mode {mode}; save it as 8-bit RGB or greyscale")
        said = {
            "grey": _MODES[mode] == "grey", "turned": upright is not image, "animated": animated,
            "transparent": _MODES[mode] == "transparent" or "transparency" in image.info,
            "profile": bool(image.info.get("icc_profile")),
        }  # fmt: skip
        if upright.mode in ("P", "PA"):
            upright = upright.convert("RGBA")  # the palette's colours, whatever its transparency
        wanted = "L" if upright.mode in ("1", "L", "LA") else "RGB"
        return upright if upright.mode == wanted else upright.convert(wanted), tuple(n for n in NOTES if said[n])


def in_words(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    """``"3 images are greyscale, repeated to three channels"`` for each note that was counted."""
    for note, count in counts:
        yield f"{count} images are {NOTES[note]}"


def _deep(tiles: str) -> bool:
    """Pillow cuts deeper colour to 8 bits without a word; only its tiles tell, by their raw mode or largest value."""
    largest = re.findall(r"args=\('\w+', (\d+)\)", tiles)
    return ";16" in tiles.replace("BGR;16", "") or any(int(value) > 255 for value in largest)


def _deep_stream(source: Path | BinaryIO) -> bool:
    """Whether an AVIF or JPEG 2000 has more than 8 bits, by the box ``av1C`` or the marker SIZ."""
    head = _from_start(source, lambda file: file.read(HEAD))
    box, marker = head.find(b"av1C") + 6, head.find(b"\xff\x51") + 40
    if box > 5:
        return len(head) > box and bool(head[box] & 0x40)
    return marker > 39 and len(head) > marker and head[marker] & 0x7F > 7


def _from_start(source: Path | BinaryIO, read: Callable[[BinaryIO], Found]) -> Found:
    if isinstance(source, Path):
        with open(source, "rb") as file:
            return read(file)
    source.seek(0)
    return read(source)


def _upright(image: Image.Image) -> Image.Image:
    """The image as its EXIF orientation says; one that cannot be read says nothing."""
    if not image.info and image.format == "PNG":  # to ask for EXIF takes longer than to decode a small image
        return image
    try:
        turn = _TURNS.get(image.getexif().get(0x0112, 1))
    except Exception:  # as in `opened`
        turn = None
    return image.transpose(Image.Transpose[turn]) if turn else image


def _last(image: Image.Image) -> bool:
    """Whether the last pixel has a value: where the data end early, Pillow leaves zeros."""
    last = image.getpixel((image.width - 1, image.height - 1))
    return any(last) if isinstance(last, tuple) else bool(last)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The chunks of a PNG: what each is, its data, and the whole of it."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        data = file.read(length)
        yield kind, data, head + data + file.read(4)


def _whole(source: Path | BinaryIO) -> bool:
    """Whether a PNG holds as many bytes of pixels as its header asks for."""

    def whole(file: BinaryIO) -> bool:
        unpack, found, wanted = zlib.decompressobj(), 0, 0
        for kind, data, _ in _chunks(file):
            if kind == b"IHDR":
                width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data)
                bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
                for x, y, dx, dy in _ADAM7 if interlaced else ((0, 0, 1, 1),):
                    columns, rows = -(-(width - x) // dx), -(-(height - y) // dy)
                    wanted += rows * (1 + (columns * bits + 7) // 8) if columns > 0 < rows else 0
            while kind == b"IDAT" and data and not unpack.eof and found < wanted:
                found += len(unpack.decompress(data, 1 << 20))
                data = unpack.unconsumed_tail
        return found >= wanted

    return _from_start(source, whole)


_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _without_text(source: Path | BinaryIO) -> bytes:
    """A PNG without its texts and profile: its pixels are good, however much is said about them."""

    texts = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
    kept = _from_start(source, lambda file: [whole for kind, _, whole in _chunks(file) if kind not in texts])
    return b"\x89PNG\r\n\x1a\n" + b"".join(kept)

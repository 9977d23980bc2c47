"""Every oddity of image files: read right, or refused by name; small files made here."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from ganfp.worlds import reader
from ganfp.worlds.reader import decode, images_in

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


PIXELS = noise(16, 24, 3)
LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}, "PPM": {}, "TGA": {}, "JPEG2000": {}}


def saved(path, pixels=PIXELS, kind=None, **options):
    Image.fromarray(pixels).save(path, kind, **options)
    return path


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path, rows, height=8, depth=8, colour=2, interlaced=0, before=b""):
    """A PNG byte by byte: what Pillow would not write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, height, depth, colour, 0, 0, interlaced))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_are_read_to_the_pixel(tmp_path, kind):
    path = saved(tmp_path / ("a.tga" if kind == "TGA" else "a"), kind=kind, **LOSSLESS[kind])
    planes, notes = decode(path, path)
    assert np.array_equal(planes.transpose(1, 2, 0), PIXELS) and notes == ()


@pytest.mark.parametrize("kind", ["JPEG", "AVIF", "WEBP", "GIF"])
def test_lossy_formats_are_read_as_pillow_reads_them(tmp_path, kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    path = saved(tmp_path / "a.png", kind=kind)  # its suffix lies
    assert np.array_equal(decode(path, path)[0].transpose(1, 2, 0), np.asarray(Image.open(path).convert("RGB")))


def test_what_was_done_is_in_the_notes(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(tmp_path / "turned.png", exif=exif)
    planes, notes = decode(turned, turned)
    assert notes == ("turned",) and np.array_equal(planes.transpose(1, 2, 0), np.rot90(PIXELS, -1))
    profile = saved(tmp_path / "profile.png", icc_profile=b"a colour profile")
    assert decode(profile, profile)[1] == ("profile",)
    assert decode(saved(tmp_path / "grey.png", PIXELS[..., 0]), "")[1] == ("grey",)
    alpha = np.dstack([PIXELS, PIXELS[..., :1]])
    planes, notes = decode(saved(tmp_path / "alpha.png", alpha), "")
    assert notes == ("transparent",) and np.array_equal(planes.transpose(1, 2, 0), PIXELS)
    frames = [Image.fromarray(noise(16, 24, 3)) for _ in range(2)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        path = tmp_path / f"moving.{kind}"
        frames[0].save(path, kind, save_all=True, append_images=frames[1:])
        first = np.asarray(Image.open(path).convert("RGB"))
        planes, notes = decode(path, path)
        assert notes == ("animated",) and np.array_equal(planes.transpose(1, 2, 0), first), kind


def test_five_and_six_bits_are_no_more_than_eight(tmp_path):
    """A BMP of 16 bits a pixel, 5, 6 and 5 of them a colour."""
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    info = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 16, 3, 32, 0, 0, 0, 0)
    head = b"BM" + struct.pack("<IHHI", 14 + 40 + 12 + 32, 0, 0, 66)
    path = tmp_path / "a.bmp"
    path.write_bytes(head + info + masks + struct.pack("<16H", *[0xF800] * 16))
    assert (decode(path, path)[0] == np.array([255, 0, 0])[:, None, None]).all()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_the_header_of_an_avif_says_how_deep_it_is(tmp_path):
    data = bytearray(saved(tmp_path / "a.avif").read_bytes())
    assert not reader._deep_stream(io.BytesIO(data))
    data[data.index(b"av1C") + 6] |= 0x40  # 10 bits
    assert reader._deep_stream(io.BytesIO(data))


def deep_jpeg2000(path):
    data = bytearray(saved(path, kind="JPEG2000").read_bytes())
    data[data.index(b"\xff\x51") + 40] = 15
    path.write_bytes(bytes(data))


BAD = {
    "empty": (lambda p: p.write_bytes(b""), "not a readable image: no known format"),
    "text": (lambda p: p.write_text("hello"), "no known format"),
    "deep grey": (lambda p: saved(p, noise(8, 8).astype(np.uint16) * 256), "colour mode I;16"),
    "deep colour": (lambda p: png(p, bytes(8 * 49), depth=16), "RGB of more than 8 bits"),
    "deep ppm": (lambda p: p.write_bytes(b"P6 8 8 65535\n" + bytes(noise(384))), "RGB of more than 8 bits"),
    "deep jpeg 2000": (deep_jpeg2000, "not a readable image|RGB of more than 8 bits"),
    "float": (lambda p: saved(p, np.ones((8, 8), np.float32), "TIFF"), "colour mode F"),
    "cmyk": (lambda p: Image.fromarray(PIXELS).convert("CMYK").save(p, "JPEG"), "colour mode CMYK"),
    "half its rows": (lambda p: png(p, bytes(noise(4 * 25)) [:100]), "not a readable image"),
    "half its rows, interlaced": (lambda p: png(p, bytes(60), interlaced=1), "last rows are missing|truncated|broken"),
    "bomb": (lambda p: png(p, b"", height=2**28), "million pixels are not decoded|decompression bomb"),
    "postscript": (lambda p: p.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "no known format"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_right_is_refused_by_name(tmp_path, case):
    make, message = BAD[case]
    make(tmp_path / "bad.png")
    with pytest.raises(ValueError, match=rf"bad\.png.*({message})"):
        decode(tmp_path / "bad.png", tmp_path / "bad.png")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = png(tmp_path / "a.png", b"", height=2**25)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="a.png"):
        decode(path, path)


def test_a_black_end_is_no_missing_end(tmp_path):
    """A whole PNG whose last row is black, and one of which half the rows are there."""
    black = np.concatenate([noise(4, 8, 3), np.zeros((4, 8, 3), np.uint8)])
    whole = saved(tmp_path / "whole.png", black)
    assert np.array_equal(decode(whole, whole)[0].transpose(1, 2, 0), black)
    rows = b"".join(b"\0" + bytes(row) for row in black.reshape(8, 24))
    png(tmp_path / "whole2.png", rows)
    assert np.array_equal(decode(tmp_path / "whole2.png", "")[0].transpose(1, 2, 0), black)
    png(tmp_path / "half.png", rows[:100])
    with pytest.raises(ValueError, match="half"):
        decode(tmp_path / "half.png", tmp_path / "half.png")


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_pixels_are_good_however_long_the_text_beside_them(tmp_path, kind):
    long = zlib.compress(bytes(3 << 20))
    data = b"key\0\0" + long if kind == b"zTXt" else b"key\0\1\0\0\0" + long
    rows = b"".join(b"\0" + bytes([7] * 24) for _ in range(8))
    path = png(tmp_path / "a.png", rows, before=chunk(kind, data))
    assert (decode(path, path)[0] == 7).all()


def test_only_regular_files_are_opened(tmp_path):
    saved(tmp_path / "a.png")
    (tmp_path / "dir.png").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo.png")
        with pytest.raises(ValueError, match="fifo.png is not a readable image: it is not a regular file"):
            decode(tmp_path / "fifo.png", tmp_path / "fifo.png")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "nowhere.png").symlink_to("gone")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "__MACOSX").mkdir()
    saved(tmp_path / "__MACOSX" / "b.png")
    (tmp_path / "Thumbs.db").write_text("litter")
    images, others = images_in(tmp_path)
    assert [path.name for path in images] == ["a.png"]
    said = {path.name: reason for path, reason in others}
    assert said.pop("fifo.png", "is not a regular file") == said.pop("device.png") == "is not a regular file"
    assert "link to a folder" in said.pop("loop") and "cannot be opened" in said.pop("nowhere.png")
    assert said == {"notes.txt": "is not an image of a known format"}


def test_a_folder_that_cannot_be_opened_is_named(tmp_path):
    saved(tmp_path / "a.png")
    (tmp_path / "closed").mkdir(mode=0)
    if os.access(tmp_path / "closed", os.R_OK):  # as for root
        pytest.skip("every folder can be opened here")
    assert [path.name for path, reason in images_in(tmp_path)[1]] == ["closed"]


GOOD = {}
for _kind, _options in LOSSLESS.items():
    if _kind != "TGA":
        _stream = io.BytesIO()
        Image.fromarray(PIXELS).save(_stream, _kind, **_options)
        GOOD[_kind] = _stream.getvalue()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_damaged_files_are_read_or_refused_by_name(kind, data):
    """Bytes changed, cut and added at random: never another error, never another shape than uint8 planes."""
    content = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(0, len(content)))]) + data.draw(st.binary(max_size=8))
    try:
        planes, notes = decode(io.BytesIO(content), "this one")
    except ValueError as error:
        assert str(error).startswith("this one ")
    else:
        assert planes.dtype == np.uint8 and planes.ndim == 3 and len(planes) in (1, 3)
        assert set(notes) <= set(reader.NOTES)

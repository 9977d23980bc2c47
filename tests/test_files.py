import logging
import struct
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from ganfp.worlds import npz
from ganfp.worlds.files import area_mean, fingerprint, load_folder
from ganfp.worlds.npz import load_npz

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def save_npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def exact_mean(image, resolution):
    """Area mean by counting: every pixel split into resolution x resolution equal parts, in fractions."""
    side = len(image)
    fine = image.astype(int).repeat(resolution, 0).repeat(resolution, 1)
    out = np.empty((resolution, resolution), int)
    for i in range(resolution):
        for j in range(resolution):
            total = fine[i * side : (i + 1) * side, j * side : (j + 1) * side].sum()
            out[i, j] = (Fraction(int(total), side**2) + Fraction(1, 2)).__floor__()
    return out


# ------------------------------------------------------------------------------------------- area average


def test_box_mean_by_hand():
    image = np.array([[0, 1, 10, 20], [2, 3, 30, 41], [255, 255, 7, 7], [255, 254, 7, 7]], np.uint8)
    # 6 / 4 = 1.5 -> 2 (halves up), 101 / 4 = 25.25 -> 25, 1019 / 4 = 254.75 -> 255, 7
    assert area_mean(image, 2).tolist() == [[2, 25], [255, 7]]


def test_area_mean_shares_the_border_pixel():
    # 3 -> 2: each new pixel covers 1.5 x 1.5 old ones; the corner is (9 + 0.5 * 90) / 2.25
    image = np.array([[9, 90, 0], [0, 0, 0], [0, 0, 255]], np.uint8)
    assert area_mean(image, 2).tolist() == [[24, 20], [0, 113]]


@settings(max_examples=30, deadline=None)
@given(side=st.integers(2, 40), resolution=st.integers(1, 16), seed=st.integers(0, 2**31))
def test_area_mean_equals_counting(side, resolution, seed):
    if side < resolution:
        side, resolution = resolution, side
    image = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    assert np.array_equal(area_mean(image, resolution), exact_mean(image, resolution))


@pytest.mark.parametrize("side", [256, 257, 3000])  # float32, float64, a photograph
def test_large_white_square_stays_white(side):
    white = np.full((1, side, side), 255, np.uint8)
    assert (area_mean(white, 7) == 255).all()


# ------------------------------------------------------------------------------------------- npz


def test_npz_same_size_is_unchanged_and_in_order(tmp_path):
    images = noise(7, 8, 8, 3)
    path = save_npz(tmp_path / "a.npz", images=images, label=np.arange(7))
    assert np.array_equal(load_npz(path, 8), images.transpose(0, 3, 1, 2))


def test_npz_channels_first_and_only_array(tmp_path):
    images = noise(5, 3, 8, 8)
    assert np.array_equal(load_npz(save_npz(tmp_path / "a.npz", x=images), 8), images)


def test_npz_crops_the_centre_and_averages(tmp_path):
    images = noise(3, 8, 12, 3)
    loaded = load_npz(save_npz(tmp_path / "a.npz", images=images), 4)
    box = images[:, :, 2:10].reshape(3, 4, 2, 4, 2, 3).astype(float).mean((2, 4)).transpose(0, 3, 1, 2)
    assert np.array_equal(loaded, np.floor(box + 0.5))


def test_npz_in_pieces_equals_npz_at_once(tmp_path, monkeypatch):
    path = save_npz(tmp_path / "a.npz", images=noise(11, 9, 10, 3))
    at_once = load_npz(path, 4)
    monkeypatch.setattr(npz, "_CHUNK", 3 * 9 * 10 * 3 + 1)  # 3, 3, 3 and 2 images
    assert np.array_equal(load_npz(path, 4), at_once)


def test_npz_grey_and_alpha_are_handled_and_counted(tmp_path, caplog):
    grey, rgba = noise(6, 8, 8), noise(6, 8, 8, 4)
    with caplog.at_level(logging.WARNING):
        loaded = load_npz(save_npz(tmp_path / "grey.npz", images=grey), 8)
    assert np.array_equal(loaded, grey[:, None].repeat(3, 1))
    assert "grey.npz: 6 images are greyscale" in caplog.text
    loaded = load_npz(save_npz(tmp_path / "rgba.npz", images=rgba), 8)
    assert np.array_equal(loaded, rgba[..., :3].transpose(0, 3, 1, 2))
    assert "rgba.npz: 6 images are with an alpha channel" in caplog.text


@pytest.mark.parametrize(
    "images, message",
    [
        (noise(5, 8, 8, 3).astype(np.float32) / 255, "float32"),
        (noise(5, 8, 8, 3).astype(np.uint16), "uint16"),
        (np.array([{"a": 1}] * 5), "object"),  # never unpickled
        (noise(5, 3, 8, 3), "channels first or last"),
        (noise(5, 8, 8, 2), r"\(5, 8, 8, 2\)"),
        (noise(8, 8, 3), r"\(8, 8, 3\)"),
        (noise(3, 8, 8), r"\(3, 8, 8\)"),
        (noise(0, 8, 8, 3), "no images"),
        (noise(5, 8, 7, 3), r"7 x 8 px: too small for 8 px"),
        (np.asfortranarray(noise(5, 8, 8, 3)), "Fortran"),
    ],
)
def test_npz_errors_name_the_file(tmp_path, images, message):
    path = save_npz(tmp_path / "bad.npz", images=images)
    with pytest.raises(ValueError, match=r"bad\.npz.*" + message):
        load_npz(path, 8)


def test_npz_with_two_unnamed_arrays_lists_them(tmp_path):
    path = save_npz(tmp_path / "bad.npz", a=noise(5, 8, 8, 3), b=noise(5, 8, 8, 3))
    with pytest.raises(ValueError, match=r"bad\.npz.*'images'.*: a, b"):
        load_npz(path, 8)


@pytest.mark.parametrize("header", ["{", "{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000, 8, 8, 3), }"])
def test_headers_that_lie(tmp_path, header):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        block = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
        archive.writestr("images.npy", block + bytes(1000))
    with pytest.raises(ValueError, match=r"a\.npz is (not an npz file, or a damaged one|truncated: 5 of 10000000000)"):
        load_npz(tmp_path / "a.npz", 8)


def test_what_would_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = save_npz(tmp_path / "a.npz", images=np.zeros((40, 64, 64, 3), np.uint8))
    with monkeypatch.context() as patch, pytest.raises(ValueError, match=r"a\.npz has shape .* more than 1,000 pixels"):
        patch.setattr(npz, "LARGEST", 1000)
        load_npz(path, 8)
    monkeypatch.setattr(npz, "memory", lambda: 7000)
    with pytest.raises(ValueError, match=r"a\.npz holds 40 images: 7,680 bytes at 8 px, more than the memory"):
        load_npz(path, 8)
    assert load_npz(path, 4).shape == (40, 3, 4, 4)


def test_damaged_npz(tmp_path):
    good = save_npz(tmp_path / "good.npz", images=noise(50, 8, 8, 3)).read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0xFF
    for name, content in {
        "empty": b"",
        "text": b"these are no images",
        "cut": good[: len(good) // 2],
        "flipped": bytes(flipped),
    }.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.npz.*(damaged|truncated)"):
            load_npz(path, 8)


def test_uncompressed_npz_with_a_flipped_pixel_fails_its_checksum(tmp_path):
    path = tmp_path / "flipped.npz"
    np.savez(path, images=np.full((50, 8, 8, 3), 7, np.uint8))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF  # well inside the pixels
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"flipped\.npz"):
        load_npz(path, 8)


def test_missing_or_misnamed_source(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        load_npz(tmp_path / "none.npz", 8)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_folder(tmp_path / "nowhere", 8)
    with pytest.raises(ValueError, match="is a folder.*folder:"):
        load_npz(tmp_path, 8)
    path = save_npz(tmp_path / "a.npz", images=noise(1, 8, 8, 3))
    with pytest.raises(ValueError, match="is a file.*npz:"):
        load_folder(path, 8)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fingerprint(tmp_path / "nowhere")


# ------------------------------------------------------------------------------------------- folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images" / "sub").mkdir(parents=True)
    return tmp_path / "images"


def test_folder_is_sorted_by_relative_name_and_takes_mixed_sizes(folder, caplog):
    images = {
        "sub/a.png": noise(8, 8, 3),
        "b.png": noise(12, 16, 3),
        "B.png": noise(9, 8, 3),
        "a.bmp": noise(8, 8, 3),
    }
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_text("not an image either")
    loaded = load_folder(folder, 4)
    assert "1 files left out, such as: " in caplog.text and "notes.txt is not an image" in caplog.text
    for i, name in enumerate(["B.png", "a.bmp", "b.png", "sub/a.png"]):
        height, width = images[name].shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = images[name][top : top + side, left : left + side]
        assert all(np.array_equal(loaded[i, c], exact_mean(square[..., c], 4)) for c in range(3)), name


def test_folder_colour_modes(folder, caplog):
    rgb, grey, alpha = noise(8, 8, 3), noise(8, 8), noise(8, 8)
    few = noise(5, 3)[noise(8, 8) % 5]  # five colours: a palette holds them exactly
    index = noise(8, 8) % 2
    Image.fromarray(rgb).save(folder / "0rgb.png")
    Image.fromarray(grey).save(folder / "1grey.png")
    Image.fromarray(np.dstack([rgb, alpha])).save(folder / "2rgba.png")
    Image.fromarray(np.dstack([grey, alpha])).save(folder / "3la.png")
    Image.fromarray(few).quantize(5, dither=Image.Dither.NONE).save(folder / "4palette.png")
    Image.fromarray(index * 255).convert("1", dither=Image.Dither.NONE).save(folder / "5bits.png")
    transparent = Image.fromarray(few).quantize(5, dither=Image.Dither.NONE)
    transparent.save(folder / "6transparent.png", transparency=0)
    with caplog.at_level(logging.WARNING):
        loaded = load_folder(folder, 8).transpose(0, 2, 3, 1)
    expected = [rgb, grey[..., None], rgb, grey[..., None], few, index[..., None] * 255, few]
    for i, pixels in enumerate(expected):
        assert np.array_equal(loaded[i], np.broadcast_to(pixels, (8, 8, 3))), i
    assert "3 images are greyscale" in caplog.text
    assert "2 images are with an alpha channel" in caplog.text


def test_folder_applies_the_exif_orientation(folder):
    image = Image.fromarray(noise(8, 8, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    image.save(folder / "a.png", exif=exif)
    assert np.array_equal(load_folder(folder, 8)[0].transpose(1, 2, 0), np.rot90(np.asarray(image), -1))


@pytest.mark.parametrize("value", range(9))
def test_every_orientation_is_pillows_own(folder, value):
    image, exif = Image.fromarray(noise(8, 8, 3)), Image.Exif()
    exif[0x0112] = value
    image.save(folder / "a.png", exif=exif)
    turned = ImageOps.exif_transpose(Image.open(folder / "a.png"))
    assert np.array_equal(load_folder(folder, 8)[0].transpose(1, 2, 0), np.asarray(turned))


def test_a_broken_tag_beside_the_orientation_does_no_harm(folder):
    """Tag 0x0111 says that it is a short and holds 70,000: Pillow reads it, and could not write it again."""
    entries = struct.pack("<HHHIHH", 2, 0x0112, 3, 1, 6, 0) + struct.pack("<HHII", 0x0111, 4, 1, 70_000)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entries + struct.pack("<I", 0)
    image = Image.fromarray(np.kron(noise(2, 2, 3), np.ones((8, 8, 1), np.uint8)))
    image.save(folder / "a.jpg", exif=exif, quality=100)
    image.save(folder / "b.jpg", quality=100)
    turned, plain = load_folder(folder, 16)
    assert np.array_equal(turned, np.rot90(plain, -1, (1, 2)))


def test_images_are_known_by_their_content_too(folder, caplog):
    pixels = noise(8, 8, 3)
    kinds = {"a": "PNG", "b.jpg_large": "JPEG", "c.jpg?width=8": "WEBP", "d.JPE": "JPEG", "e.tga": "TGA"}
    for name, kind in kinds.items():
        Image.fromarray(pixels).save(folder / name, kind)
    (folder / "f.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "g").write_bytes(bytes(noise(4000)))
    assert len(load_folder(folder, 8)) == 5
    assert "2 files left out, such as: " in caplog.text and "f.heic is not an image" in caplog.text


def test_one_bad_file_never_refuses_a_folder(folder, caplog):
    good = noise(2, 16, 16, 3)
    for i, image in enumerate(good):
        Image.fromarray(image).save(folder / f"{i}good.png")
    Image.fromarray(noise(64, 64, 3)).save(folder / "truncated.png")
    (folder / "truncated.png").write_bytes((folder / "truncated.png").read_bytes()[:2000])
    (folder / "0text.png").write_text("hello")
    Image.fromarray(noise(16, 7, 3)).save(folder / "small.png")
    Image.fromarray(noise(16, 16).astype(np.uint16) * 256).save(folder / "deep.png")
    assert np.array_equal(load_folder(folder, 16), good.transpose(0, 3, 1, 2))
    assert "images: 4 files left out, such as: " in caplog.text and "0text.png is not a readable image" in caplog.text
    with pytest.raises(ValueError, match=r"holds no image that can be used: .*0good\.png is 16 x 16 px: too small"):
        load_folder(folder, 128)


def test_folder_without_images(folder):
    (folder / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"images holds no images: none of its 1 files is one: notes.txt"):
        load_folder(folder, 8)


# ------------------------------------------------------------------------------------------- fingerprint


def test_file_and_folder_give_the_same_images(folder, tmp_path):
    images = noise(4, 9, 9, 3)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.png")
    path = save_npz(tmp_path / "a.npz", images=images)
    assert np.array_equal(load_npz(str(path), 4), load_folder(str(folder), 4))
    assert len(fingerprint(path)) == len(fingerprint(str(folder))) == 64


def test_fingerprint_of_a_folder_follows_names_and_content_only(folder):
    for name in ("a.png", "sub/b.png"):
        Image.fromarray(noise(8, 8, 3)).save(folder / name)
    first = fingerprint(folder)
    (folder / "a.png").touch()
    (folder / "notes.txt").write_text("no image")
    assert fingerprint(folder) == first
    (folder / "a.png").rename(folder / "c.png")
    renamed = fingerprint(folder)
    Image.fromarray(noise(8, 8, 3)).save(folder / "c.png")
    assert len({first, renamed, fingerprint(folder)}) == 3


def test_fingerprint_of_an_npz_follows_its_bytes(tmp_path):
    path = save_npz(tmp_path / "a.npz", images=noise(4, 8, 8, 3))
    first = fingerprint(path)
    assert fingerprint(path) == first
    save_npz(path, images=noise(4, 8, 8, 3))
    assert fingerprint(path) != first

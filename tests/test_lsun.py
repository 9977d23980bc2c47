import hashlib
import logging
import random
import sys
from io import BytesIO

import lmdb
import numpy as np
import pytest
from PIL import Image, features

from ganfp import worlds
from ganfp.worlds import files, lmdb_reader, lsun

RNG = np.random.default_rng(0)


def picture(height=24, width=36):
    """Smooth colours, which lossy formats keep nearly as they are."""
    rows, columns = np.mgrid[:height, :width]
    slopes, start = RNG.uniform(-2, 2, (2, 3, 1, 1)), RNG.uniform(90, 160, (3, 1, 1))
    return (start + slopes[0] * rows + slopes[1] * columns).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)


def encode(pixels, kind="PNG", **options):
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def key(i):
    """LSUN's keys are SHA-1 in hexadecimal, 40 bytes."""
    return hashlib.sha1(str(i).encode()).hexdigest().encode()


def write(path, entries):
    """An LMDB as LSUN publishes it: data.mdb and lock.mdb in a folder, one unnamed database."""
    with lmdb.open(str(path), map_size=1 << 24) as environment, environment.begin(write=True) as writing:
        for name, value in entries.items():
            writing.put(name, value)
    return path


@pytest.fixture
def pictures():
    return {key(i): picture() for i in range(7)}


@pytest.fixture
def database(tmp_path, pictures):
    return write(tmp_path / "bedroom_val_lmdb", {name: encode(pixels) for name, pixels in pictures.items()})


def expected(pixels, resolution=12):
    """Columns 6 to 29 are the centred square of 24 px; then the mean of 2 x 2."""
    factor = 24 // resolution
    blocks = pixels[:, 6:30].reshape(resolution, factor, resolution, factor, 3).astype(float)
    return np.floor(blocks.mean((1, 3)) + 0.5).transpose(2, 0, 1)


def test_the_centred_square_is_reduced_by_its_mean_in_the_order_of_the_keys(database, pictures):
    loaded = lsun.load(database, 12)
    assert loaded.dtype == np.uint8 and loaded.shape == (7, 3, 12, 12)
    assert list(pictures) != sorted(pictures)
    assert np.array_equal(loaded, [expected(pictures[name]) for name in sorted(pictures)])


def test_the_first_images_are_taken(database):
    everything = lsun.load(database, 12)
    assert np.array_equal(lsun.load(database, 12, 3), everything[:3])
    assert np.array_equal(lsun.load(database, 12, 200_000), everything)
    assert np.array_equal(lsun.load(database / "data.mdb", 12), everything)


def test_a_folder_of_the_exported_images_is_the_same_data_set(database, pictures, tmp_path):
    for name, pixels in pictures.items():
        (tmp_path / "flat").mkdir(exist_ok=True)
        (tmp_path / "flat" / f"{name.decode()}.png").write_bytes(encode(pixels))
        nested = tmp_path.joinpath("nested", *name.decode()[:3])  # LSUN's exporter can make folders of digits
        nested.mkdir(parents=True, exist_ok=True)
        (nested / f"{name.decode()}.png").write_bytes(encode(pixels))
    for folder in ("flat", "nested"):
        assert np.array_equal(lsun.load(tmp_path / folder, 12, 5), lsun.load(database, 12, 5))
        assert lsun.fingerprint(tmp_path / folder) == files.fingerprint(tmp_path / folder)


@pytest.mark.parametrize("kind", ["JPEG", *(["WEBP"] if features.check("webp") else [])])
def test_lossy_entries_are_read(tmp_path, pictures, kind):
    entries = {name: encode(pixels, kind, quality=75) for name, pixels in pictures.items()}
    loaded = lsun.load(write(tmp_path / "lossy", entries), 12)
    error = np.abs(loaded.astype(int) - np.array([expected(pictures[name]) for name in sorted(pictures)]))
    assert 0 < error.mean() < 2
    as_lossy = np.asarray(Image.open(BytesIO(entries[min(entries)])).convert("RGB"))
    assert np.array_equal(loaded[0], expected(as_lossy))


def test_grey_entries_are_repeated_and_counted(tmp_path, caplog):
    pixels = picture()
    path = write(tmp_path / "grey", {key(0): encode(pixels[..., 0], "JPEG", quality=95), key(1): encode(pixels)})
    with caplog.at_level(logging.WARNING):
        loaded = lsun.load(path, 12)
    grey = loaded[sorted([key(0), key(1)]).index(key(0))]
    assert (grey == grey[:1]).all() and "data.mdb: 1 images are greyscale" in caplog.text


@pytest.mark.parametrize(
    "entry, message",
    [
        (b"", "is not a readable image"),
        (b"no image", "is not a readable image"),
        (encode(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8), "JPEG")[:2000], "is not a readable image"),
        (encode(picture(11, 40)), "is 40 x 11 px: too small for 12 px"),
    ],
)
def test_a_bad_entry_is_an_error_that_names_its_key(database, entry, message):
    bad = b"2" + key(7)[1:]
    write(database, {bad: entry})
    with pytest.raises(ValueError, match=rf"data\.mdb, key {bad.decode()} {message}"):
        lsun.load(database, 12)


def test_what_is_no_lmdb(tmp_path, database):
    (tmp_path / "bedroom_val_lmdb.zip").write_bytes(b"PK" + bytes(10_000))
    for read in (lambda path: lsun.load(path, 12), lsun.fingerprint):
        with pytest.raises(ValueError, match=r"bedroom_val_lmdb\.zip is no LMDB.*unpacked"):
            read(tmp_path / "bedroom_val_lmdb.zip")
        with pytest.raises(ValueError, match=r"1 LMDB, none of its own; name one: lsun:.*bedroom_val_lmdb"):
            read(tmp_path)
        with pytest.raises(FileNotFoundError, match="nowhere"):
            read(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"data\.mdb holds no images"):
        lsun.load(write(tmp_path / "empty", {}), 12)


def test_a_truncated_lmdb_is_an_error_and_not_the_end_of_the_process(tmp_path):
    noise = {key(i): encode(RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for i in range(40)}
    data = write(tmp_path / "cut", noise) / "data.mdb"
    assert len(lsun.load(data, 12)) == 40
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2])
    for read in (lambda path: lsun.load(path, 12), lsun.fingerprint):
        with pytest.raises(ValueError, match=r"data\.mdb is truncated"):
            read(data.parent)


@pytest.mark.parametrize("number", range(8))
def test_a_damaged_lmdb_is_named_and_never_ends_the_process(database, number):
    rng, data = random.Random(number), bytearray((database / "data.mdb").read_bytes())
    for _ in range(20):
        at = rng.randrange(8192, len(data) - 8)  # behind the two pages that say what there is
        data[at : at + 2] = rng.randbytes(2)
    (database / "data.mdb").write_bytes(data)
    try:
        assert lsun.load(database, 12).shape[1:] == (3, 12, 12)
    except ValueError as error:
        assert "data.mdb" in str(error)


def test_a_reader_that_is_killed_is_an_error_that_names_the_file(database, tmp_path, monkeypatch):
    (tmp_path / "dies.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(lmdb_reader, "__file__", str(tmp_path / "dies.py"))
    for read in (lambda path: lsun.load(path, 12), lsun.fingerprint):
        with pytest.raises(ValueError, match=r"data\.mdb is damaged: its reader ended with status -9; copy or unpack"):
            read(database)


def test_reading_writes_nothing_and_needs_no_lock(database):
    (database / "lock.mdb").unlink()
    lsun.load(database, 12)
    lsun.fingerprint(database)
    assert [file.name for file in database.iterdir()] == ["data.mdb"]


def test_fingerprint_follows_what_is_written(database, tmp_path):
    first = lsun.fingerprint(database)
    (database / "data.mdb").touch()
    assert lsun.fingerprint(database / "data.mdb") == first and len(first) == 64
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "data.mdb").write_bytes((database / "data.mdb").read_bytes())
    assert lsun.fingerprint(tmp_path / "copy") == first
    found = {first, lsun.fingerprint(write(tmp_path / "empty", {}))}
    middle = sorted(key(i) for i in range(7))[3]
    for i in range(6):  # neither the first entry nor the last, nor another number of them, at last in pages used before
        write(database, {middle: bytes([i])})
        found.add(lsun.fingerprint(database))
    assert len(found) == 8


@pytest.mark.parametrize("end", [min, max])
def test_fingerprint_tells_databases_that_were_written_alike_by_their_ends(tmp_path, end):
    entries = {key(i): bytes(100) for i in range(7)}
    one, same = (lsun.fingerprint(write(tmp_path / name, entries)) for name in ("one", "same"))
    other = lsun.fingerprint(write(tmp_path / "other", entries | {end(entries): bytes(99) + b"x"}))
    assert one == same != other


def test_without_lmdb_the_error_says_what_to_install(database, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(ImportError, match="pip install lmdb"):
        lsun.load(database, 12)


def test_as_a_data_set_it_is_counted_and_stands_beside_lsuns_numbers(database, tmp_path):
    from ganfp.paper import published as paper
    from ganfp.paper.record import original
    from ganfp.runs.run import begin

    run = begin("smoke", f"lsun:{database}")
    assert run.images.count == run.profile.real.drawn and run.images.digest == lsun.fingerprint(database)
    assert run.dataset == "lsun:bedroom_val_lmdb" and original(run.dataset) == "LSUN"
    assert paper.value("3", "Ours", dataset=run.dataset) == 97.04
    assert len(worlds.load(run.source, 16, 5, 0)) == 5
    run.images.make(tmp_path, None, "cpu", None)
    assert len(np.load(tmp_path / "images.npy")) == 7

import logging

import numpy as np
import pytest
from PIL import Image

from ganfp import worlds
from ganfp.worlds import celeba

RNG = np.random.default_rng(0)


def coordinates(number):
    """218 rows of 178 pixels that say where they are: column, row, number."""
    rows, columns = np.mgrid[:218, :178]
    return np.stack([columns, rows, np.full_like(rows, number)], -1).astype(np.uint8)


def write(folder, number, pixels=None, suffix=".png"):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coordinates(number) if pixels is None else pixels).save(folder / f"{number:06}{suffix}", quality=75)


@pytest.fixture
def folder(tmp_path):
    """Five images, out of order, in the layout of the PNG release, the list of identities not there yet."""
    path = tmp_path / "celeba" / "img_align_celeba_png"
    for number in (12, 3, 1, 200, 2):
        write(path, number)
    return path


def numbers(images):
    return images[:, 2, 0, 0].tolist()


def test_the_crop_is_columns_25_to_152_and_rows_57_to_184(folder):
    first = celeba.load(folder, 128)[0]
    assert first.dtype == np.uint8 and first.shape == (3, 128, 128)
    assert np.array_equal(first[0], np.arange(25, 153)[None].repeat(128, 0))
    assert np.array_equal(first[1], np.arange(57, 185)[:, None].repeat(128, 1))


def test_a_smaller_resolution_is_the_exact_mean_of_the_crop(tmp_path):
    pixels = RNG.integers(0, 256, (218, 178, 3), dtype=np.uint8)
    write(tmp_path, 1, pixels)
    crop = pixels[57:185, 25:153].transpose(2, 0, 1).astype(float)
    for resolution in (128, 64, 32, 16):
        factor = 128 // resolution
        mean = crop.reshape(3, resolution, factor, resolution, factor).mean((2, 4))
        assert np.array_equal(celeba.load(tmp_path, resolution)[0], np.floor(mean + 0.5))


@pytest.mark.parametrize("resolution", [256, 129, 96, 100])
def test_nothing_is_enlarged_or_reduced_by_another_factor(folder, resolution):
    with pytest.raises(ValueError, match=f"{resolution} px cannot be had"):
        celeba.load(folder, resolution)


def test_images_are_sorted_by_number_and_counted_from_the_first(folder):
    assert numbers(celeba.load(folder, 32)) == [1, 2, 3, 12, 200]
    assert numbers(celeba.load(folder, 32, 3)) == [1, 2, 3]
    assert numbers(celeba.load(folder, 32, 99)) == [1, 2, 3, 12, 200]


@pytest.mark.parametrize("place", [".", ".."])
def test_identities_keep_the_photographs_of_a_person_together(folder, place, caplog):
    lines = {1: 2880, 2: 77, 3: 2880, 4: 5, 12: 77, 200: 9}  # 4 is not in the folder; 9 < 77 < 2880 as numbers
    text = "".join(f"{number:06}.jpg {person}\n" for number, person in lines.items())
    (folder / place / "identity_CelebA.txt").write_text(text)
    with caplog.at_level(logging.INFO):
        found = numbers(celeba.load(folder, 32))
    assert found == [200, 2, 12, 1, 3]
    assert "ordered by person" in caplog.text
    parts = worlds.split(5, {"train": 1, "validation": 0, "test": 0})
    persons = [{lines[found[i]] for i in part} for part in parts.values()]
    assert persons == [{9, 77, 2880}, {2880}, set(), set()]  # the edge divides one person, and no more than one


def test_identities_that_are_damaged_or_not_complete_are_errors(folder):
    identities = folder / "identity_CelebA.txt"
    identities.write_text("000001.jpg 1\n000002.jpg 2\n000003.jpg 1\n000012.jpg 4\n")
    with pytest.raises(ValueError, match=r"identity_CelebA\.txt does not say who is on .*000200\.png, and 0 others"):
        celeba.load(folder, 32)
    identities.write_text("000001.jpg 1\n000002.jpg\n")
    with pytest.raises(ValueError, match=r"identity_CelebA\.txt, line 2 is '000002\.jpg'"):
        celeba.load(folder, 32)


def test_jpeg_is_warned_of_once_and_png_is_not(folder, caplog):
    celeba.load(folder, 32)
    assert "JPEG" not in caplog.text
    write(folder, 300, suffix=".jpg")
    write(folder, 301, suffix=".jpg")
    celeba.load(folder, 32)
    (message,) = [record.getMessage() for record in caplog.records if "JPEG" in record.getMessage()]
    assert "2 images are JPEG" in message and "phase (1, 1)" in message


def test_the_phase_of_the_grid_is_the_one_that_is_warned_of(tmp_path):
    clouds = Image.fromarray(RNG.integers(0, 256, (10, 8), dtype=np.uint8)).resize((178, 218), Image.Resampling.BICUBIC)
    clouds.save(tmp_path / "000001.jpg", quality=10)
    crop = celeba.load(tmp_path, 128)[0].astype(int)
    # What is smooth has steps between blocks only; the crop's first pixel, 1 of its block, is followed by six of it.
    for axis, other in ((2, 1), (1, 2)):
        steps = np.abs(np.diff(crop, axis=axis)).mean((0, other))  # steps[i] is from pixel i to i + 1
        by_phase = np.array([steps[i::8].mean() for i in range(8)])
        assert by_phase.argmax() == 6 and by_phase[6] > 1.5 * np.median(by_phase)


def test_jpeg_and_png_are_cropped_alike(tmp_path):
    smooth = coordinates(128)
    for suffix in (".png", ".jpg"):
        write(tmp_path / suffix[1:], 1, smooth, suffix)
    png, jpeg = (celeba.load(tmp_path / name, 64).astype(int) for name in ("png", "jpg"))
    assert np.abs(png - jpeg).mean() < 2  # one column off is a step of 2 at 64 px in two of three channels: 1.33


@pytest.mark.parametrize("width, height", [(218, 178), (178, 178), (1024, 1024), (179, 218)])
def test_another_size_is_an_error_that_names_the_file_and_the_release(folder, width, height):
    write(folder, 150, np.zeros((height, width, 3), np.uint8))
    with pytest.raises(ValueError, match=rf"000150\.png is {width} x {height} px; wanted is .*178 x 218.*img_align"):
        celeba.load(folder, 32)


def test_files_that_are_not_celebas(folder):
    (folder / "000150.png").write_text("no image")
    with pytest.raises(ValueError, match=r"000150\.png is not a readable image"):
        celeba.load(folder, 32)
    (folder / "000150.png").unlink()
    write(folder / "more", 12)
    with pytest.raises(ValueError, match=r"000012\.png and .*000012\.png are the same image; name the folder"):
        celeba.load(folder, 32)
    (folder / "more" / "000012.png").rename(folder / "portrait.png")
    with pytest.raises(ValueError, match=r"portrait\.png is not named like CelebA's"):
        celeba.load(folder, 32)
    with pytest.raises(ValueError, match="is a file; unpack it"):
        celeba.load(folder / "000001.png", 32)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        celeba.load(folder / "nowhere", 32)


def test_fingerprint_follows_names_content_and_identities(folder):
    found = [celeba.fingerprint(folder)]
    (folder / "000001.png").touch()
    assert celeba.fingerprint(str(folder)) == found[0]
    (folder.parent / "identity_CelebA.txt").write_text("000001.jpg 1\n")
    found.append(celeba.fingerprint(folder))
    (folder.parent / "identity_CelebA.txt").write_text("000001.jpg 2\n")
    found.append(celeba.fingerprint(folder))
    (folder / "000200.png").rename(folder / "000199.png")
    found.append(celeba.fingerprint(folder))
    write(folder, 1, coordinates(7))
    found.append(celeba.fingerprint(folder))
    assert len(set(found)) == 5 and all(len(digest) == 64 for digest in found)


def test_as_a_data_set_it_is_counted_and_stands_beside_celebas_numbers(folder, tmp_path):
    from ganfp.paper import published as paper
    from ganfp.paper.record import original
    from ganfp.runs.recipes.images import real_images
    from ganfp.runs.run import begin

    name = f"celeba:{folder}"
    assert numbers(worlds.load(name, 16, 2, 0)) == [1, 2]
    held = {"train": 1, "validation": 1, "test": 1}
    two, three = (real_images(name, 16, count, held) for count in (2, 3))
    assert two.count == 2 and two.digest == celeba.fingerprint(folder) and two.key != three.key
    run = begin("smoke", name)
    assert run.dataset == "celeba:img_align_celeba_png" and original(run.dataset) == "CelebA"
    assert paper.value("3", "Ours", dataset=run.dataset) == 99.14
    run.images.make(tmp_path, None, "cpu", None)
    assert numbers(np.load(tmp_path / "images.npy")) == [1, 2, 3, 12, 200]


def test_crops_in_one_file_are_ordered_by_person(tmp_path):
    crops = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((16, 16, 3), np.uint8)
    np.savez(tmp_path / "crops.npz", images=crops, identity=np.array([7, 3, 7, 1, 3]))
    assert celeba.load(tmp_path / "crops.npz", 16)[:, 0, 0, 0].tolist() == [3, 1, 4, 0, 2]
    assert celeba.load(tmp_path / "crops.npz", 16, 2)[:, 0, 0, 0].tolist() == [3, 1]
    digest = celeba.fingerprint(tmp_path / "crops.npz")
    np.savez(tmp_path / "crops.npz", images=crops)
    assert celeba.load(tmp_path / "crops.npz", 16)[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert celeba.fingerprint(tmp_path / "crops.npz") != digest
    np.savez(tmp_path / "crops.npz", images=crops, identity=np.zeros(4))
    with pytest.raises(ValueError, match="crops.npz: identity has shape"):
        celeba.load(tmp_path / "crops.npz", 16)

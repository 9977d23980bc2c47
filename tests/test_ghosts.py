"""JPEG ghosts: found where there was a JPEG, at its quality, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from ganfp.attacks import attack
from ganfp.features import ghosts
from ganfp.worlds import bedrooms, faces

CROPS = Path(__file__).parents[2] / "shared" / "data" / "celeba_faces_128.npz"


@pytest.fixture(scope="module", params=[faces, bedrooms], ids=["faces", "bedrooms"])
def images(request):
    return request.param.draw(20, 32, seed=21)


def jpeg(images, quality, subsampling="4:2:0"):
    return attack("compression", images, 0, low=quality, high=quality, subsampling=subsampling)


def have_been_jpegs(images):
    return ghosts.dips(ghosts.differences(images)).max(axis=1) > ghosts.THRESHOLD


def test_drawn_images_show_none(images):
    assert not have_been_jpegs(images).any()


@pytest.mark.parametrize("quality", [60, 75, 82, 90, 94])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_jpeg_shows_one(images, quality, subsampling):
    assert have_been_jpegs(jpeg(images, quality, subsampling)).mean() >= 0.95


@pytest.mark.parametrize("quality", [70, 90])
def test_the_dip_is_at_the_quality_of_the_file(images, quality):
    found = ghosts.dips(ghosts.differences(jpeg(images, quality, "4:4:4"))).argmax(axis=1)
    assert np.mean(np.array(ghosts.QUALITIES[1:-1])[found] == quality) > 0.9


def test_a_crop_elsewhere_hides_it():
    images = jpeg(faces.draw(40, 64, seed=2), 80)
    assert have_been_jpegs(images[:, :, 8:40, 8:40]).mean() > 0.9
    assert have_been_jpegs(np.ascontiguousarray(images[:, :, 3:35, 3:35])).mean() < 0.1


@pytest.mark.skipif(not CROPS.exists(), reason="the photographs are not here")
def test_celebas_crop_keeps_the_blocks_seven_pixels_from_its_corner():
    with np.load(CROPS) as file:
        images = file["images"][:40].transpose(0, 3, 1, 2)
    for offset, expected in ((0, 0.0), (7, 1.0)):
        found = have_been_jpegs(np.ascontiguousarray(images[:, :, offset : offset + 120, offset : offset + 120]))
        assert found.mean() == expected


@pytest.mark.parametrize(("count", "size"), [(1, 32), (10, 16), (5, 12)])
def test_sheets_change_nothing(count, size):
    images = np.random.default_rng(0).integers(0, 256, (count, 3, size, size), dtype=np.uint8)
    again = jpeg(images, 70, "4:4:4")
    alone = ((again.astype(float) - images) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(ghosts.differences(images, [70])[:, 0], alone, rtol=1e-6)

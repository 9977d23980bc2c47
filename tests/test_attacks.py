"""The six attacks: their laws, their references, and each bug that public implementations of them have had."""

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import chisquare, kstest

from ganfp import attacks
from ganfp.attacks import ATTACKS, ORDER, Draws, attack
from ganfp.images import to_bytes
from ganfp.worlds import faces

JPEGS_STEP = 24  # grey levels: 17 * 5 / 8 of a chroma coefficient, times 1.8 for blue, and rounding
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(scope="module")
def images():
    return faces.draw(40, 32, seed=11)


def noise_images(count, size=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 3, size, size), dtype=np.uint8)


def draws(count, seed=0):
    return Draws(seed, np.arange(count))


# ---------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", ATTACKS)
def test_an_image_meets_the_same_draw_in_any_batch_and_in_any_order(images, name):
    whole = attack(name, images, seed=3)
    parts = [attack(name, images[a:b], 3, first=a) for a, b in ((0, 1), (1, 8), (8, 40))]
    assert (np.concatenate(parts) == whole).all()
    order = np.random.default_rng(0).permutation(40)
    assert (attacks.attack_numbered(name, images[order], Draws(3, order)) == whole[order]).all()
    assert (attack(name, images, seed=4) != whole).any()


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("device", DEVICES)
def test_uint8_in_and_out_and_the_input_stays(images, name, device):
    before = torch.from_numpy(images.copy()).to(device)
    kept = before.clone()
    after = ATTACKS[name].change(before, draws(40))
    assert after.dtype == torch.uint8 and after.shape == before.shape and after.device == before.device
    assert (before == kept).all() and (after != before).any()
    if device != "cpu":  # the draws are the same, the arithmetic differs in the last bit, and JPEG makes more of it
        apart = (after.cpu().float() - attack(name, images, 0).astype(np.float32)).abs()
        assert apart.max() <= (JPEGS_STEP if name == "combination" else 1) and apart.mean() <= 0.02


def test_one_grey_level_before_a_jpeg_file_is_no_more_than_a_step_of_its_quantiser_after_it(images):
    """Why a combination on another device may differ by more than one level, and how far: a coefficient falls on the
    other side of a threshold.  The coarsest, at quality 10, is 16 * 5 in steps of an eighth, or in chroma 17 * 5."""
    other = images.copy()
    other.reshape(len(images), -1)[:, 777] ^= 1  # one value of each image, by one level
    apart = np.abs(attack("compression", other, 0).astype(int) - attack("compression", images, 0))
    assert 1 < apart.max() <= JPEGS_STEP and (apart > 0).mean() < 0.2


@pytest.mark.parametrize("name", ATTACKS)
def test_colours_are_not_swapped(name):
    red = np.zeros((64, 3, 32, 32), np.uint8)
    red[:, 0] = 200
    after = attack(name, red, 1).astype(float).mean(axis=(2, 3))
    assert (after[:, 0] > after[:, 1:].max(axis=1) + 60).all()


@pytest.mark.parametrize("name", ATTACKS)
def test_no_image_at_all_is_no_error(name):
    assert attack(name, np.zeros((0, 3, 32, 32), np.uint8), 0).shape == (0, 3, 32, 32)


def test_what_is_wrong_is_named(images):
    with pytest.raises(ValueError, match="unknown attack 'blurr'; known are noise, blur"):
        attack("blurr", images, 0)
    with pytest.raises(ValueError, match="uint8"):
        attack("blur", images.astype(np.float32), 0)
    with pytest.raises(ValueError, match="2 numbers for 40 images"):
        attacks.attack_numbered("blur", images, Draws(0, np.arange(2)))
    with pytest.raises(ValueError, match="reading must be"):
        attack("noise", images, 0, reading="std")
    with pytest.raises(ValueError, match="noise: the range"):
        attack("noise", images, 0, low=20, high=5)
    with pytest.raises(ValueError, match="odd"):
        attack("blur", images, 0, sides=(2,))
    with pytest.raises(ValueError, match="crop: the range"):
        attack("cropping", images, 0, high=1.2)
    with pytest.raises(ValueError, match="jpeg: low and high"):
        attack("compression", images, 0, low=0)
    with pytest.raises(ValueError, match="shape must be one of"):
        attack("relighting", images, 0, shape="cube")


# ---------------------------------------------------------------------------- draws


@given(st.integers(0, 2**40), st.integers(0, 10**6), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_a_draw_depends_on_seed_number_and_purpose_alone(seed, first, count):
    many = Draws(seed, np.arange(first, first + 5))
    alone = torch.cat([many[[i]].uniform("x", count) for i in (3, 0, 4)])
    assert (many.uniform("x", count)[[3, 0, 4]] == alone).all()
    assert (many.uniform("y", count) != many.uniform("x", count)).any()


def test_draws_follow_their_laws():
    random = draws(20_000, seed=5)
    assert kstest(random.uniform("u")[:, 0].numpy(), "uniform").pvalue > 1e-3
    normal = draws(50).normal("n", (3, 32, 32)).numpy()
    assert normal.shape == (50, 3, 32, 32) and kstest(normal.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(normal.reshape(50, -1)) - np.eye(50)).max() < 0.1  # images are independent
    counts = np.bincount(random.integer("i", 10, 75).numpy(), minlength=76)
    assert counts[:10].sum() == 0 and len(counts) == 76 and chisquare(counts[10:]).pvalue > 1e-3


# ---------------------------------------------------------------------------- noise


@pytest.mark.parametrize(("reading", "power"), [("variance", 0.5), ("deviation", 1)])
def test_the_noise_has_the_deviation_that_was_drawn(reading, power):
    grey = np.full((400, 3, 32, 32), 128, np.uint8)
    after = attack("noise", grey, 2, reading=reading)
    drawn = draws(400, 2).between("noise strength", 5, 20).numpy() ** power
    measured = np.sqrt((after - 128.0).var(axis=(1, 2, 3)) - 1 / 12)  # less what rounding adds
    assert np.abs(measured / drawn - 1).max() < 0.08  # five standard errors of 3072 values
    assert np.abs(after.mean() - 128) < 0.05
    assert kstest(measured ** (1 / power), "uniform", (5, 15)).pvalue > 1e-3


# ---------------------------------------------------------------------------- blur


@pytest.mark.parametrize("size", [8, 32, 80])
@pytest.mark.parametrize("side", [3, 5, 7, 9])
def test_the_blur_is_scipys(side, size):
    images = noise_images(4, size)
    sigma = 0.3 * ((side - 1) / 2 - 1) + 0.8
    expected = gaussian_filter(
        images.astype(float), (0, 0, sigma, sigma), mode="mirror", radius=(0, 0, side // 2, side // 2)
    )
    after = attack("blur", images, 0, sides=(side,))
    assert np.abs(after - expected).max() <= 0.5 + 1e-4


def test_the_blur_grows_with_the_kernel_and_one_pixel_is_nothing():
    images = noise_images(8)
    left = [attack("blur", images, 0, sides=(side,)).astype(float).var() for side in (1, 3, 5, 7, 9)]
    assert (attack("blur", images, 0, sides=(1,)) == images).all()
    assert all(a > 1.2 * b for a, b in zip(left, left[1:], strict=False))


def test_each_kernel_is_as_likely():
    images = noise_images(2000, size=8)
    untouched = (attack("blur", images, 1) == images).all(axis=(1, 2, 3)).mean()
    assert abs(untouched - 0.2) < 0.04


def test_a_scaled_blur_is_the_blur_of_the_larger_image():
    small, radius = attacks.blur_matrix(32, 9, 0.25)
    assert radius == 1 and small.count_nonzero(dim=1).max() == 3
    large, radius = attacks.blur_matrix(64, 9, 2.0)
    spread = (large[32] * (torch.arange(64) - 32) ** 2).sum().sqrt()
    assert radius == 8 and float(spread) == pytest.approx(2 * 1.7, rel=0.05)
    images = noise_images(3)
    assert (attack("blur", images, 0, sides=(9,), meant_for=32) == attack("blur", images, 0, sides=(9,))).all()


# ---------------------------------------------------------------------------- crop


def test_the_crop_is_pillows():
    images, random = noise_images(60), draws(60, 4)
    after = attack("cropping", images, 4)
    lost = (random.between("crop", 0.05, 0.2) * 32).round().clamp(min=1).int().tolist()
    left, top = (random.uniform(f"crop {way}")[:, 0].tolist() for way in ("left", "top"))
    for image, out, gone, x, y in zip(images, after, lost, left, top, strict=True):
        x, y, side = math.floor(x * (gone + 1)), math.floor(y * (gone + 1)), 32 - gone
        one = Image.fromarray(image.transpose(1, 2, 0))
        expected = one.crop((x, y, x + side, y + side)).resize((32, 32), Image.Resampling.BILINEAR)
        # Pillow rounds once more between the two axes
        assert np.abs(np.asarray(expected, int) - out.transpose(1, 2, 0)).max() <= 1


def test_the_crop_is_at_a_random_place():
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8) * 8, (500, 3, 32, 32))
    middle = attack("cropping", np.ascontiguousarray(ramp), 0)[:, 0, 0, 15:17].mean(axis=1) / 8
    assert middle.std() > 0.5 and abs(middle.mean() - 15.5) < 0.25  # neither always centred nor to one side


# ---------------------------------------------------------------------------- JPEG


def test_the_jpeg_is_pillows_at_the_quality_that_was_drawn(images):
    qualities = draws(40, 9).integer("jpeg", 10, 75).tolist()
    assert min(qualities) < 25 and max(qualities) > 60
    for image, out, quality in zip(images, attack("compression", images, 9), qualities, strict=True):
        file = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        assert (np.asarray(Image.open(file)).transpose(2, 0, 1) == out).all()


def test_a_lower_quality_changes_more(images):
    changes = []
    for quality in (95, 75, 50, 25, 10):
        after = attack("compression", images, 0, low=quality, high=quality)
        changes.append(((after - images.astype(float)) ** 2).mean())
    assert all(b > 1.1 * a for a, b in zip(changes, changes[1:], strict=False))


# ---------------------------------------------------------------------------- combination


def recorded(monkeypatch, **options):
    """Which images each attack of the combination was given, in the order of the calls."""
    calls = []
    for name in ORDER:

        def spy(images, random, name=name, **_):
            calls.append((name, random.numbers.copy()))
            return images

        monkeypatch.setitem(ATTACKS, name, attacks.Entry(spy))
    attacks.combine(torch.zeros(4000, 3, 8, 8, dtype=torch.uint8), draws(4000), **options)
    return calls


def test_the_combination_has_the_papers_order_and_rate(monkeypatch):
    calls = recorded(monkeypatch)
    assert [name for name, _ in calls] == ["relighting", "cropping", "blur", "compression", "noise"]
    chosen = np.zeros((5, 4000), bool)
    for row, (_, numbers) in zip(chosen, calls, strict=True):
        row[numbers] = True
    assert np.abs(chosen.mean(axis=1) - 0.5).max() < 0.04
    assert np.abs(np.corrcoef(chosen) - np.eye(5)).max() < 0.08  # each by a coin of its own
    assert abs((chosen.sum(axis=0) == 0).mean() - 1 / 32) < 0.012


def test_the_combination_is_its_parts(images):
    batch, random = torch.from_numpy(images), draws(40)
    everything = batch
    for name in ORDER:
        everything = ATTACKS[name].change(everything, random)
    assert (attacks.combine(batch, random, probability=1.0) == everything).all()
    assert (attacks.combine(batch, random, probability=0.0) == batch).all()


# ---------------------------------------------------------------------------- files


def test_every_attack_ends_in_the_quantiser(monkeypatch, images):
    passed = []
    monkeypatch.setattr(attacks, "to_bytes", lambda x: passed.append(len(x)) or to_bytes(x))
    for name in ("noise", "blur", "cropping", "relighting"):  # JPEG decodes to bytes
        attack(name, images, 0)
        assert passed, name
        passed.clear()

"""The drawn faces: reproducible, in range, physically lit, smooth, the same at every resolution."""

import numpy as np
import pytest
import torch
from conftest import averaged

from ganfp.worlds import faces
from ganfp.worlds.drawing import bump, bump_slope, stroke

pytestmark = pytest.mark.usefixtures("one_thread")


def portrait(n=1, **changes):
    """n equal faces without hair, beard and glasses, looking straight ahead, with some factors changed."""
    middle = {name: np.zeros(n, np.int64) if categories else np.full(n, 0.5, np.float32)
              for name, categories in faces.FACTORS.items()}
    for name, value in changes.items():
        middle[name] = np.broadcast_to(np.asarray(value, middle[name].dtype), (n,))
    return middle


def top_octave(images):
    """Mean square above half the highest frequency, in squared grey levels, and its share of the whole."""
    size = images.shape[-1]
    window = np.hanning(size)[:, None] * np.hanning(size)
    power = np.abs(np.fft.fft2((images - images.mean((2, 3), keepdims=True)) * window)) ** 2
    frequency = np.abs(np.fft.fftfreq(size))
    high = np.maximum(frequency[:, None], frequency) >= 0.25
    band = (power * high).sum((2, 3)).mean() / (window**2).mean() / size**4
    return band, (power * high).sum() / power.sum()


@pytest.fixture(scope="module")
def scene():
    return faces.render(faces.factors(48, seed=3), 64)


@pytest.mark.parametrize("name", faces.FACTORS)
def test_every_factor_shows_in_the_image(name):
    values = range(faces.FACTORS[name]) or (0, 0.6, 1)  # 0 and 1 look the same where a factor is cyclic
    visible = {"mouth_open": 0.9, "hair_style": faces.HAIR_STYLES.index("swept")}
    f = portrait(len(values), **(visible | {name: list(values)}))
    images = faces.render(f, 64, maps=False).image.astype(float)
    assert np.abs(images[1:] - images[:-1]).max((1, 2, 3)).min() > 3


def test_small_images_are_box_averages_of_large_ones():
    f = faces.factors(32, seed=5)
    images = {size: faces.render(f, size, maps=False).image for size in (32, 64, 128)}
    # 64 and 32 px come from the same drawing: they differ by rounding alone (twice half a grey level)
    assert np.abs(averaged(images[64], 2) - images[32]).max() <= 1
    # 128 px is drawn with finer edges: one grey level on average, and no face stands out
    error = np.abs(averaged(images[128], 4) - images[32])
    assert error.mean() < 1.0 and error.mean((1, 2, 3)).max() < 1.5


def test_maps_are_those_of_the_image(scene):
    assert faces.render(faces.factors(48, seed=3), 64, maps=False).normals is None
    np.testing.assert_array_equal(scene.image, faces.draw(48, 64, seed=3))
    for mask in (scene.face, scene.eyes, scene.background):
        assert mask.shape == (48, 64, 64) and mask.dtype == np.float32
        assert mask.min() >= -1e-6 and mask.max() <= 1 + 1e-6


def test_masks_are_disjoint_and_sensible(scene):
    assert (scene.face + scene.eyes + scene.background).max() <= 1 + 1e-5
    face, eyes, background = (mask.mean((1, 2)) for mask in (scene.face, scene.eyes, scene.background))
    assert 0.15 < face.min() and face.max() < 0.5
    assert 0.2 < background.min() and background.max() < 0.65
    visible = faces.factors(48, seed=3)["glasses"] != faces.GLASSES.index("dark")
    assert 0.003 < eyes[visible].min() and eyes.max() < 0.05
    assert eyes[~visible].max() < 0.003
    corner = scene.background[:, :3, :3]
    assert np.median(corner) == 1  # hair may reach it, most faces' does not


def test_eyes_stay_near_the_line_they_are_aligned_on(scene):
    rows = (np.arange(64) + 0.5) / 64
    weight = scene.eyes.sum((1, 2))
    seen = weight > 10
    height = (scene.eyes.sum(2) @ rows)[seen] / weight[seen]
    assert abs(height.mean() - 0.46) < 0.02 and np.abs(height - height.mean()).max() < 0.06


def test_normals_are_unit_vectors_and_face_the_viewer_on_the_background(scene):
    np.testing.assert_allclose(np.linalg.norm(scene.normals, axis=1), 1, atol=1e-5)
    bare = scene.background == 1
    np.testing.assert_allclose(scene.normals.transpose(0, 2, 3, 1)[bare] - [0, 0, 1], 0, atol=1e-6)


def test_normals_turn_away_at_the_cheeks_and_with_yaw():
    scene = faces.render(portrait(3, yaw=[0, 0.5, 1]), 64)
    left, right = scene.normals[1, :, 36, 17], scene.normals[1, :, 36, 46]
    assert left[0] < -0.4 and right[0] > 0.4
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-3)
    forehead = scene.normals[:, 0, 16, 32]
    assert forehead[0] < forehead[1] - 0.1 < forehead[2] - 0.2  # the skull slides against the turn
    assert scene.normals[1, 1, 10, 32] > 0.3 > -0.3 > scene.normals[1, 1, 54, 32]  # crown up, chin down


def test_normals_are_those_of_the_surface():
    """On a plain ellipsoid (jaw without taper, no relief) they equal the gradient, in closed form."""
    f = portrait(jaw=0.16 / 0.26)
    x, y = faces.pixel_grid(64)
    p = faces.SimpleNamespace(**faces._RENDERER.numbers(f))
    head = faces._head(p, x, y)
    u, v = head.u[0].numpy(), head.v[0].numpy()
    far = (head.radius[0].numpy() < 0.9) & (np.abs(v - 0.42) < 0.15)  # a forehead without relief
    a, b, c = float(p.width), faces._HEAD_HEIGHT, faces._HEAD_DEPTH
    w = c * np.sqrt(np.maximum(1 - (u / a) ** 2 - (v / b) ** 2, 0))
    expected = np.stack([u / a**2, v / b**2, w / c**2])
    expected /= np.linalg.norm(expected, axis=0)
    assert far.sum() > 50
    np.testing.assert_allclose(head.normal[0].numpy()[:, far], expected[:, far], atol=1e-4)


def test_light_from_the_right_brightens_the_right_cheek():
    images = faces.render(portrait(3, light_azimuth=[0, 0.5, 1]), 64, maps=False).image.astype(float)
    left, right = images[:, :, 34:40, 16:20].mean((1, 2, 3)), images[:, :, 34:40, 44:48].mean((1, 2, 3))
    balance = right - left
    assert balance[0] < -40 and abs(balance[1]) < 3 and balance[2] > 40


def test_light_leaves_background_alone():
    scene = faces.render(portrait(2, light_azimuth=[0, 1], light_elevation=[0, 1], light_warmth=[0, 1]), 64)
    bare = (scene.background == 1).all(0)
    np.testing.assert_array_equal(scene.image[0][:, bare], scene.image[1][:, bare])


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_highest_band_is_neither_empty_nor_noise(resolution):
    scene = faces.render(faces.factors(32, seed=6), resolution)
    energy, share = top_octave(scene.image)
    assert energy > 0.4  # squared grey levels; rounding alone leaves about 1/16
    assert share < {32: 0.15, 64: 0.12, 128: 0.06}[resolution]  # edges; white noise has 0.75
    # On the background neighbours differ by texture and gradient alone: a few grey levels.
    bare = scene.background == 1
    step = np.abs(np.diff(scene.image.astype(int), axis=3)).max(1)
    both = bare[:, :, 1:] & bare[:, :, :-1]
    assert step[both].max() <= {32: 8, 64: 6, 128: 5}[resolution]
    assert step[both].mean() < 2.5


def test_the_grain_averages_out_over_its_circle():
    shifts = torch.linspace(0, 1, 65)[:-1, None, None]
    texture = faces.grain(shifts, 64, 64) * 255
    assert 1 < texture.abs().max() < 5
    assert texture.mean(0).abs().max() < 1e-4


def test_thin_lines_fade_with_exact_area():
    x = (torch.arange(4000, dtype=torch.float32) - 2000) / 1000
    for edge in (0.02, 0.3):
        line = stroke(x, 0.01, edge)
        assert line.sum() / 1000 == pytest.approx(0.02, rel=1e-2)
        assert line.max() <= 1


def test_bump_and_its_slope_agree():
    x = torch.linspace(-0.5, 0.5, 101, dtype=torch.float64, requires_grad=True)
    y = torch.full_like(x, 0.07)
    bump(x, y, 0.1, 0.2).sum().backward()
    torch.testing.assert_close(bump_slope(x.detach(), y, 0.1, 0.2) * x.detach() / 0.1**2, x.grad)
    gauss = torch.exp(-0.5 * ((x / 0.1) ** 2 + (y / 0.2) ** 2))
    assert (bump(x, y, 0.1, 0.2) - gauss).abs().max() < 0.11


@pytest.mark.parametrize("change, message", [
    ({"ears": np.zeros(2)}, "unknown factors.*ears"),
    ({"yaw": None}, "missing factors.*yaw"),
    ({"yaw": np.array([0.5, 1.5])}, "'yaw' must hold numbers in"),
    ({"yaw": np.array([0.5, np.nan])}, "'yaw' must hold numbers in"),
    ({"glasses": np.array([0, 3])}, "'glasses' must hold integers from 0 to 2"),
    ({"glasses": np.array([0.0, 1.0])}, "'glasses' must hold integers"),
    ({"roll": np.zeros(3)}, "one length"),
])
def test_bad_factors_are_named(change, message):
    f = {name: value for name, value in (faces.factors(2) | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        faces.render(f, 32)


@pytest.mark.parametrize("resolution", [0, 4, 48, 33, 1024, 32.5])
def test_a_wrong_resolution_is_named(resolution):
    with pytest.raises(ValueError, match=f"power of two.*{resolution}"):
        faces.draw(1, resolution)

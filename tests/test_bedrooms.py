"""The drawn bedrooms: reproducible, in range, in true perspective, lit from the window, the same at every size."""

import numpy as np
import pytest
from conftest import averaged

from ganfp.worlds import bedrooms

pytestmark = pytest.mark.usefixtures("one_thread")

MASKS = ("bed", "window", "walls", "floor", "ceiling")


def room(n=1, **changes):
    """n equal rooms seen straight on, bed and window at the back wall, no rug, no plant, with some factors changed."""
    middle = {name: np.zeros(n, np.int64) if categories else np.full(n, 0.5, np.float32)
              for name, categories in bedrooms.FACTORS.items()}
    for name, value in changes.items():
        middle[name] = np.broadcast_to(np.asarray(value, middle[name].dtype), (n,))
    return middle


@pytest.fixture(scope="module")
def scene():
    return bedrooms.render(bedrooms.factors(32, seed=3), 64)


def test_the_palette_is_asked_for_on_its_circle():
    content = bedrooms.content(bedrooms.factors(500, seed=1))
    assert "palette" not in content
    circle = np.hypot(content["palette_sine"] - 0.5, content["palette_cosine"] - 0.5)
    np.testing.assert_allclose(circle, 0.5, atol=1e-6)


@pytest.mark.parametrize("name", bedrooms.FACTORS)
def test_every_factor_shows_in_the_image(name):
    values = range(bedrooms.FACTORS[name]) or (0, 0.6, 1)  # 0 and 1 look the same where a factor is cyclic
    f = room(len(values), **({"daylight": 0.8} | {name: list(values)}))
    images = bedrooms.render(f, 32, maps=False).image.astype(float)
    assert np.abs(images[1:] - images[:-1]).max((1, 2, 3)).min() >= 3


def test_small_images_are_box_averages_of_large_ones():
    images = {size: bedrooms.draw(n, size, seed=5) for size, n in ((32, 32), (64, 32), (128, 6))}
    for large, small in ((64, 32), (128, 64)):  # a larger picture is drawn with finer edges
        error = np.abs(averaged(images[large], 2) - images[small][:len(images[large])])
        assert error.mean() < 1.2 and error.mean((1, 2, 3)).max() < 1.6


def test_maps_are_those_of_the_image(scene):
    assert bedrooms.render(bedrooms.factors(32, seed=3), 64, maps=False).normals is None
    np.testing.assert_array_equal(scene.image, bedrooms.draw(32, 64, seed=3))
    for name in MASKS:
        mask = getattr(scene, name)
        assert mask.shape == (32, 64, 64) and mask.dtype == np.float32
        assert mask.min() >= -1e-6 and mask.max() <= 1 + 1e-6


def test_masks_are_disjoint_and_sensible(scene):
    total = sum(getattr(scene, name) for name in MASKS)
    assert total.max() <= 1 + 1e-5 and total.mean() > 0.9  # the rest is table, lamp and plant
    bed, window, walls, floor, ceiling = (getattr(scene, name).mean((1, 2)) for name in MASKS)
    assert 0.05 < bed.min() and bed.max() < 0.6  # every picture shows a bed
    assert np.mean(window > 0.005) > 0.6 and window.max() < 0.3
    assert walls.min() > 0.1 and floor.min() > 0.005 and np.median(ceiling) > 0.05
    height = np.linspace(1, -1, 64)
    weights = [getattr(scene, name).sum((0, 2)) for name in ("ceiling", "walls", "floor")]
    heights = [weight @ height / weight.sum() for weight in weights]
    assert heights[0] > heights[1] + 0.3 > heights[2] + 0.6


def test_rooms_are_not_aligned(scene):
    place = np.linspace(-1, 1, 64)
    across = scene.bed.sum(1) @ place / scene.bed.sum((1, 2))
    assert across.std() > 0.2 and across.min() < -0.3 and across.max() > 0.3


def test_normals_are_unit_vectors_that_face_the_viewer(scene):
    np.testing.assert_allclose(np.linalg.norm(scene.normals, axis=1), 1, atol=1e-5)
    floor, ceiling = (scene.normals.transpose(0, 2, 3, 1)[mask > 0.999] for mask in (scene.floor, scene.ceiling))
    np.testing.assert_allclose(floor - [0, 1, 0], 0, atol=1e-3)
    np.testing.assert_allclose(ceiling - [0, -1, 0], 0, atol=1e-3)


@pytest.mark.parametrize("yaw", [0.0, 0.5, 1.0])
def test_normals_of_the_walls_turn_with_the_camera(yaw):
    """A camera turned by an angle sees the three walls' normals turned by it: 7 degrees at the most."""
    scene = bedrooms.render(room(yaw=yaw, daylight=1, focal=0), 128)
    angle = np.radians(7) * (2 * yaw - 1)
    cos, sin = np.cos(angle), np.sin(angle)
    seen = scene.normals[0].transpose(1, 2, 0)[scene.walls[0] > 0.999]
    for normal in ([sin, 0, cos], [cos, 0, -sin], [-cos, 0, sin]):  # back, left, right
        assert np.mean(np.abs(seen - normal).max(1) < 1e-3) > 0.02
    assert np.mean(np.abs(seen[:, 1]) < 1e-3) > 0.99


def horizon(scene):
    """Where the ceiling's edges along both side walls meet: least squares lines through the edge of its mask."""
    ceiling = scene.ceiling[0]
    size = len(ceiling)
    edge = 1 - 2 * ceiling.sum(0) / size  # height of the ceiling's lower edge in each column
    across = (2 * np.arange(size) + 1) / size - 1
    flat = edge < edge.min() + 0.02
    lines = [np.polyfit(across[side], edge[side], 1)
             for side in (~flat & (across < 0) & (edge < 0.95), ~flat & (across > 0) & (edge < 0.95))]
    (slope_l, start_l), (slope_r, start_r) = lines
    meet = (start_r - start_l) / (slope_l - slope_r)
    return meet, start_l + slope_l * meet


def test_the_horizon_moves_with_the_height_of_the_camera():
    """In one-point perspective the side walls' edges meet at the eye's height, straight ahead."""
    found = []
    for height in (0.0, 0.5, 1.0):
        f = room(camera_height=height, focal=0, camera_distance=1)
        meet, level = horizon(bedrooms.render(f, 128))
        eye = 1.15 + 0.75 * height
        depth = 5.0 - 0.3 - 0.5 * (0.03 + 1.1)  # from the camera to what it looks at, 0.95 m above the floor
        assert meet == pytest.approx(0, abs=0.02)
        assert level == pytest.approx(1.4 * (eye - 0.95) / depth, abs=0.03)
        found.append(level)
    assert found[0] + 0.05 < found[1] < found[2] - 0.05


def test_a_bed_shrinks_with_distance_and_grows_with_focal_length():
    size = bedrooms.render(room(3, camera_distance=[0, 0.5, 1]), 64).bed.sum((1, 2))
    assert size[0] > 1.05 * size[1] > 1.1 * size[2]
    size = bedrooms.render(room(3, focal=[0, 0.5, 1], camera_height=0), 64).bed.sum((1, 2))
    assert size[0] < size[1] < size[2]


def test_a_headboard_hides_the_window_behind_it():
    scene = bedrooms.render(room(2, headboard=[0, 1], window_width=1, curtains=0), 64)
    rising = scene.bed[1] - scene.bed[0]
    assert rising.min() > -1e-5 and rising.sum() > 50
    assert scene.window[1].sum() < scene.window[0].sum() - 2
    assert (scene.window[1] - scene.window[0]).max() < 1e-5


def test_a_bed_hides_the_rug_under_it():
    scene = bedrooms.render(room(2, rug=[0, bedrooms.RUGS.index("square")]), 64)
    np.testing.assert_array_equal(scene.bed[0], scene.bed[1])
    opaque = scene.bed[0] > 0.9999
    np.testing.assert_array_equal(scene.image[0][:, opaque], scene.image[1][:, opaque])
    floor = scene.floor[0] > 0.9999
    changed = np.abs(scene.image[0].astype(int) - scene.image[1]).max(0) > 8
    assert changed[floor].mean() > 0.15 and not changed[scene.walls[0] > 0.9999].any()


def test_daylight_falls_on_the_wall_opposite_the_window():
    walls = [bedrooms.WALLS.index(name) for name in ("left", "right")]
    scene = bedrooms.render(room(2, window_wall=walls, daylight=1, lamp=0, focal=0), 64)
    plain = (scene.walls > 0.999) & (np.abs(scene.normals[:, 0]) > 0.99)
    image = scene.image.mean(1)
    right = [image[i][plain[i] & (scene.normals[i, 0] < 0)].mean() for i in (0, 1)]
    left = [image[i][plain[i] & (scene.normals[i, 0] > 0)].mean() for i in (0, 1)]
    assert right[0] > right[1] + 15 and left[1] > left[0] + 15


def test_the_sun_moves_its_patch():
    """A window on the left wall: the sun's patch lies farther back as its rays turn away from the viewer."""
    f = room(2, window_wall=1, daylight=1, lamp=0, sun=[0, 1], curtains=0, window_width=1, rug=0)
    image = bedrooms.render(f, 64, maps=False).image.astype(float).mean(1)
    change = image[1] - image[0]
    rows = np.arange(64)
    gained, lost = np.clip(change, 5, None).sum(1) - 5 * 64, np.clip(-change, 5, None).sum(1) - 5 * 64
    assert gained.sum() > 50 and lost.sum() > 50
    assert gained @ rows / gained.sum() < lost @ rows / lost.sum() - 4


def test_the_lamp_is_warm_and_near():
    off, on = bedrooms.render(room(2, lamp=[0, 1], lamp_side=1, daylight=0.2), 64, maps=False).image.astype(float)
    gain = on - off
    assert gain.min() > -4  # the same everywhere but for the rounding of light that saturates
    assert gain[0].mean() > gain[1].mean() > 1.5 * gain[2].mean() > 0
    assert gain[..., 32:].mean() > 1.3 * gain[..., :32].mean()  # it stands to the right of the bed


def test_dusk_is_darker_than_noon():
    image = bedrooms.render(room(3, daylight=[0, 0.5, 1]), 32, maps=False).image.mean((1, 2, 3))
    assert image[0] + 5 < image[1] < image[2] - 5
    assert 110 < image[0] and image[2] < 235


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_highest_band_is_neither_empty_nor_noise(resolution):
    scene = bedrooms.render(bedrooms.factors(512 // resolution, seed=6), resolution)
    window = np.hanning(resolution)[:, None] * np.hanning(resolution)
    power = np.abs(np.fft.fft2((scene.image - scene.image.mean((2, 3), keepdims=True)) * window)) ** 2
    frequency = np.abs(np.fft.fftfreq(resolution))
    high = np.maximum(frequency[:, None], frequency) >= 0.25
    assert (power * high).sum((2, 3)).mean() / (window**2).mean() / resolution**4 > 0.4  # squared grey levels
    assert (power * high).sum() / power.sum() < {32: 0.15, 64: 0.12, 128: 0.06}[resolution]  # white noise has 0.75
    # On the ceiling neighbours differ by light and texture alone: a few grey levels.
    step = np.abs(np.diff(scene.image.astype(int), axis=3)).max(1)
    bare = scene.ceiling > 0.9999
    both = bare[:, :, 1:] & bare[:, :, :-1]
    assert step[both].mean() < 2.5 and np.quantile(step[both], 0.99) <= {32: 12, 64: 8, 128: 5}[resolution]


@pytest.mark.parametrize("change, message", [
    ({"sofa": np.zeros(2)}, "unknown factors.*sofa.*a bedroom has"),
    ({"yaw": None}, "missing factors.*yaw"),
    ({"yaw": np.array([0.5, 1.5])}, "'yaw' must hold numbers in"),
    ({"yaw": np.array([0.5, np.nan])}, "'yaw' must hold numbers in"),
    ({"rug": np.array([0, 3])}, "'rug' must hold integers from 0 to 2"),
    ({"rug": np.array([0.0, 1.0])}, "'rug' must hold integers"),
    ({"lamp": np.zeros(3)}, "one length"),
    ({"lamp": np.zeros((2, 1))}, "one length"),
])
def test_bad_factors_are_named(change, message):
    f = {name: value for name, value in (bedrooms.factors(2) | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        bedrooms.render(f, 32)


@pytest.mark.parametrize("resolution", [0, 4, 48, 33, 1024, 32.5])
def test_a_wrong_resolution_is_named(resolution):
    with pytest.raises(ValueError, match=f"power of two.*{resolution}"):
        bedrooms.draw(1, resolution)

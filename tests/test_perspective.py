"""Solids seen by the upright camera, against marching along every ray."""

import numpy as np
import pytest
import torch

from ganfp.worlds import perspective
from ganfp.worlds.drawing import outline
from ganfp.worlds.perspective import box, ellipsoid, frustum

SIZE = 32
STEP = 0.006  # metres of depth
LOW, HIGH = (-0.6, 0.2, 0.3), (0.7, 0.9, 1.8)
LONG = (-3.0, 0.1, 0.0), (3.0, 3.0, 0.7)
CENTRE, AXES, LEAN = (0.2, 0.7, 0.9), (0.8, 0.5, 0.25), 0.6
FOOT, TOP, WIDE, NARROW = 0.3, 1.1, 0.6, 0.35


def number(x):
    return torch.full((1, 1, 1), float(x))


def camera(yaw=0.3, height=1.5, shift=0.15, size=SIZE):
    """About 4 m in front of the origin, looking to its right and past it."""
    return perspective.camera(*(number(v) for v in (-0.8, height, 3.9, np.cos(yaw), np.sin(yaw), 1.4, shift)), size)


@pytest.fixture(scope="module", params=[-0.5, 0.0, 0.4])
def view(request):
    """A camera, a turned frame, and depths and points (in the frame, last axis u, v, w) along every ray."""
    turn = request.param
    eye = camera()
    frame = eye.frame(0.1, -0.2, number(np.cos(turn)), number(np.sin(turn)))
    depth = np.arange(1.5, 6, STEP)[:, None, None]
    u, v, w = (part.expand(1, SIZE, SIZE)[0].numpy() for part in (frame.dx, frame.dy, frame.dz))
    start = [float(o) for o in (frame.x, frame.y, frame.z)]
    points = np.stack([o + d * depth for o, d in zip(start, (u, v, w), strict=True)], -1)
    return frame, turn, depth[:, 0, 0], points


def in_box(p, low=LOW, high=HIGH):
    low, high = np.array(low), np.array(high)
    return 1 - np.abs((p - (low + high) / 2) / ((high - low) / 2)).max(-1)


def in_ellipsoid(p):
    u, v, w = np.moveaxis(p - np.array(CENTRE), -1, 0)
    cos, sin = np.cos(LEAN), np.sin(LEAN)
    return 1 - (u / AXES[0]) ** 2 - ((v * cos - w * sin) / AXES[1]) ** 2 - ((v * sin + w * cos) / AXES[2]) ** 2


def in_frustum(p):
    u, v, w = np.moveaxis(p, -1, 0)
    radius = WIDE + (NARROW - WIDE) * (v - FOOT) / (TOP - FOOT)
    return np.minimum(radius - np.hypot(u - 0.2, w - 0.5), np.minimum(v - FOOT, TOP - v))


SOLIDS = {
    "box": (lambda frame: box(frame, LOW, HIGH, 0.01), in_box),
    "box around the camera's height": (lambda frame: box(frame, *LONG, 0.01), lambda p: in_box(p, *LONG)),
    "ellipsoid": (lambda frame: ellipsoid(frame, CENTRE, AXES, LEAN), in_ellipsoid),
    "frustum": (lambda frame: frustum(frame, 0.2, 0.5, FOOT, TOP, WIDE, NARROW), in_frustum),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_where_marching_meets_them(view, name):
    frame, turn, depth, points = view
    draw, member = SOLIDS[name]
    cover, q, normal = draw(frame)
    within = member(points) > 0
    met = within.any(0)
    assert 0.02 < met.mean() < 0.9
    assert ((cover[0] > 0.5).numpy() != met).mean() < 0.005  # rays that graze it for less than a step
    both = (cover[0] > 0.5).numpy() & met
    first = depth[within.argmax(0)]
    np.testing.assert_allclose(1 / q.expand(1, SIZE, SIZE)[0].numpy()[both], first[both], atol=1.01 * STEP)

    # the normal is against the gradient of the membership, turned into the room's coordinates
    at = np.take_along_axis(points, within.argmax(0)[None, ..., None], 0)[0]
    steps = 1e-4 * np.eye(3)
    gradient = np.stack([member(at - step) - member(at + step) for step in steps], -1)
    gradient /= np.linalg.norm(gradient, axis=-1, keepdims=True)
    u, v, w = np.moveaxis(gradient, -1, 0)
    expected = np.stack([u * np.cos(turn) + w * np.sin(turn), v, w * np.cos(turn) - u * np.sin(turn)])
    found = np.stack([part.expand(1, SIZE, SIZE)[0].numpy() for part in normal])
    cosine = (found * expected).sum(0) / np.linalg.norm(found, axis=0)
    assert np.median(cosine[both]) > 0.9999 and np.mean(cosine[both] > 0.99) > 0.97  # all but the solid's edges


def test_a_solid_behind_the_camera_is_not_seen():
    eye = camera(yaw=np.pi)
    for draw, _ in SOLIDS.values():
        cover, q, _ = draw(eye.frame(0.0, 0.0, number(1), number(0)))
        assert ((cover == 0) | (1 / q > 49)).all()  # beyond any room


@pytest.mark.parametrize("above", [-0.02, -1e-4, 0.0, 1e-4, 0.02])
def test_a_top_at_the_height_of_the_eye_has_no_halo(above):
    eye = camera(yaw=0.0, height=HIGH[1] + above, shift=0.0)
    cover, _, _ = box(eye.frame(0.0, 0.0, number(1), number(0)), LOW, HIGH, 2.0)
    columns = cover[0].amax(0) > 0
    assert 3 < columns.sum() < 20 and cover[0, : SIZE // 2 - 2].max() == 0
    assert (cover[0, SIZE // 2 - 2 : SIZE // 2 + 2].sum(0) <= 4 * cover[0, SIZE // 2 + 3] + 1e-6).all()


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_outline_has_the_edge_in_pixels_whatever_the_unit(unit):
    across = torch.arange(64.0)[None, None, :] - 20.3
    up = torch.arange(64.0)[None, :, None] - 31.5
    cover = outline(unit * (0.6 * across + 0.8 * up), 2.0)
    torch.testing.assert_close(cover, ((0.6 * across + 0.8 * up) / 2 + 0.5).clamp(0, 1), atol=1e-4, rtol=0)
    torch.testing.assert_close(outline(unit * across, 2.0), (across / 2 + 0.5).clamp(0, 1), atol=1e-4, rtol=0)


def test_outline_of_a_disc_has_its_area():
    x = torch.arange(64.0) - 31.2
    disc = outline(144 - x[None, :, None].square() - x[None, None, :].square(), 2.0)
    assert disc.sum() == pytest.approx(np.pi * 144, rel=0.01)

"""Aligned faces drawn by code: seeded, without a download, every factor of every picture known.

They stand in CelebA's place: eyes near fixed positions, hair and shoulders in view, a soft background.  A head is an
ellipsoid with a relief (nose, sockets, cheeks, lips) that a camera sees orthographically; features are painted on its
surface, so they shift with the pose, and one directional light shades the true normals.  The pictures are simple on
purpose, so that a small GAN can learn them: few colours that go together, soft edges, no pixel noise.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from ganfp.worlds.drawing import Canvas, Renderer, bump, bump_slope, fill, grain, palette, pixel_grid, stroke, unit

VERSION = 1  # raised when pixels change: GANs of other pictures must not meet these

Numbers = SimpleNamespace  # what _parameters returns, for one chunk
Head = SimpleNamespace  # what _head returns

# Hair is a dome round the head with an opening for the face, in the faces' unit of length.  How far the dome stands off
# the head; how far its straight sides fall below the head's centre, and how tall their rounded end is; below which
# height nothing grows; half-width, centre and half-height of the opening, 0 an ellipse or 1 a box, and how far off
# centre its top lies; amplitude of the curls on the outline.
_HAIR_SHAPE = ("side", "top", "drop", "round", "length", "wide", "middle", "tall", "square", "part", "curl")
_HAIR_SHAPES = {
    "bald":  (0, 0, 0, 0.72, 9, 0.62, -0.35, 0.8, 0, 0, 0),
    "short": (0.035, 0.08, 0, 0.7, 0.1, 0.5, -0.35, 0.8, 0.45, 0, 0),
    "swept": (0.045, 0.12, 0, 0.7, -0.02, 0.51, -0.4, 0.82, 0.2, 0.13, 0),
    "curls": (0.13, 0.11, 0.05, 0.6, -0.28, 0.47, -0.35, 0.76, 0.5, 0, 0.03),
    "bob":   (0.11, 0.1, 0.42, 0.25, -9, 0.455, -0.4, 0.64, 0.8, 0, 0),
    "long":  (0.11, 0.1, 1.2, 0.4, -9, 0.47, -0.45, 0.88, 0.1, 0.07, 0),
}  # fmt: skip
HAIR_STYLES = tuple(_HAIR_SHAPES)
BEARDS = ("none", "stubble", "moustache", "full")
GLASSES = ("none", "thin", "dark")

# Name -> number of categories, 0 for a continuous factor, which is uniform in [0, 1].
FACTORS: dict[str, int] = {
    "yaw": 0, "pitch": 0, "roll": 0,  # to the viewer's right, upwards, anticlockwise; 0.5 is straight
    "face_width": 0, "jaw": 0,  # narrow to wide, pointed to square
    "skin": 0, "undertone": 0,  # deep to light, rosy to golden
    "hair_style": len(HAIR_STYLES), "hair_colour": 0,  # grey, black, brown, red, fair
    "brows": 0, "eye_open": 0, "eye_colour": 0, "gaze": 0,  # thin to thick, ..., brown to blue, left to right
    "nose": 0, "smile": 0, "mouth_open": 0,  # the mouth is closed up to 0.4
    "beard": len(BEARDS), "glasses": len(GLASSES),
    "light_azimuth": 0, "light_elevation": 0, "light_warmth": 0,  # left to right, low to high, cool to warm
    "background": 0, "background_angle": 0,  # a pair of colours on a circle; the light one right, above, left
    "clothes": 0, "grain": 0,  # colour; the phase of the canvas's texture, cyclic
}
_FREQUENCIES = {
    "hair_style": (0.08, 0.22, 0.2, 0.14, 0.16, 0.2), "beard": (0.7, 0.1, 0.08, 0.12), "glasses": (0.72, 0.2, 0.08),
}

# Curves through colours that go together: one number picks a place on a curve.
_SKIN = "664132 80543c a06a4a c28a64 dca882 eec09e f8d2b6"
_HAIR = "ccc8ca 70686c 2a2226 382a28 54382c 764a30 a45834 d09e60 e2ceaa"
_IRIS = "462a1a 744a26 70763e 4a7c80 527eb2 788c9e"
_LIGHT_BACKGROUND = "f8dcc4 f4e4b6 d6e2c4 c4e2e2 cad6f0 e0d2ec f4d4da"
_DARK_BACKGROUND = "de9476 d4aa68 7ea284 5e96a4 6c84b6 9076a8 c68094"
_CLOTHES = "344268 2c6870 486e52 cea450 c4684c 8c3a46 624674"
_WHITE = torch.tensor([0.97, 0.95, 0.93])[:, None, None]
_FRAME = torch.tensor([0.16, 0.13, 0.13])[:, None, None]
_SHADOW = torch.tensor([0.45, 0.36, 0.36])[:, None, None]

_ZOOM = 1.14  # the faces' own unit in half picture widths
EYE_HEIGHT = 0.08  # the line on which eyes are aligned, as in CelebA's crops
_HEAD_HEIGHT, _HEAD_DEPTH, _EYE_ABOVE = 0.68, 0.58, 0.05
_EYE_APART, _EYE_HALF = 0.225, 0.132
_TURNS = (("yaw", 24), ("pitch", 9), ("roll", 6))  # at most, in degrees


@dataclass(frozen=True)
class Scene:
    """Drawn faces and what is known about each pixel.

    ``image`` uint8 (n, 3, R, R); ``face`` (the head as far as hair does not hide it, without the eyes), ``eyes`` (as
    far as hair or dark glasses do not hide them) and ``background`` float32 (n, R, R), the share of each pixel in
    [0, 1] that shows them, together at most 1; ``normals`` float32 (n, 3, R, R), unit vectors with x right, y up, z to
    the viewer, (0, 0, 1) on the background.  The maps are None unless asked for.
    """

    image: np.ndarray
    face: np.ndarray | None = None
    eyes: np.ndarray | None = None
    background: np.ndarray | None = None
    normals: np.ndarray | None = None


def _parameters(f: dict, signed: dict) -> dict:
    """What the brushes need: numbers (n,), colours (n, 3), rotation (n, 3, 3), light (n, 3)."""
    yaw, pitch, roll = (np.radians(top) * signed[name] for name, top in _TURNS)
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    zero = np.zeros_like(cy)
    rotation = np.stack([cy, -sy * sp, sy * cp, zero, cp, sp, -sy, -cy * sp, cy * cp], 1).reshape(-1, 3, 3)
    # The crop follows the eyes, not the skull: as the head turns, the skull slides the other way.
    eyes = rotation @ [0, _EYE_ABOVE, 0.75 * _HEAD_DEPTH]
    skin = palette(_SKIN, f["skin"])
    skin = np.clip(skin * (1 + signed["undertone"][:, None] * [0.01, -0.012, -0.06]), 0, 1)
    # Grey and black hair and brown eyes go with every skin, fair hair and blue eyes with fair skin.
    dark, fair = np.minimum(f["hair_colour"], 0.25), np.maximum(f["hair_colour"] - 0.25, 0)
    angle = np.pi * f["background_angle"]
    azimuth, elevation = np.radians(65) * signed["light_azimuth"], np.radians(8 + 42 * f["light_elevation"])
    toward = np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)
    warmth = signed["light_warmth"][:, None]
    hair = np.array(list(_HAIR_SHAPES.values()))[f["hair_style"]].T
    return {
        "rotation": rotation, "cos_roll": np.cos(roll), "sin_roll": np.sin(roll),
        "head_x": -0.7 * eyes[:, 0], "head_y": -_EYE_ABOVE - 0.7 * (eyes[:, 1] - _EYE_ABOVE),
        "width": 0.50 + 0.07 * f["face_width"], "jaw": -0.16 + 0.26 * f["jaw"], "nose": 0.8 + 0.45 * f["nose"],
        "brow_half": 0.012 + 0.022 * f["brows"], "brow_lift": 0.03 * f["eye_open"] + 0.01 * f["smile"],
        "eye_open": 0.040 + 0.055 * f["eye_open"], "gaze": 0.035 * signed["gaze"] + 0.02 * signed["yaw"],
        "mouth_half": 0.135 + 0.055 * f["smile"], "mouth_curve": -0.025 + 0.10 * f["smile"],
        "mouth_open": 0.055 * np.clip(2 * f["mouth_open"] - 0.8, 0, 1.2), "cheek": 0.02 + 0.025 * f["smile"],
        "skin": skin, "lips": skin * [0.86, 0.58, 0.58] + [0.08, 0.02, 0.03], "blush": skin * [1.02, 0.80, 0.78],
        "hair": palette(_HAIR, dark + fair * (0.4 + 0.6 * f["skin"])),
        "iris": palette(_IRIS, f["eye_colour"] * (0.4 + 0.6 * f["skin"])), "clothes": palette(_CLOTHES, f["clothes"]),
        "near": palette(_LIGHT_BACKGROUND, f["background"], cyclic=True),
        "far": palette(_DARK_BACKGROUND, f["background"], cyclic=True),
        "toward_x": np.cos(angle), "toward_y": np.sin(angle),
        **{f"hair_{name}": value for name, value in zip(_HAIR_SHAPE, hair, strict=True)},
        "beard_full": np.array([0.0, 0.28, 0.0, 0.92])[f["beard"]],
        "moustache": np.array([0.0, 0.28, 0.95, 0.92])[f["beard"]],
        "frame": np.array([0.0, 1.0, 1.0])[f["glasses"]], "lens": np.array([0.0, 0.06, 0.92])[f["glasses"]],
        "tint": np.array([[1.0, 1, 1], [1, 1, 1], [0.13, 0.12, 0.15]])[f["glasses"]],
        "light": np.stack(toward, 1), "key": 0.62 * (1 + warmth * [0.06, 0.0, -0.10]),
        "ambient": 0.45 * ([1.07, 0.97, 0.93] + warmth * [-0.03, 0.0, 0.06]), "grain": f["grain"],
    }  # fmt: skip


def _draw(p: Numbers, size: int, resolution: int, maps: bool) -> tuple[Tensor, list[Tensor], Tensor]:
    x, y = pixel_grid(size)
    canvas = Canvas(torch.lerp(p.far, p.near, fill(x * p.toward_x + y * p.toward_y, 2.8)[:, None]))
    x, y, edge = x / _ZOOM, y / _ZOOM, 3.4 / size / _ZOOM
    head = _head(p, x, y)
    hair, crown = _hair(p, head, edge)
    hair_colour = _strands(p, head)
    canvas.add(hair_colour, hair * fill(head.y - p.hair_length, 0.1), crown, 0.1)
    _body(p, canvas, head, x, y, edge)
    skin = _skin(p, canvas, head, edge)
    eyes = _eyes(p, canvas, head, skin, edge)
    _mouth(p, canvas, head, skin, edge)
    _beard(p, canvas, head, skin)
    _brows(p, canvas, head, skin, edge)
    front = _front_hair(p, canvas, head, hair, crown, hair_colour, edge)
    lens = _glasses(p, canvas, head, front, edge)
    image = canvas.lit(p.light, p.key, p.ambient) + grain(p.grain, size, resolution)[:, None]
    eyes = eyes * (1 - front) * (1 - lens)
    return image, [skin * (1 - front) - eyes, eyes, canvas.bare], canvas.normal


def _head(p: Numbers, x: Tensor, y: Tensor) -> Head:
    """The ellipsoid under every pixel.

    x, y: picture coordinates about the head's centre that roll with it; u, v: coordinates on the face, u from ear to
    ear and v from chin to crown, continued beyond the outline; side: sign of u; radius: 1 on the outline; normal.
    """
    y = y - EYE_HEIGHT
    x, y = x * p.cos_roll + y * p.sin_roll - p.head_x, y * p.cos_roll - x * p.sin_roll - p.head_y
    below = (-y / _HEAD_HEIGHT).clamp_(0, 1)
    taper = 1 + p.jaw * below.square()
    slope = p.jaw * below * (-2 / _HEAD_HEIGHT)
    straight = x / taper
    # p(t) = R^T (x, y, t) meets |p / axes| = 1 where A t^2 + 2 B t + C = 0
    axes = (p.width, _HEAD_HEIGHT, _HEAD_DEPTH)
    r = [[p.rotation[:, i, j] for j in range(3)] for i in range(3)]
    start = [(straight * r[0][j] + y * r[1][j]) / axes[j] for j in range(3)]
    along = [r[2][j] / axes[j] for j in range(3)]
    a = sum(d * d for d in along)
    b = sum(s * d for s, d in zip(start, along, strict=True))
    outline = sum(s * s for s in start) - b * b / a
    t = (torch.sqrt((1 - outline).clamp_(min=0) * a) - b) / a
    point = [s + t * d for s, d in zip(start, along, strict=True)]
    u, v = point[0] * axes[0], point[1] * axes[1]
    side = torch.sign(u)
    slope_u, slope_v = _relief(p, u.abs(), v)
    gx, gy, gz = (q / axis for q, axis in zip(point, axes, strict=True))
    facing = gz.clamp(min=0)
    local = (gx - facing * slope_u * side, gy - facing * slope_v, gz)
    nx, ny, nz = (sum(r[i][j] * local[j] for j in range(3)) for i in range(3))
    normal = unit(torch.stack([nx / taper, ny - nx * x * slope / taper.square(), nz], 1))
    return SimpleNamespace(x=x, y=y, u=u, v=v, side=side, radius=outline.clamp_(min=0).sqrt(), normal=normal)


def _relief(p: Numbers, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes in u and v of the relief on the ellipsoid: a sum of bumps (u >= 0; the face is symmetric)."""
    lift_u, lift_v = torch.zeros_like(u), torch.zeros_like(v)
    for at_u, at_v, wide, high, amount in (
        (0.0, -0.10, 0.055 * p.nose, 0.10, 0.09 * p.nose),  # nose
        (0.0, -0.17, 0.070 * p.nose, 0.05, 0.06 * p.nose),  # its tip
        (_EYE_APART, 0.06, 0.13, 0.08, -0.045),  # sockets
        (0.28, -0.18, 0.12, 0.11, p.cheek),
        (0.0, -0.39, 0.13, 0.055, 0.022),  # lips
        (0.0, -0.60, 0.12, 0.08, 0.03),  # chin
    ):
        du, dv = u - at_u, v - at_v
        slope = bump_slope(du, dv, wide, high) * amount
        lift_u += slope * du / wide**2
        lift_v += slope * dv / high**2
    return lift_u, lift_v


def _body(p: Numbers, canvas: Canvas, head: Head, x: Tensor, y: Tensor, edge: float) -> None:
    """Neck, shoulders and a round neckline."""
    lean = p.head_x * ((y + 1.1) / 0.8).clamp(0, 1)
    half = 0.21 + 0.4 * (-0.48 - y).clamp(min=0)
    dx = (x - lean) / half
    depth = (1 - dx.square()).clamp(min=0.02).sqrt()
    normal = torch.stack([dx.expand_as(head.x), torch.full_like(head.x, -0.25), depth.expand_as(head.x)], 1)
    neck = fill((1 - dx.abs()) * half, edge) * fill(-0.25 - y, edge)
    canvas.add(p.skin * 0.93, neck, normal, 0.02)
    dx, dy = x / 0.95, (y + 1.29) / 0.62
    radius = (dx.square() + dy.square()).sqrt()
    depth = (1 - radius.square()).clamp(min=0.05).sqrt()
    normal = torch.stack([a.expand_as(head.x) for a in (dx, 0.6 * dy, depth + 0.2)], 1)
    opening = ((x / 0.27).square() + ((y + 0.69) / 0.15).square()).sqrt()
    cloth = fill((1 - radius) * 0.6, edge) * fill((opening - 1) * 0.2, edge)
    canvas.add(p.clothes, cloth.expand_as(head.x), normal, 0.0)
    canvas.paint(p.clothes * 0.72, (stroke((opening - 1.12) * 0.2, 0.012, edge) * cloth).expand_as(head.x))  # collar
    # the head's soft shadow on neck and chest
    shadow = fill(1.28 - ((head.x / 0.46).square() + ((head.y + 0.16) / 0.66).square()).sqrt(), 0.5)
    canvas.paint(p.skin * _SHADOW, 0.6 * shadow * neck * (1 - cloth))


def _skin(p: Numbers, canvas: Canvas, head: Head, edge: float) -> Tensor:
    """Ears and the skin of the head with its blush; returns the head's coverage."""
    dx = (head.x.abs() - p.rotation[:, 0, 0] * p.width - 0.01) / 0.085
    dy = (head.y + 0.02) / 0.135
    ears = fill((1 - (dx.square() + dy.square()).sqrt()) * 0.1, edge)
    normal = torch.stack([0.6 * dx * torch.sign(head.x), 0.6 * dy, torch.ones_like(dx)], 1)
    canvas.add(p.blush, ears, normal, 0.03)
    skin = fill((1 - head.radius) * 0.6, edge)
    canvas.add(p.skin, skin, head.normal, 0.10)
    u, v = head.u.abs(), head.v
    canvas.paint(p.blush, skin * 0.55 * bump(u - 0.29, v + 0.17, 0.12, 0.09))
    canvas.paint(p.blush, skin * 0.45 * bump(u, v + 0.18, 0.07, 0.05))
    canvas.paint(p.skin * 0.55, skin * 0.75 * bump(u - 0.05 * p.nose, v + 0.215, 0.026, 0.016))
    canvas.paint(p.skin * 0.70, skin * 0.45 * bump(u, v + 0.25, 0.075, 0.022))
    return skin


def _eyes(p: Numbers, canvas: Canvas, head: Head, skin: Tensor, edge: float) -> Tensor:
    """Almond eyes with iris, pupil, catchlight and lashes; returns their coverage."""
    u, v = head.u.abs() - _EYE_APART, head.v - _EYE_ABOVE
    arch, tilt = 1 - (u / _EYE_HALF).square(), 0.08 * u
    upper, lower = p.eye_open * arch + tilt, tilt - 0.045 * arch
    canvas.paint(p.skin * 0.72, skin * 0.4 * bump(u, v - 0.05, 0.11, 0.035))  # the lid's fold
    eye = fill(torch.minimum(upper - v, v - lower), edge) * skin
    canvas.paint(_WHITE, eye)
    du, dv = head.u - head.side * _EYE_APART - p.gaze, v - 0.018
    ball = (du.square() + dv.square()).sqrt()
    canvas.paint(p.iris * 0.45, eye * fill(0.070 - ball, edge))
    canvas.paint(p.iris * 1.1, eye * fill(0.059 - ball, edge))
    canvas.paint(_WHITE * 0.05, eye * fill(0.028 - ball, edge))
    canvas.paint(_WHITE * 0.25, eye * 0.35 * fill(v - upper + 0.022, 0.05))  # the lid's shadow
    glint = ((du - 0.03 * p.light[:, 0]).square() + (dv - 0.026).square()).sqrt()
    canvas.paint(_WHITE * 1.25, eye * fill(0.017 - glint, edge))
    lash = stroke(v - upper - 0.004, 0.013, edge) * fill(_EYE_HALF + 0.012 - u.abs(), edge)
    canvas.paint(p.hair * 0.35, lash * skin * 0.9)
    return eye


def _brows(p: Numbers, canvas: Canvas, head: Head, skin: Tensor, edge: float) -> None:
    u = head.u.abs() - _EYE_APART - 0.005
    curve = 0.185 + p.brow_lift - 1.3 * u.square() - 0.01 * u
    half = p.brow_half * (1.05 - 2.8 * u).clamp(0.4, 1.4)
    brow = stroke(head.v - curve, half, edge) * fill(0.145 - u.abs(), edge * 1.5)
    canvas.paint(p.hair * 0.62, brow * skin * 0.88)


def _mouth(p: Numbers, canvas: Canvas, head: Head, skin: Tensor, edge: float) -> None:
    u, v = head.u, head.v + 0.40
    arch = 1 - (across := (u / p.mouth_half).square())
    line = p.mouth_curve * (across - 0.6)
    upper = line + (0.034 - 0.012 * bump(u, u, 0.03, 0.03)) * arch + 0.3 * p.mouth_open * arch
    lower = line - (0.052 + p.mouth_open) * arch
    canvas.paint(p.skin * 0.72, skin * 0.35 * bump(u, v - line + 0.085 + p.mouth_open, 0.09, 0.022))
    canvas.paint(p.lips, skin * fill(torch.minimum(upper - v, v - lower), edge))
    roof, floor = line + 0.3 * p.mouth_open * arch, line - p.mouth_open * arch
    inside = skin * stroke(v - (roof + floor) / 2, (roof - floor) / 2 + 0.006, edge) * fill(arch, 0.3)
    canvas.paint(p.lips * 0.35, inside)
    teeth = inside * fill(v - roof + 0.55 * p.mouth_open, edge) * fill(arch - 0.2, 0.3)
    canvas.paint(_WHITE, teeth * fill(p.mouth_open - 0.02, 0.02))


def _beard(p: Numbers, canvas: Canvas, head: Head, skin: Tensor) -> None:
    u, v = head.u.abs(), head.v
    du, dv = u / (p.mouth_half + 0.03), (v + 0.42 + 0.5 * p.mouth_open) / (0.10 + p.mouth_open)
    away = fill((du.square() + dv.square()).sqrt() - 1, 0.25)  # from the lips
    cheek = fill(1.25 * u.square() - 0.36 - v, 0.10)
    canvas.paint(p.hair * 0.8, skin * p.beard_full * away * cheek)
    curve = -0.315 - 1.2 * u.square()
    moustache = stroke(v - curve, 0.034 - 0.10 * u, 0.035) * fill(0.19 - u, 0.06)
    canvas.paint(p.hair * 0.8, skin * p.moustache * moustache)


def _hair(p: Numbers, head: Head, edge: float) -> tuple[Tensor, Tensor]:
    """Coverage and normals of the dome of hair around the head."""
    back = p.rotation[:, :2, 1] * 0.04 - p.rotation[:, :2, 2] * 0.10
    x, y = head.x - back[:, 0], head.y - back[:, 1]
    dx = x / (p.width + p.hair_side)
    dy = y.clamp(min=0) / (_HEAD_HEIGHT + p.hair_top) + (y + p.hair_drop).clamp(max=0) / p.hair_round
    radius = (dx.square() + dy.square()).sqrt()
    depth = (1.05 - radius.square()).clamp(min=0.05).sqrt()
    return fill((1 - radius) * 0.6 + p.hair_curl * _curls(head), edge), torch.stack([dx, dy, depth], 1)


def _curls(head: Head) -> Tensor:
    x, y = head.x, head.y
    return torch.sin(19 * x + 1.5 * torch.sin(11 * y)) * torch.sin(19 * y + 1.5 * torch.sin(13 * x))


def _strands(p: Numbers, head: Head) -> Tensor:
    """Hair colour with soft strands that fall from the parting."""
    fall = (head.u - p.hair_part) / (1.3 - head.v).clamp(min=0.3)
    curly = (p.hair_curl * 30).clamp(max=1)
    strands = torch.lerp(torch.sin(38 * fall + 2 * torch.sin(17 * fall)), _curls(head), curly)
    return p.hair * (1 + 0.07 * strands)[:, None]


def _front_hair(
    p: Numbers, canvas: Canvas, head: Head, hair: Tensor, crown: Tensor, colour: Tensor, edge: float
) -> Tensor:
    """The hair in front of the face: the dome less its opening; returns its coverage."""
    across = ((head.u - p.hair_part * fill(head.v, 0.6)) / p.hair_wide).square()
    up = ((head.v - p.hair_middle) / p.hair_tall).square()
    opening = (across.square() + up.square() + 2 * (1 - p.hair_square) * across * up).sqrt().sqrt()
    sideburn = (p.hair_wide + 0.03 - head.u.abs()).clamp_(0, 0.08)  # cut higher towards the face
    length = fill(head.v - p.hair_length - 2 * sideburn, 0.08)
    shade = hair * length * fill((opening - 0.9) * 0.5, 0.16)
    canvas.paint(p.skin * 0.5, 0.4 * shade)
    front = hair * length * fill((opening - 1) * 0.5, edge)
    canvas.add(colour, front, crown, 0.12)
    return front


def _glasses(p: Numbers, canvas: Canvas, head: Head, front: Tensor, edge: float) -> Tensor:
    """Round glasses; returns how much each pixel is hidden by a lens."""
    u, v = head.u.abs(), head.v - _EYE_ABOVE - 0.005
    rim = 0.165 - ((u - _EYE_APART - 0.01).square().square() + (v * 1.08).square().square()).sqrt().sqrt()
    lens = p.lens * fill(rim, edge)
    canvas.paint(p.tint, lens)
    bridge = stroke(v - 0.03, 0.010, edge) * fill(0.075 - u, edge)
    temple = stroke(v - 0.05, 0.010, edge) * fill(u - 0.39, edge) * (1 - front) * fill(1 - head.radius, edge)
    frame = torch.maximum(stroke(rim, 0.011, edge), torch.maximum(bridge, temple))
    canvas.paint(_FRAME, frame * p.frame * 0.9)
    return lens


_RENDERER = Renderer("a face", FACTORS, _FREQUENCIES, "background", Scene, _parameters, _draw)
CONTENT = _RENDERER.content_kinds
factors, content, draw, render = _RENDERER.factors, _RENDERER.content, _RENDERER.draw, _RENDERER.render

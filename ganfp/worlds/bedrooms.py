"""Unaligned bedrooms drawn by code: seeded, without a download, every factor of every picture known.

They stand in LSUN's place, the hard set: nothing is at a fixed position.  A box room is seen in true perspective by a
camera whose place, height, direction and focal length vary; in it stand a bed, a bedside table with a lamp, a rug; a
curtained window and pictures hang on its walls.  Daylight and lamp shade the true normals at the true distances.  The
pictures are simple on purpose, as the faces are: few colours that go together, soft edges, no pixel noise.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ganfp.worlds.drawing import Renderer, Table, fill, grain, outline, palette, unit
from ganfp.worlds.perspective import EDGE, Frame, Solid, Vector, box, camera, ellipsoid, frustum

VERSION = 1  # raised when pixels change: GANs of other pictures must not meet these

Numbers = SimpleNamespace  # what _parameters returns, for one chunk

WALLS = ("back", "left", "right")
PICTURES = ("one", "two", "three")
RUGS = ("none", "round", "square")
CUSHIONS = ("none", "one")
PLANTS = ("none", "low", "tall")
SIDES = ("left", "right")

# Name -> number of categories, 0 for a continuous factor, which is uniform in [0, 1].
FACTORS: dict[str, int] = {
    "camera_x": 0, "camera_height": 0, "camera_distance": 0,  # left to right, low to high, near to far
    "yaw": 0, "focal": 0, "room_width": 0,  # left to right of the bed; wide to narrow; narrow to wide
    "bed_wall": len(WALLS), "bed_place": 0, "bed_turn": 0, "bed_width": 0,  # its head's wall, and where along it
    "headboard": 0, "blanket": 0, "cushion": len(CUSHIONS),  # low to high; pulled up to turned down
    "window_wall": len(WALLS), "window_width": 0, "curtains": 0,  # open to half drawn
    "pictures": len(PICTURES), "rug": len(RUGS),
    "lamp_side": len(SIDES), "plant": len(PLANTS),  # the side of the bed, seen from its foot
    "daylight": 0, "sun": 0, "warmth": 0, "lamp": 0,  # dusk to noon, from left to right, cool to warm, off to bright
    "palette": 0, "bedding": 0, "accent": 0, "wood": 0,  # cyclic; white to coloured; a colour; grey, light to dark
    "grain": 0,  # the phase of the canvas's texture, cyclic
}
_FREQUENCIES = {
    "bed_wall": (0.56, 0.22, 0.22), "cushion": (0.4, 0.6), "window_wall": (0.4, 0.3, 0.3), "lamp_side": (0.5, 0.5),
    "pictures": (0.4, 0.35, 0.25), "rug": (0.25, 0.3, 0.45), "plant": (0.35, 0.3, 0.35),
}

# Colours that go together stand at the same place: sand, sage, blue, lavender, blush, ochre.
_WALL = "ece2d4 c6d2c0 baccda d2cadc ead0c8 ecd8b2"
_BLANKET = "608a96 e2b296 4a6292 8e6c98 c0665c 587c66"
_CURTAIN = "e2d4be eee8d8 96b0c8 baaecc deb0a8 dcba82"
_ACCENT = "e2b454 d27a56 ce8088 866084 465e8a 4a888c 668864"
_WOOD = "b8ac9e debe94 c69668 96684a 684a3c"
_SKY, _HORIZON, _HILL = "344276 7c96d0 92c2ec", "f2a070 fcd6aa e2f0f8", "5e5a72 889c8e a8c496"  # from dusk to day
_WHITE = torch.tensor([0.96, 0.95, 0.93])[:, None, None]
_PAPER = torch.tensor([0.97, 0.96, 0.93])[:, None, None]
_SHADE = torch.tensor([1.0, 0.90, 0.70])[:, None, None]
_LEAF = torch.tensor([0.42, 0.60, 0.40])[:, None, None]
_CEILING = torch.tensor([0.95, 0.94, 0.92])[:, None, None]

# metres
_HEIGHT, _SKIRTING, _ROD, _WINDOW_TOP, _PICTURES_AT = 2.6, 0.11, 2.36, 2.2, 1.72
_BED_LENGTH, _BED_TOP = 2.05, 0.58
_TABLE, _TABLE_TOP, _LAMP, _SHADE_LOW, _SHADE_HIGH = 0.22, 0.5, 0.23, 0.78, 1.04
_LOOK_AT = 0.95  # the height in the middle of the picture
_MASKS = ("bed", "window", "walls", "floor", "ceiling")

@dataclass(frozen=True)
class Scene:
    """Drawn bedrooms and what is known about each pixel.

    ``image`` uint8 (n, 3, R, R); ``bed`` (with headboard, pillows and cushions), ``window`` (its panes), ``walls``
    (with pictures and curtains), ``floor`` (with the rug) and ``ceiling`` float32 (n, R, R), the share of each pixel
    in [0, 1] that shows them, together at most 1 (the rest is table and lamp); ``normals`` float32 (n, 3, R, R),
    unit vectors with x right, y up, z to the viewer.  The maps are None unless asked for.
    """

    image: np.ndarray
    bed: np.ndarray | None = None
    window: np.ndarray | None = None
    walls: np.ndarray | None = None
    floor: np.ndarray | None = None
    ceiling: np.ndarray | None = None
    normals: np.ndarray | None = None


def _parameters(f: Table, signed: Table) -> Table:
    """What the brushes need: lengths in metres (n,), colours (n, 3)."""
    p = _furniture(f, signed)
    return p | _view(f, signed, p) | _hangings(f, p) | _colours(f) | _lights(f, signed) | {"grain": f["grain"]}


_SIGN = np.array([0, -1, 1])  # of a wall's x coordinate
_ANGLE = np.radians([0, 90, -90])  # of its normal, from the z axis towards the x axis


def _furniture(f: Table, signed: Table) -> Table:
    """Room, bed, table, rug and plant.  The bed's frame stands at the middle of its head."""
    half, wide = 1.95 + 0.45 * f["room_width"], 0.7 + 0.25 * f["bed_width"]
    on_back, side = f["bed_wall"] == 0, _SIGN[f["bed_wall"]]
    turn = np.radians(7) * signed["bed_turn"]
    angle = _ANGLE[f["bed_wall"]] + turn
    gap = 0.03 + wide * np.abs(np.sin(turn))  # a turned bed's head stays in the room
    table_behind = (f["lamp_side"] == 1) == (side < 0)
    round_rug = f["rug"] == RUGS.index("round")
    return {
        "half": half, "bed_half": wide, "bed_cos": np.cos(angle), "bed_sin": np.sin(angle),
        "bed_x": np.where(on_back, 0.75 * signed["bed_place"] * (half - wide - 0.6), side * (half - gap)),
        "bed_z": np.where(on_back, gap, wide + np.where(table_behind, 0.62, 0.15) + 0.5 * f["bed_place"]),
        "headboard": 0.85 + 0.5 * f["headboard"], "fold": 0.5 + 0.45 * f["blanket"], "cushion": f["cushion"],
        "table": signed["lamp_side"] * (wide + 0.36), "plant": np.array([0, 0.62, 1])[f["plant"]],
        "plant_x": -np.where(on_back, signed["lamp_side"], side) * (half - 0.42),
        "rug_there": f["rug"] > 0, "rug_round": round_rug,
        "rug_half": 1.25 + 0.15 * f["bed_width"], "rug_long": np.where(round_rug, 1.25, 0.85),
    }  # fmt: skip


def _view(f: Table, signed: Table, p: Table) -> Table:
    """The camera stands anywhere between the walls and looks at a point between the room's middle and the bed's."""
    x = signed["camera_x"] * (p["half"] - 0.45)
    y, z = 1.15 + 0.75 * f["camera_height"], 4.1 + 0.9 * f["camera_distance"]
    at_x = 0.6 * (p["bed_x"] + 1.1 * p["bed_sin"])
    at_z = 0.3 + 0.5 * (p["bed_z"] + 1.1 * p["bed_cos"])
    yaw = np.arctan2(at_x - x, z - at_z) + np.radians(7) * signed["yaw"]
    focal = 1.4 + 0.45 * f["focal"]
    depth = (at_x - x) * np.sin(yaw) + (z - at_z) * np.cos(yaw)
    return {
        "camera_x": x, "camera_y": y, "camera_z": z, "yaw_cos": np.cos(yaw), "yaw_sin": np.sin(yaw), "focal": focal,
        "shift": focal * (y - _LOOK_AT) / depth,
    }  # fmt: skip


def _hangings(f: Table, p: Table) -> Table:
    """Window and pictures: the window is over the bed if both are on one wall, and otherwise the pictures are."""
    half, side, on_back = p["half"], _SIGN[f["bed_wall"]], f["bed_wall"] == 0
    window, shared = f["window_wall"], f["window_wall"] == f["bed_wall"]
    wall = np.where(shared, np.where(on_back, 1 + f["lamp_side"], 0), f["bed_wall"])
    window_half = 0.52 + 0.26 * f["window_width"]
    return {
        "window_half": window_half, "opening": window_half * (1 - 0.5 * f["curtains"]),
        "window_low": np.where(shared, 1.25, 0.85), "curtain_low": np.where(shared, 1.08, 0.06),
        "window_x": np.where(window == 0, np.where(shared, p["bed_x"], -0.35 * side), _SIGN[window] * half),
        "window_z": np.where(window == 0, 0, np.where(shared, p["bed_z"], 1.3)),
        "window_cos": np.cos(_ANGLE[window]), "window_sin": np.sin(_ANGLE[window]),
        "pictures_x": np.where(wall == 0, np.where(shared, -0.35 * side, p["bed_x"]), _SIGN[wall] * half),
        "pictures_z": np.where(wall == 0, 0, np.where(shared, 1.5, p["bed_z"])),
        "pictures_cos": np.cos(_ANGLE[wall]), "pictures_sin": np.sin(_ANGLE[wall]),
        "picture_half": np.array([0.42, 0.27, 0.2])[f["pictures"]],
        "picture_high": np.array([0.3, 0.32, 0.27])[f["pictures"]],
        "picture_step": np.array([2.0, 0.72, 0.54])[f["pictures"]],
        "picture_last": f["pictures"] / 2,  # steps from the middle of the row to its last picture
    }  # fmt: skip


def _colours(f: Table) -> Table:
    wall, blanket, curtain = (palette(curve, f["palette"], cyclic=True) for curve in (_WALL, _BLANKET, _CURTAIN))
    accent, wood = palette(_ACCENT, f["accent"]), palette(_WOOD, f["wood"])
    return {
        "wall": wall, "curtain": curtain, "accent": accent, "wood": wood,
        "blanket": _mix([0.94, 0.92, 0.88], blanket, 0.15 + 0.85 * f["bedding"]),
        "throw": _mix(accent, [0.95, 0.92, 0.86], 0.7 * f["bedding"]),
        "rug": _mix(accent, [0.93, 0.89, 0.82], 0.45), "ground": _mix(wood, [0.86, 0.78, 0.68], 0.35),
        "art": _mix(wall, blanket, 0.75), "sky": palette(_SKY, f["daylight"]),
        "horizon": palette(_HORIZON, f["daylight"]), "hill": palette(_HILL, f["daylight"]),
    }  # fmt: skip


def _lights(f: Table, signed: Table) -> Table:
    """Colours of the light from everywhere, from the window, from the sun and from the lamp; the sun's direction."""
    day, lamp = f["daylight"], f["lamp"]
    tint = 1 + signed["warmth"][:, None] * [0.06, 0.0, -0.09]
    ambient = (0.8 + 0.12 * day)[:, None] * _mix([0.98, 0.95, 1.02], [1.0, 0.99, 0.98], day)
    window = (0.7 + 2.6 * day)[:, None] * _mix([1.0, 0.86, 0.80], [1.0, 1.0, 1.02], day)
    sun = 0.75 * np.clip(1.6 * day - 0.3, 0, 1)[:, None] * _mix([1.0, 0.72, 0.42], [1.0, 0.93, 0.76], day)
    return {
        "ambient": ambient * tint, "day": window * tint, "sunlight": sun * tint,
        "sun_across": 0.75 * signed["sun"], "sun_down": 0.45 + 0.45 * day,  # metres per metre into the room
        "lamplight": 0.42 * ((0.1 + 0.9 * lamp) * (1.25 - 0.5 * day))[:, None] * [1.0, 0.74, 0.42],
        "shade_glow": 0.25 + 0.7 * lamp, "curtain_glow": 0.25 + 0.3 * day,
    }


def _mix(a: ArrayLike, b: ArrayLike, t: np.ndarray | float) -> np.ndarray:
    return np.asarray(a) + (np.asarray(b) - np.asarray(a)) * np.reshape(t, (-1, 1))


def _draw(p: Numbers, size: int, resolution: int, maps: bool) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
    eye = camera(p.camera_x, p.camera_y, p.camera_z, p.yaw_cos, p.yaw_sin, p.focal, p.shift, size)
    bed = eye.frame(p.bed_x, p.bed_z, p.bed_cos, p.bed_sin)
    stage = _room(p, eye, size, maps)
    _rug(p, stage, bed)
    _contact(p, stage, eye, bed)
    _pictures(p, stage, eye.frame(p.pictures_x, p.pictures_z, p.pictures_cos, p.pictures_sin))
    _window(p, stage, eye, eye.frame(p.window_x, p.window_z, p.window_cos, p.window_sin))
    _plant(p, stage, eye)
    _table(p, stage, bed)
    _bed(p, stage, bed)
    image = _lit(p, stage, eye) + 0.7 * grain(p.grain, size, resolution)[:, None]
    if stage.masks is None:
        return image, (), stage.normal
    x, y, z = unit(stage.normal).unbind(1)
    right, back = eye.world(x, z)
    return image, stage.masks.unbind(1), torch.stack([right, y, back], 1)


class _Stage:
    """What the camera sees: surfaces added one by one, each where it is nearer than what is there, lit at the end.

    ``colour`` and ``normal`` (B, 3, G, G), the latter in the room's coordinates; ``q`` (B, G, G) inverse depth;
    ``glow`` (B, G, G), the share of the colour that shines of itself; ``masks`` (B, 5, G, G) or None.
    """

    masks: Tensor | None = None

    def __init__(self, colour: Tensor, normal: Tensor, q: Tensor, mask: str | None):
        self.colour, self.normal, self.q, self.glow = colour, normal, q, torch.zeros_like(q)
        if mask:
            self.masks = torch.zeros(len(q), len(_MASKS), *q.shape[1:])
            self.masks[:, _MASKS.index(mask)] = 1

    def paint(self, colour: Tensor, cover: Tensor) -> None:
        """Another colour on the surface that is there."""
        self.colour.lerp_(colour.expand_as(self.colour), cover[:, None])

    def label(self, cover: Tensor, mask: str | None) -> None:
        if self.masks is not None:
            self.masks *= 1 - cover[:, None]
            if mask:
                self.masks[:, _MASKS.index(mask)] += cover

    def add(self, colour: Tensor, solid: Solid, mask: str | None, glow: Tensor | float = 0.0) -> None:
        """A solid, where it is in front of what is there."""
        cover, q, normal = solid
        cover = cover.masked_fill(q <= self.q, 0)
        self.paint(colour, cover)
        for place, value in enumerate(normal):
            self.normal[:, place].lerp_(value.expand_as(cover), cover)
        self.q.lerp_(q, cover)
        self.glow.lerp_(torch.as_tensor(glow).expand_as(cover), cover)
        self.label(cover, mask)


def _room(p: Numbers, eye: Frame, size: int, maps: bool) -> _Stage:
    """Walls with a skirting, floor and ceiling: of the planes ahead, a ray meets the nearest."""
    back = eye.dz / -eye.z
    left, right = eye.dx / (-p.half - eye.x), eye.dx / (p.half - eye.x)
    side, wall = torch.maximum(left, right), torch.maximum(back, torch.maximum(left, right))
    level = torch.maximum(eye.dy / -eye.y, eye.dy / (_HEIGHT - eye.y))
    q = torch.maximum(wall, level)
    ahead = outline(back - side, EDGE)
    inward = torch.where(left > right, 1 - ahead, ahead - 1)
    normal = torch.stack([inward, torch.zeros_like(inward), ahead], 1).repeat(1, 1, size, 1)
    stage = _Stage(p.wall.repeat(1, 1, size, size), normal, q, "walls" if maps else None)
    stage.paint(_WHITE, outline(_SKIRTING * wall - eye.y * wall - eye.dy, EDGE))
    upright = outline(wall - level, EDGE)
    down = (eye.dy < 0).float()
    flat = torch.stack([torch.zeros_like(q), (2 * down - 1).expand_as(q), torch.zeros_like(q)], 1)
    stage.paint(torch.where(down[:, None] > 0, p.ground, _CEILING), 1 - upright)
    stage.normal.lerp_(flat, 1 - upright[:, None])
    stage.label((1 - upright) * down, "floor")
    stage.label((1 - upright) * (1 - down), "ceiling")
    return stage


def _rug(p: Numbers, stage: _Stage, bed: Frame) -> None:
    u, w, q = bed.ground()
    there = outline(q - stage.q + 1e-4, EDGE) * p.rug_there
    u, w = (u / p.rug_half).square(), ((w - 1.75 * q) / p.rug_long).square()
    square = (u.square().square() + w.square().square()).sqrt().sqrt().sqrt()
    radius = torch.lerp(square, (u + w).sqrt(), p.rug_round)
    for colour, edge in ((p.rug, 1), (p.accent, 0.9), (p.rug, 0.82)):
        stage.paint(colour, outline(edge * q - radius, EDGE) * there)


def _contact(p: Numbers, stage: _Stage, eye: Frame, bed: Frame) -> None:
    """Soft shade in the room's edges and where furniture stands."""
    x, y, z = eye.at(stage.q)
    shade = torch.full_like(y, 1 / 0.8)  # every point lies on one of the planes
    for distance in (p.half - x.abs(), y, _HEIGHT - y, z):
        _darken(shade, distance, 0.7, 0.2)
    u, v, w = bed.at(stage.q)
    of_bed, of_table = (0.0, p.bed_half, 0.4, _BED_LENGTH / 2, _BED_LENGTH / 2), (p.table, _TABLE, 0.35, 0.24, 0.2)
    for at, wide, high, middle, long in (of_bed, of_table):
        du, dv, dw = (u - at).abs_() - wide, v - high, (w - middle).abs_() - long
        away = du.clamp_(min=0).square_() + dv.clamp_(min=0).square_() + dw.clamp_(min=0).square_()
        _darken(shade, away.sqrt_(), 0.55, 0.45)
    stage.colour *= shade[:, None]


def _darken(shade: Tensor, distance: Tensor, reach: float, amount: float) -> None:
    """Take off ``amount`` where ``distance`` is 0, nothing beyond ``reach`` metres."""
    near = (distance * (-1 / reach)).add_(1).clamp_(min=0).square_()
    shade.addcmul_(shade, near, value=-amount)


def _pictures(p: Numbers, stage: _Stage, wall: Frame) -> None:
    """One, two or three framed pictures in a row."""
    u, v, q = wall.upright()
    v = v - _PICTURES_AT * q
    number = torch.round(u / q.clamp(min=0.02) / p.picture_step - p.picture_last) + p.picture_last
    u = u - number.clamp(-1, 1).maximum(-p.picture_last).minimum(p.picture_last) * p.picture_step * q
    inside = torch.minimum(p.picture_half * q - u.abs(), p.picture_high * q - v.abs())
    stage.paint(p.wood, outline(inside, EDGE))
    stage.paint(_PAPER, outline(inside - 0.035 * q, EDGE))
    art = outline(inside - 0.09 * q, EDGE)
    stage.paint(p.art, art)
    stage.paint(p.accent, art * outline(0.05 * q + 0.35 * u - v, EDGE))  # a hill
    disc = outline(0.07 * q - ((u + 0.06 * q).square() + (v - 0.09 * q).square()).sqrt(), EDGE)
    stage.paint(_PAPER, art * disc)


def _window(p: Numbers, stage: _Stage, eye: Frame, wall: Frame) -> None:
    """Frame, panes with what is outside, sill and curtains."""
    u, v, q = wall.upright()
    middle, high = (p.window_low + _WINDOW_TOP) / 2, (_WINDOW_TOP - p.window_low) / 2
    across, up = u.abs(), (v - middle * q)
    frame = torch.minimum((p.window_half + 0.06) * q - across, (high + 0.06) * q - up.abs())
    stage.paint(_WHITE, outline(frame, EDGE))
    sill = torch.minimum((p.window_half + 0.12) * q - across, 0.03 * q - (up + (high + 0.06) * q).abs())
    stage.paint(_WHITE, outline(sill, EDGE))
    pane = (p.window_half / 2 - 0.025) * q - (across - p.window_half / 2 * q).abs()
    pane = outline(torch.minimum(pane, (high / 2 - 0.025) * q - (up.abs() - high / 2 * q).abs()), EDGE)
    sky = torch.lerp(p.horizon, p.sky, fill(eye.dy - 0.16, 0.5)[:, None])
    bearing = eye.dx / (eye.dz.square() + eye.dx.square()).sqrt()
    ridge = 0.02 * bearing - 0.05 * bearing.square()  # of a distant hill
    stage.paint(torch.lerp(sky, p.hill, fill(ridge - eye.dy, 0.06)[:, None]), pane)
    stage.glow.lerp_(torch.ones_like(pane), pane)
    outer = p.window_half + 0.28
    centre, half = (outer + p.opening) / 2, (outer - p.opening) / 2
    cloth = torch.minimum(half * q - (across - centre * q).abs(), torch.minimum(_ROD * q - v, v - p.curtain_low * q))
    cloth = outline(cloth, EDGE)
    stage.paint(p.curtain, cloth)
    stage.glow.lerp_(p.curtain_glow.expand_as(cloth), cloth)
    phase = (across / q.clamp(min=0.05) - p.opening) / (2 * half)  # 0 at the opening, 1 outside
    step = torch.zeros_like(phase)
    step[..., 1:] = (phase[..., 1:] - phase[..., :-1]).abs()
    tilt = (1 - 9 * step).clamp(0, 1) * torch.sin(6 * np.pi * phase)  # folds too fine for the pixels fade
    for place, value in zip((0, 2), wall.world(tilt, torch.ones_like(tilt)), strict=True):
        stage.normal[:, place].lerp_(value.expand_as(cloth), cloth)
    stage.label(pane * (1 - cloth), "window")


def _bed(p: Numbers, stage: _Stage, frame: Frame) -> None:
    """Headboard, frame, mattress with a turned-down blanket and a throw, two pillows, a cushion."""
    wide, end = p.bed_half, _BED_LENGTH
    stage.add(p.wood, box(frame, (-wide - 0.05, 0.05, 0.0), (wide + 0.05, p.headboard, 0.08), EDGE), "bed")
    stage.add(p.wood * 0.9, box(frame, (-wide, 0.07, 0.05), (wide, 0.34, end), EDGE), "bed")
    solid = box(frame, (-wide - 0.03, 0.24, 0.07), (wide + 0.03, _BED_TOP, end + 0.03), 0.06 * stage.q.shape[-1])
    w = frame.at(solid[1])[2]  # along the bed
    cloth = torch.lerp(_WHITE, p.blanket, outline(w - p.fold - 0.24, EDGE)[:, None])
    cloth = cloth * (1 - 0.10 * outline(w - p.fold, EDGE) * outline(p.fold + 0.24 - w, EDGE))[:, None]
    cloth = torch.lerp(cloth, p.throw, outline(0.25 - (w - end + 0.5).abs(), EDGE)[:, None])
    stage.add(cloth, solid, "bed")
    for u in (-0.49, 0.49):
        stage.add(_PAPER, ellipsoid(frame, (u * wide, _BED_TOP + 0.1, 0.28), (0.45 * wide, 0.2, 0.1), 0.9), "bed")
    cover, q, normal = ellipsoid(frame, (0.0, _BED_TOP + 0.12, 0.47), (0.24, 0.16, 0.09), 0.5)
    stage.add(p.accent, (cover * p.cushion, q, normal), "bed")


def _table(p: Numbers, stage: _Stage, frame: Frame) -> None:
    """The bedside table and its lamp."""
    low, high = (p.table - _TABLE, 0.0, 0.04), (p.table + _TABLE, _TABLE_TOP, 0.42)
    stage.add(p.wood, box(frame, low, high, EDGE), None)
    foot = ellipsoid(frame, (p.table, _TABLE_TOP + 0.13, _LAMP), (0.075, 0.14, 0.075), 0.0)
    stage.add(p.accent, foot, None)
    shade = frustum(frame, p.table, _LAMP, _SHADE_LOW, _SHADE_HIGH, 0.18, 0.12)
    stage.add(_SHADE, shade, None, glow=p.shade_glow)


def _plant(p: Numbers, stage: _Stage, eye: Frame) -> None:
    """A plant in a pot in a corner of the back wall."""
    there, tall = (p.plant > 0).float(), p.plant.clamp(min=0.1)
    for number in range(4):
        angle = torch.tensor(0.6 + number * np.pi / 2)
        frame = eye.frame(p.plant_x, 0.42, angle.cos(), angle.sin())
        lean = (0.3, 0.55)[number % 2]
        middle = (0.0, (0.66 - 0.1 * lean) * tall, (0.06 + 0.3 * lean) * tall)
        cover, q, normal = ellipsoid(frame, middle, (0.12 * tall, 0.42 * tall, 0.06 * tall), -lean)
        stage.add(_LEAF * (1.1, 0.9)[number % 2], (cover * there, q, normal), None)
    cover, q, normal = frustum(frame, 0.0, 0.0, 0.0, 0.34 * tall, 0.13 * tall, 0.18 * tall)
    stage.add(p.throw, (cover * there, q, normal), None)


def _lit(p: Numbers, stage: _Stage, eye: Frame) -> Tensor:
    """Light from everywhere, from the window's area, in the sun's patch, from the lamp; what glows shows as it is."""
    x, y, z = eye.at(stage.q)
    nx, ny, nz = unit(stage.normal).unbind(1)
    out = (x - p.window_x) * p.window_sin + (z - p.window_z) * p.window_cos  # metres from the window's wall
    along = (x - p.window_x) * p.window_cos - (z - p.window_z) * p.window_sin
    middle, high = (p.window_low + _WINDOW_TOP) / 2, (_WINDOW_TOP - p.window_low) / 2
    cosine, square = _towards((p.window_x - x, middle - y, p.window_z - z), (nx, ny, nz), 0.25)
    area = 3.2 * p.opening * high
    day = cosine.mul_(out.clamp(min=0)).mul_(square.rsqrt()).mul_(area).div_(square.add_(1.5))
    # The ray of sunlight through a point came through the window's plane at (u, v).
    u, v = along - p.sun_across * out, y + p.sun_down * out - middle
    sharp = (1 / (0.10 + 0.10 * out)).clamp_(max=10)
    patch = (torch.minimum(p.opening - u.abs(), high - v.abs()) * sharp + 0.5).clamp_(0, 1)
    patch *= (torch.minimum(u.abs(), v.abs()) * sharp + 0.3).clamp_(max=1)  # the cross of the frame
    length = (1 + p.sun_across.square() + p.sun_down.square()).sqrt()
    nu, nw = nx * p.window_cos - nz * p.window_sin, nx * p.window_sin + nz * p.window_cos
    sun = (ny * p.sun_down).addcmul_(nu, -p.sun_across).sub_(nw).clamp_(min=0).mul_(patch).mul_(1 / length)
    lamp_x = p.bed_x + p.table * p.bed_cos + _LAMP * p.bed_sin
    lamp_z = p.bed_z - p.table * p.bed_sin + _LAMP * p.bed_cos
    lamp_y = (_SHADE_LOW + _SHADE_HIGH) / 2
    cosine, square = _towards((lamp_x - x, lamp_y - y, lamp_z - z), (nx, ny, nz), 0.3)
    lamp = cosine.div_(square.add_(0.25).mul_(1.3))
    light = (p.day * day[:, None]).add_(p.ambient)
    light.addcmul_(p.sunlight, sun[:, None]).addcmul_(p.lamplight, lamp[:, None])
    shaded = light.mul_(stage.colour).clamp_(max=1.5)
    shaded = shaded * shaded.square().mul_(-4 / 27).add_(1)  # highlights saturate softly
    return shaded.lerp_(stage.colour, stage.glow[:, None])


def _towards(way: Vector, normal: Vector, wrap: float) -> tuple[Tensor, Tensor]:
    """Lambert's cosine plus ``wrap``, not negative, and the squared distance of a light that is ``way`` from here."""
    square = way[0].square().addcmul_(way[1], way[1]).addcmul_(way[2], way[2])
    cosine = (normal[0] * way[0]).addcmul_(normal[1], way[1]).addcmul_(normal[2], way[2])
    return cosine.mul_(square.rsqrt()).add_(wrap).clamp_(min=0), square


_RENDERER = Renderer("a bedroom", FACTORS, _FREQUENCIES, "palette", Scene, _parameters, _draw, finer=2)
CONTENT = _RENDERER.content_kinds
factors, content, draw, render = _RENDERER.factors, _RENDERER.content, _RENDERER.draw, _RENDERER.render

"""Solids in true perspective: a camera with upright verticals, and what its rays meet.

A camera stands at (x, y, z), x to the right, y up, z from the back wall towards the viewer, and is turned by a yaw
about the vertical; the picture is shifted, not tilted, as with an architect's lens, so that verticals stay upright.
A ray is ``origin + t * direction``, t the depth along the optical axis.  Everything is written in the inverse depth
q = 1 / t, which a plane has as a linear function of the picture's coordinates: outlines of planes and boxes are then
exact polygons, and a ray's horizontal part depends on its column alone, its vertical part on its row.

A solid is ``(cover, q, normal)``: its coverage in [0, 1], the inverse depth of its front, and a normal there (of any
length) in the room's coordinates.  Numbers are (B, 1, 1), pixels (B, G, G), (B, 1, G) or (B, G, 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganfp.worlds.drawing import outline, pixel_grid

EDGE = 2.0  # width of an edge in pixels
_NEAREST = 20.0  # 1 / metres: what is nearer than 5 cm is not seen
_FARTHEST = 0.02

Number = float | Tensor
Vector = tuple[Tensor, Tensor, Tensor]
Solid = tuple[Tensor, Tensor, Vector]


@dataclass
class Frame:
    """The camera (x, y, z) and its rays (dx, dy, dz) in upright coordinates about a point of the floor.

    u lies to the right, v up, w towards the viewer, all turned by an angle with this ``cos`` and ``sin``.  The frame of
    a wall or of a bed's head has its w axis pointing into the room.
    """

    x: Tensor
    y: Tensor
    z: Tensor
    dx: Tensor
    dy: Tensor
    dz: Tensor
    cos: Tensor
    sin: Tensor

    def world(self, u: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """The room's x and z components of a vector with these u and w components; a camera's view of the reverse."""
        return u * self.cos + w * self.sin, w * self.cos - u * self.sin

    def upright(self) -> Vector:
        """Homogeneous coordinates (U, V, q) on the plane w = 0: a ray meets it at u = U / q, v = V / q."""
        q = self.dz / -self.z
        return self.x * q + self.dx, self.y * q + self.dy, q

    def ground(self) -> Vector:
        """Homogeneous coordinates (U, W, q) on the floor: a ray meets it at u = U / q, w = W / q."""
        q = self.dy / -self.y
        return self.x * q + self.dx, self.z * q + self.dz, q

    def at(self, q: Tensor) -> Vector:
        """Where the rays are at inverse depth ``q``."""
        t = 1 / q
        return self.x + self.dx * t, self.y + self.dy * t, self.z + self.dz * t

    def frame(self, x: Number, z: Number, cos: Tensor, sin: Tensor) -> Frame:
        """From the room's own frame, that about (x, 0, z) whose w axis is (sin, 0, cos)."""
        ox, oz = self.x - x, self.z - z
        return Frame(ox * cos - oz * sin, self.y, ox * sin + oz * cos,
                     self.dx * cos - self.dz * sin, self.dy, self.dx * sin + self.dz * cos, cos, sin)  # fmt: skip


def camera(
    x: Tensor, y: Tensor, z: Tensor, cos: Tensor, sin: Tensor, focal: Tensor, shift: Tensor, size: int
) -> Frame:
    """The rays of all pixels in the room's frame, whose turn is the camera's yaw, to the viewer's right.

    ``focal`` and ``shift`` are in half picture widths.
    """
    across, up = pixel_grid(size)
    return Frame(x, y, z, sin + across * (cos / focal), (up - shift) / focal, across * (sin / focal) - cos, cos, sin)


def _slab(origin: Tensor, direction: Tensor, low: Number, high: Number) -> tuple[Tensor, Tensor]:
    """Inverse depths at which rays enter and leave the slab between two parallel planes."""
    a, b = (_away_from_zero(plane - origin) for plane in (low, high))
    first = a.abs() < b.abs()
    within = (a < 0) & (b > 0)
    enter = torch.where(within, _NEAREST, direction / torch.where(first, a, b))
    leave = torch.where(within, torch.maximum(direction / a, direction / b), direction / torch.where(first, b, a))
    return enter, leave


def _away_from_zero(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 1e-3, torch.where(x < 0, -1e-3, 1e-3), x)


def box(frame: Frame, low: tuple[Number, ...], high: tuple[Number, ...], soft: float) -> Solid:
    """The box between two corners (u, v, w) of a frame; its edges are shaded as if rounded, ``soft`` pixels wide."""
    rays = (frame.x, frame.dx), (frame.y, frame.dy), (frame.z, frame.dz)
    slabs = (_slab(*ray, a, b) for ray, a, b in zip(rays, low, high, strict=True))
    (enter_u, leave_u), (enter_v, leave_v), (enter_w, leave_w) = slabs
    side, level = torch.minimum(enter_u, enter_w), enter_v
    beyond, below = torch.maximum(leave_u, leave_w).clamp_(min=0), leave_v.clamp(min=0)
    # A ray enters all slabs before it leaves one.  Columns and rows have outlines of their own: a top at the height
    # of the eye has a very steep q, whose slope must not soften the sides.
    cover = outline(torch.minimum(side - below, level - beyond), EDGE)
    cover = torch.minimum(torch.minimum(cover, outline(side - beyond, EDGE)), outline(level - below, EDGE))
    q = torch.minimum(side, level)
    top = outline(side - level, soft)
    end = outline(enter_u - enter_w, soft)
    x, z = frame.world((end - 1) * torch.sign(frame.dx), end * -torch.sign(frame.dz))
    normal = x - x * top, top * -torch.sign(frame.dy), z - z * top
    return cover, q.clamp_(_FARTHEST, _NEAREST), normal


def ellipsoid(frame: Frame, centre: tuple[Number, ...], axes: tuple[Number, ...], lean: float) -> Solid:
    """An ellipsoid about ``centre`` with half ``axes``; its upper end leans by ``lean`` radians towards -w."""
    cos, sin = math.cos(lean), math.sin(lean)
    uu, second, third = (axis**-2 for axis in axes)
    vv, vw, ww = cos**2 * second + sin**2 * third, cos * sin * (third - second), sin**2 * second + cos**2 * third
    ou, ov, ow = (o - c for o, c in zip((frame.x, frame.y, frame.z), centre, strict=True))
    mu, mv, mw = uu * ou, vv * ov + vw * ow, vw * ov + ww * ow
    du, dv, dw = frame.dx, frame.dy, frame.dz
    a = (uu * du.square() + ww * dw.square()) + vv * dv.square() + (2 * vw * dv) * dw
    b = (mu * du + mw * dw) + mv * dv
    inside, q = _front(a, b, mu * ou + mv * ov + mw * ow - 1)
    # the gradient, times q: constant * q + column + row
    (start_x, start_z), (column_x, column_z) = frame.world(mu, mw), frame.world(uu * du, ww * dw)
    row_x, row_z = frame.world(torch.zeros_like(vw * dv), vw * dv)
    normal = ((column_x + row_x).addcmul_(start_x, q), (vv * dv + vw * dw).addcmul_(mv, q),
              (column_z + row_z).addcmul_(start_z, q))
    return outline(inside, EDGE), q, normal


def frustum(frame: Frame, u: Number, w: Number, low: float, high: float, radius: float, top: float) -> Solid:
    """A cone's upright slice from height ``low``, with ``radius``, to ``high``, with radius ``top``."""
    slope = (top - radius) / (high - low)
    ou, ow = frame.x - u, frame.z - w
    wide = radius + slope * (frame.y - low)
    a = frame.dx.square() + frame.dz.square() - (slope * frame.dy).square()
    b = ou * frame.dx + ow * frame.dz - (slope * wide) * frame.dy
    c = ou.square() + ow.square() - wide.square()
    inside, side = _front(a, b, c)
    enter, leave = _slab(frame.y, frame.dy, low, high)
    back = a / ((b.square() - a * c).clamp_(min=0).sqrt_() - b).clamp_(min=1 / _NEAREST)
    q = torch.minimum(side, enter).clamp(_FARTHEST, _NEAREST)
    depth = q - torch.maximum(back, leave)
    lid = (enter < side) & (frame.dy < 0)
    x, z = frame.world(ou * q + frame.dx, ow * q + frame.dz)
    normal = x.masked_fill(lid, 0), (-slope * (wide * q + slope * frame.dy)).masked_fill(lid, 1), z.masked_fill(lid, 0)
    return torch.minimum(outline(inside, EDGE), outline(depth, EDGE)), q, normal


def _front(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Outline and inverse depth of the first root of a t^2 + 2 b t + c = 0."""
    inside = b.square().addcmul_(a, c, value=-1)
    q = a / inside.clamp(min=0).sqrt_().add_(b).neg_()
    return inside, torch.where(b < 0, q, _FARTHEST).clamp_(_FARTHEST, _NEAREST)

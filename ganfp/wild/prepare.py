"""From an image of any size to squares of the one size that a model knows: never by a resize in silence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ganfp.worlds.files import area_mean
from ganfp.worlds.reader import planes

KINDS = {
    "exact": "only squares of that size",
    "tiles": "cut into squares, whose votes are pooled",
    "centre": "the square in the centre",
    "box": "the centre, reduced by the mean over blocks of whole pixels",
}
TILES = 4


@dataclass(frozen=True)
class Preparation:
    """How images become squares of ``size`` px: one of :data:`KINDS`; ``tiles``: at most so many of an image.

    Only ``box`` changes pixels.  Tiles lie on one grid from the top left corner, so that they all have the phase of
    whatever repeats every 2, 4, 8 ... pixels; where there are more than ``tiles``, these are spread evenly.
    """

    kind: str
    size: int
    tiles: int = TILES

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"preparation must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.size < 1 or self.tiles < 1:
            raise ValueError(f"size and tiles must be 1 or more, not {self.size} and {self.tiles}")

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Preparation":
        """The same from what ``vars`` of it gave; ``ValueError`` or ``TypeError`` for anything else."""
        return cls(str(values["kind"]), int(values["size"]), int(values["tiles"]))

    def check(self, width: int, height: int) -> None:
        """``ValueError`` for a size of which nothing can be made."""
        if self.kind == "exact" and (width, height) != (self.size, self.size):
            wanted = f"not {self.size} x {self.size}, and this model takes no other size"
            raise ValueError(f"is {width} x {height} px, {wanted} (train with --prepare tiles, centre or box)")
        if min(width, height) < self.size:
            raise ValueError(f"is {width} x {height} px, too small for {self.size} px; images are never enlarged")

    def squares(self, image: Image.Image) -> np.ndarray:
        """An image of mode L or RGB -> uint8 (n, 3, size, size), n at most ``tiles``, and 1 but for tiles."""
        self.check(*image.size)
        side = self.size
        if self.kind == "tiles":
            columns = image.width // side
            number = columns * (image.height // side)
            some = min(self.tiles, number)
            chosen = [(2 * i + 1) * number // (2 * some) for i in range(some)]
            corners = [(side * (n % columns), side * (n // columns)) for n in chosen]
        else:
            side *= min(image.size) // self.size if self.kind == "box" else 1
            corners = [((image.width - side) // 2, (image.height - side) // 2)]
        whole = image.size == (side, side)
        parts = [planes(image if whole else image.crop((x, y, x + side, y + side))) for x, y in corners]
        cut = np.stack(parts) if len(parts) > 1 else parts[0][None]
        if side > self.size:
            cut = area_mean(cut, self.size)
        return cut if cut.shape[1] == 3 else cut.repeat(3, axis=1)

    def __str__(self) -> str:
        many = f", at most {self.tiles} of an image" if self.kind == "tiles" else ""
        return f"{self.size} px, {self.kind}: {KINDS[self.kind]}{many}"

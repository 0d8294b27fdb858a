"""Face boxes: from pixels of the picture as it is stored to fractions of the upright one. Pure."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shape:
    """A picture as it is stored: pixels before turning, and EXIF's orientation, 1 to 8."""

    width: int
    height: int
    orientation: int = 1


@dataclass(frozen=True)
class TurnedBox:
    """x1, y1, x2, y2 in fractions of the upright picture, and whether the box had to be cut to it."""

    box: Box
    was_clipped: bool


def turn_box(pixels: Box, shape: Shape) -> TurnedBox | None:
    """`pixels` is left, top, width, height on the stored picture. None for a box with no area inside it."""
    left, top, width, height = pixels
    if shape.width <= 0 or shape.height <= 0:
        return None
    whole = (
        left / shape.width,
        top / shape.height,
        (left + width) / shape.width,
        (top + height) / shape.height,
    )
    inside = (max(whole[0], 0.0), max(whole[1], 0.0), min(whole[2], 1.0), min(whole[3], 1.0))
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    first = turn_point(inside[0], inside[1], shape.orientation)
    second = turn_point(inside[2], inside[3], shape.orientation)
    box = (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[0], second[0]),
        max(first[1], second[1]),
    )
    return TurnedBox(box, was_clipped=inside != whole)


def turn_point(u: float, v: float, orientation: int) -> tuple[float, float]:
    """Where a point of the stored picture lies on the upright one, both in fractions from the top left."""
    return {
        2: (1 - u, v),
        3: (1 - u, 1 - v),
        4: (u, 1 - v),
        5: (v, u),
        6: (1 - v, u),
        7: (1 - v, 1 - u),
        8: (v, 1 - u),
    }.get(orientation, (u, v))

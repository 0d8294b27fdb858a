"""Pictures with text, for tests: Pillow brings a font of its own."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photos.tests.pictures import picture


def written(
    *lines: str, size: int = 40, width: int = 1200, height: int = 800, turned: int = 0, photo: bool = False
) -> Image.Image:
    """Lines of text on paper, or on a colourful photo; turned by degrees against the clock."""
    image = picture(width, height, seed=3) if photo else Image.new("RGB", (width, height), (246, 244, 238))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    for number, line in enumerate(lines):
        place = (width // 10, height // 10 + number * 2 * size)
        draw.text(place, line, font=font, fill=(20, 20, 25), stroke_width=int(photo), stroke_fill="white")
    return image.rotate(turned, expand=True, fillcolor=(246, 244, 238))


def pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert("RGB"))


def png_of(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()

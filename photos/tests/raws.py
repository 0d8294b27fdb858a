"""Camera raw files made by hand: DNG, which is TIFF with the sensor's data."""

import numpy as np

from photos.tests.tiffs import Block, Directory, Entry, tiff

SENSOR = (1280, 960)
RED, GREEN, BLUE = 0, 1, 2


def dng(
    *,
    preview: bytes | None = None,
    width: int = SENSOR[0],
    height: int = SENSOR[1],
    orientation: int = 1,
    packets: tuple[Entry, ...] = (),
) -> bytes:
    """A DNG of an orange field; `preview` is a JPEG in it, `packets` are tags beside its own."""
    sensor = mosaic(width, height)
    main: Directory = [
        (254, 4, (0,) if preview is None else (1,)),
        (271, 2, b"Chitra\0"),
        (272, 2, b"Pinhole 1\0"),
        (274, 3, (orientation,)),
        (306, 2, b"2024:05:01 12:34:56\0"),
        (0xC612, 1, (1, 4, 0, 0)),
        (0xC613, 1, (1, 1, 0, 0)),
        (0xC614, 2, b"Chitra Pinhole 1\0"),
        (0xC621, 10, (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)),
        (0xC628, 5, (1, 1, 1, 1, 1, 1)),
        (0xC65A, 3, (21,)),
        *packets,
    ]
    colours: Directory = [
        (256, 4, (width,)),
        (257, 4, (height,)),
        (258, 3, (16,)),
        (259, 3, (1,)),
        (262, 3, (32803,)),
        (277, 3, (1,)),
        (273, 4, Block(sensor)),
        (278, 4, (height,)),
        (279, 4, (len(sensor),)),
        (33421, 3, (2, 2)),
        (33422, 1, (RED, GREEN, GREEN, BLUE)),
        (0xC61D, 4, (65535,)),
    ]
    if preview is None:
        return tiff([*main, *colours])
    stamp: Directory = [
        (256, 4, (800,)),
        (257, 4, (600,)),
        (258, 3, (8, 8, 8)),
        (259, 3, (7,)),
        (262, 3, (6,)),
        (277, 3, (3,)),
        (273, 4, Block(preview)),
        (278, 4, (600,)),
        (279, 4, (len(preview),)),
    ]
    return tiff([*main, *stamp, (330, 4, [[(254, 4, (0,)), *colours]])])


def mosaic(width: int, height: int) -> bytes:
    """16-bit RGGB of an even orange."""
    pixels = np.zeros((height, width), "<u2")
    pixels[0::2, 0::2] = 40_000
    pixels[0::2, 1::2] = pixels[1::2, 0::2] = 20_000
    pixels[1::2, 1::2] = 5_000
    return pixels.tobytes()

"""Video files made for tests: a white square moves over four colours, and there is a tone."""

import io
import struct
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

RATE = 25


@cache
def film(
    format: str = "mp4",
    *,
    video: str = "libx264",
    audio: str | None = "aac",
    seconds: float = 1.0,
    width: int = 320,
    height: int = 240,
    pix_fmt: str = "yuv420p",
    tags: tuple[tuple[str, str], ...] = (),
    black_seconds: float = 0.0,
    turn: int = 0,
) -> bytes:
    """A film of FFmpeg's `format` and codecs; `audio` None is silent, `turn` in degrees."""
    buffer = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if format in ("mp4", "mov") else {}
    with av.open(buffer, "w", format=format, container_options=options) as container:
        container.metadata.update(dict(tags))
        pictures: Any = container.add_stream(video, rate=RATE)
        pictures.width, pictures.height, pictures.pix_fmt = width, height, pix_fmt
        if turn:
            pictures.set_display_rotation(turn)
        sound: Any = container.add_stream(audio, rate=48000) if audio else None
        if sound is not None:
            sound.layout = "stereo"
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame.from_ndarray(_pixels(number, width, height, number < black_seconds * RATE))
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(pictures.encode(frame.reformat(format=pix_fmt)))
        container.mux(pictures.encode(None))
        if sound is not None:
            _add_tone(container, sound, seconds)
    return buffer.getvalue()


def _pixels(number: int, width: int, height: int, is_black: bool) -> np.ndarray[Any, Any]:
    pixels = np.zeros((height, width, 3), np.uint8)
    if not is_black:
        pixels[: height // 2, : width // 2] = (220, 30, 30)
        pixels[: height // 2, width // 2 :] = (30, 200, 30)
        pixels[height // 2 :, : width // 2] = (30, 30, 220)
        pixels[height // 2 :, width // 2 :] = (240, 240, 60)
        left = (number * 4) % max(1, width - 20)
        pixels[height // 3 : height // 3 + 20, left : left + 20] = 255
    return pixels


def _add_tone(container: Any, sound: Any, seconds: float) -> None:
    count = round(48000 * seconds)
    tone = (np.sin(np.arange(count) * 2 * np.pi * 440 / 48000) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2).reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate, frame.pts = 48000, 0
    fifo = av.AudioFifo()
    resampler = av.AudioResampler(format=sound.format, layout="stereo", rate=48000)
    for part in resampler.resample(frame):
        fifo.write(part)
    size = sound.codec_context.frame_size or 1024
    while portion := fifo.read(size, partial=True):
        container.mux(sound.encode(portion))
    container.mux(sound.encode(None))


def sound_only(format: str = "mp4") -> bytes:
    """A container with a tone and no pictures."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=format) as container:
        sound: Any = container.add_stream("aac", rate=48000)
        sound.layout = "stereo"
        _add_tone(container, sound, 1.0)
    return buffer.getvalue()


def no_streams() -> bytes:
    """An MP4 that says how long it is and has nothing in it."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = struct.pack(">IIIIIIH10x36s24xI", 0, 0, 0, 1000, 0, 0x10000, 0x100, matrix, 1)
    boxes = (b"ftyp", b"isom\0\0\0\0isom"), (b"moov", _box(b"mvhd", head)), (b"mdat", bytes(100))
    return b"".join(_box(name, content) for name, content in boxes)


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content

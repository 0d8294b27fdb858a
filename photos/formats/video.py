"""Videos: what a file says about itself, a frame to show for it, and whether browsers play it as it is.

FFmpeg's demuxer is told by the content's type and never guessed, so a playlist or script that poses as a
video opens nothing, and only the file itself is read.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photos.formats import filetypes
from photos.formats.filetypes import FileType
from photos.formats.film_tags import FilmTags, tags_of
from photos.formats.imaging import UndecodableImage, check_pixels

if TYPE_CHECKING:
    import numpy as np

_DEMUXERS = {
    filetypes.MP4: "mov",
    filetypes.M4V: "mov",
    filetypes.MOV: "mov",
    filetypes.WEBM: "matroska",
    filetypes.MKV: "matroska",
    filetypes.AVI: "avi",
}
OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0", "probesize": "5000000", "export_xmp": "1"}
POSTER_PLACES = (0.1, 0.3, 0.5, 0.0)
"""Fractions of the duration at which a poster is looked for, the first one that is not all of one colour."""
LATEST_FIRST_POSTER_SECONDS = 3.0
UNKNOWN_CODING = "the video is in a coding that FFmpeg does not know"
_LEAST_CONTRAST = 6.0  # standard deviation of 0 to 255; fades from black have less
_MOST_PACKETS_TO_A_FRAME = 500
_MOST_DARK_FRAMES = 75
_MOST_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class VideoFacts:
    """What a video is. Width and height are those shown: turned upright, with square pixels."""

    width: int = 0
    height: int = 0
    duration_seconds: float | None = None
    frames_per_second: float | None = None
    video_codec: str = ""
    audio_codec: str = ""
    plays_as_is: bool = False
    """Every browser plays the file."""
    is_plain_h264: bool = False
    """Pictures and sound fit an MP4 for browsers as they are: at most the container has to be another one."""
    tags: FilmTags = field(default_factory=FilmTags)
    problem: str = ""
    """Why there is no frame to show."""


@contextmanager
def open_video(path: Path, kind: FileType) -> Iterator[Any]:
    """FFmpeg's container. Raises UndecodableImage for what it cannot open or read in the block."""
    import av

    # Silent: a message from one of its threads would wait for Python, and Python for that thread.
    av.logging.set_level(None)
    try:
        with av.open(
            f"file:{path}", format=_DEMUXERS[kind], options=OPTIONS, metadata_errors="replace"
        ) as container:
            yield container
    except (av.error.FFmpegError, EOFError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise UndecodableImage(f"the video cannot be decoded ({describe(error)})") from error


def describe(error: BaseException) -> str:
    """FFmpeg's words without paths."""
    return (getattr(error, "strerror", "") or type(error).__name__)[:200]


def read_facts(path: Path, kind: FileType) -> VideoFacts:
    """What the container says; nothing is decoded. Raises UndecodableImage when it cannot be read."""
    with open_video(path, kind) as container:
        return facts_of(container, kind)


def read_poster(
    path: Path, kind: FileType, max_pixels: int
) -> "tuple[VideoFacts, np.ndarray[Any, Any] | None]":
    """Facts and an upright frame, height x width x 3 uint8; None for a video without pictures in it."""
    with open_video(path, kind) as container:
        facts = facts_of(container, kind)
        if not container.streams.video:
            return replace(facts, problem="the file has no video in it, only sound or nothing"), None
        stream = container.streams.video[0]
        if not has_decoder(stream):
            return replace(facts, problem=UNKNOWN_CODING), None
        check_pixels(stream.width or 0, stream.height or 0, max_pixels)
        stream.thread_type = "AUTO"
        frame = _poster_frame(container, stream, facts.duration_seconds or 0.0)
        if frame is None:
            return replace(facts, problem="no frame of the video can be decoded"), None
        pixels = _as_rgb(frame, max_pixels)
        height, width = pixels.shape[:2]
        return replace(facts, width=width, height=height), pixels


def facts_of(container: Any, kind: FileType) -> VideoFacts:
    """Everything that the headers tell."""
    pictures = next(iter(container.streams.video), None)
    known = pictures if has_decoder(pictures) else None  # of others FFmpeg tells neither size nor colours
    sound = next(iter(container.streams.audio), None)
    video_codec = _codec(pictures)
    audio_codec = _codec(sound)
    is_plain = known is not None and (known.codec_context.pix_fmt or "yuv420p") in ("yuv420p", "yuvj420p")
    fits_mp4 = is_plain and video_codec == "h264" and audio_codec in ("", "aac", "mp3")
    fits_webm = is_plain and video_codec in ("vp8", "vp9", "av1") and audio_codec in ("", "opus", "vorbis")
    plays = (fits_mp4 and kind in (filetypes.MP4, filetypes.M4V)) or (fits_webm and kind == filetypes.WEBM)
    rate = pictures.average_rate if pictures is not None else None
    return VideoFacts(
        width=(known.width or 0) if known is not None else 0,
        height=(known.height or 0) if known is not None else 0,
        duration_seconds=_duration(container, pictures),
        frames_per_second=float(rate) if rate else None,
        video_codec=video_codec,
        audio_codec=audio_codec,
        plays_as_is=plays,
        is_plain_h264=fits_mp4,
        tags=tags_of(container.metadata),
    )


def _codec(stream: Any) -> str:
    """FFmpeg's name of the coding; "" for none, "unknown" for one that it does not know."""
    if stream is None:
        return ""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None and context.codec is not None else "unknown"


def has_decoder(stream: Any) -> bool:
    """Whether there is such a stream, in a coding that FFmpeg knows."""
    return _codec(stream) not in ("", "unknown")


def _duration(container: Any, stream: Any) -> float | None:
    import av

    seconds = container.duration / av.time_base if container.duration else None
    if seconds is None and stream is not None and stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    is_possible = seconds is not None and math.isfinite(seconds) and 0 <= seconds <= _MOST_SECONDS
    return round(seconds, 3) if is_possible and seconds is not None else None


def _poster_frame(container: Any, stream: Any, duration: float) -> Any:
    """The first frame of POSTER_PLACES that shows something, else the first that can be decoded."""
    import av

    fallback = None
    for number, place in enumerate(POSTER_PLACES):
        seconds = duration * place
        if number == 0:
            seconds = min(seconds, LATEST_FIRST_POSTER_SECONDS)
        try:
            container.seek(int(seconds * av.time_base), backward=True)
            for frame in islice(_frames(container, stream), _MOST_DARK_FRAMES):
                if _contrast(frame) >= _LEAST_CONTRAST:
                    return frame
                fallback = fallback or frame
        except av.error.FFmpegError:
            continue
    return fallback


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Frames from here; damaged packets are passed over, but not for ever."""
    import av

    without_frame = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            frames = []
        yield from frames
        without_frame = 0 if frames else without_frame + 1
        if without_frame >= _MOST_PACKETS_TO_A_FRAME:
            return


def _contrast(frame: Any) -> float:
    small = frame.reformat(width=32, height=32, format="gray")
    return float(small.to_ndarray().std())


def _as_rgb(frame: Any, max_pixels: int) -> "np.ndarray[Any, Any]":
    """Upright pixels, square ones."""
    import numpy as np

    check_pixels(frame.width, frame.height, max_pixels)
    width = frame.width
    aspect = frame.sample_aspect_ratio if hasattr(frame, "sample_aspect_ratio") else None
    if aspect and 0.1 < float(aspect) < 10:
        width = max(1, round(width * float(aspect)))
        check_pixels(width, frame.height, max_pixels)
    pixels = frame.reformat(width=width, height=frame.height, format="rgb24").to_ndarray()
    # The display matrix counts anticlockwise, as numpy does.
    return np.ascontiguousarray(np.rot90(pixels, int(frame.rotation or 0) // 90 % 4))

"""A video that every browser plays: H.264 and AAC in an MP4, made from any other one.

Streams that are fine already are copied, not encoded again. Pictures become at most 1920 pixels a side.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from photos.formats.filetypes import FileType
from photos.formats.imaging import UndecodableImage
from photos.formats.video import UNKNOWN_CODING, describe, facts_of, has_decoder, open_video

LONGEST_SIDE = 1920
MOST_FRAMES_PER_SECOND = 60
_VIDEO_OPTIONS = {"preset": "veryfast", "crf": "23", "profile": "high"}
_SOUND_RATE = 48_000
_SOUND_BITS = 128_000
_SOUND_FRAME = 1024  # samples that AAC takes at a time
_MOST_WAITING_SOUNDS = 5000
_KEYFRAME_SECONDS = 2
# The index in front, so that playing starts before the whole is there.
_CONTAINER_OPTIONS = {"movflags": "+faststart"}
_TURNS = {1: "cclock", 2: "180", 3: "clock"}


def make_playable(source: Path, target: Path, kind: FileType) -> None:
    """Write an MP4 to `target`. Raises UndecodableImage for a video without pictures or a broken one."""
    import av

    with open_video(source, kind) as container:
        if not container.streams.video:
            raise UndecodableImage("the file has no video in it, only sound or nothing")
        if not has_decoder(container.streams.video[0]):
            raise UndecodableImage(UNKNOWN_CODING)
        facts = facts_of(container, kind)
        try:
            with av.open(f"file:{target}", "w", format="mp4", options=_CONTAINER_OPTIONS) as made:
                if facts.is_plain_h264:
                    _copy(container, made)
                else:
                    _Encoding(container, made).run()
        except (av.error.FFmpegError, ValueError, ZeroDivisionError) as error:
            raise UndecodableImage(f"the video cannot be converted ({describe(error)})") from error


def _copy(container: Any, made: Any) -> None:
    sources = [container.streams.video[0], *container.streams.audio[:1]]
    targets = {stream.index: made.add_stream_from_template(stream) for stream in sources}
    for packet in container.demux(sources):
        if packet.dts is None:  # the empty packet that ends a stream
            continue
        packet.stream = targets[packet.stream.index]
        made.mux(packet)


class _Encoding:
    """Pictures through a filter graph to x264, sound through a resampler to AAC."""

    def __init__(self, container: Any, made: Any) -> None:
        self._container = container
        self._made = made
        self._source = container.streams.video[0]
        self._source.thread_type = "AUTO"
        self._sound = next(iter(container.streams.audio), None)
        self._picture_out: Any = None
        self._sound_out: Any = None
        self._graph: Any = None
        self._sound_graph: Any = None
        self._last_pts = -1

    def run(self) -> None:
        import av

        # A container wants all its streams before the first packet, and pictures need a frame to know theirs.
        waiting: list[Any] = []
        for packet in self._container.demux(self._wanted()):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue  # a damaged packet costs its frames, not the film
            for frame in frames:
                is_picture = isinstance(frame, av.VideoFrame)
                if self._picture_out is None and not is_picture:
                    waiting.append(frame)
                    if len(waiting) > _MOST_WAITING_SOUNDS:
                        raise UndecodableImage("no frame of the video can be decoded")
                elif is_picture:
                    self._encode_picture(frame)
                    for sound in waiting:
                        self._encode_sound(sound)
                    waiting.clear()
                else:
                    self._encode_sound(frame)
        if self._picture_out is None:
            raise UndecodableImage("no frame of the video can be decoded")
        self._finish()

    def _wanted(self) -> list[Any]:
        return [self._source, self._sound] if has_decoder(self._sound) else [self._source]

    def _add_sound(self) -> None:
        if not has_decoder(self._sound):
            return
        self._sound_out = self._made.add_stream("aac", rate=_SOUND_RATE, layout="stereo")
        self._sound_out.bit_rate = _SOUND_BITS
        self._sound_graph = _sound_graph(self._sound)

    def _add_pictures(self, frame: Any) -> None:
        rate = self._source.average_rate or Fraction(30)
        rate = min(max(rate, Fraction(1)), Fraction(MOST_FRAMES_PER_SECOND))
        self._graph = _graph(frame, self._source)
        stream = self._made.add_stream("libx264", rate=rate, options=_VIDEO_OPTIONS)
        stream.width, stream.height = _shown_size(frame)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        stream.codec_context.gop_size = round(rate * _KEYFRAME_SECONDS)
        self._picture_out = stream
        self._add_sound()

    def _encode_picture(self, frame: Any) -> None:
        if self._picture_out is None:
            self._add_pictures(frame)
        self._graph.push(frame)
        self._drain()

    def _drain(self) -> None:
        for frame in _pulled(self._graph):
            seconds = frame.pts * frame.time_base if frame.pts is not None else None
            # Frames without a time follow the one before; none goes back in time.
            pts = int(seconds * 90_000) if seconds is not None else self._last_pts + 3000
            if pts <= self._last_pts:
                continue
            frame.pts, frame.time_base, self._last_pts = pts, Fraction(1, 90_000), pts
            frame.pict_type = 0
            self._made.mux(self._picture_out.encode(frame))

    def _encode_sound(self, frame: Any) -> None:
        if self._sound_graph is not None:
            self._sound_graph.push(frame)
            for part in _pulled(self._sound_graph):
                self._made.mux(self._sound_out.encode(part))

    def _finish(self) -> None:
        self._graph.push(None)
        self._drain()
        self._made.mux(self._picture_out.encode(None))
        if self._sound_out is not None:
            self._encode_sound(None)
            self._made.mux(self._sound_out.encode(None))


def _pulled(graph: Any) -> Iterator[Any]:
    """What a filter graph gives out now."""
    import av

    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _sound_graph(stream: Any) -> Any:
    """Stereo at one rate, silence where there are gaps, in the portions that AAC takes."""
    import av

    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_abuffer(template=stream),
        graph.add("aresample", f"{_SOUND_RATE}:async=1"),
        graph.add("aformat", f"sample_fmts=fltp:sample_rates={_SOUND_RATE}:channel_layouts=stereo"),
        graph.add("asetnsamples", f"{_SOUND_FRAME}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _graph(frame: Any, stream: Any) -> Any:
    """Scale to square pixels, turn upright, and 8-bit 4:2:0 in the colours of HDTV."""
    import av

    width, height = _shown_size(frame, turned=False)
    graph = av.filter.Graph()
    nodes = [
        graph.add_buffer(template=stream, time_base=stream.time_base),
        graph.add("scale", f"{width}:{height}:flags=bicubic:out_color_matrix=bt709:out_range=tv"),
    ]
    turn = int(frame.rotation or 0) // 90 % 4
    if turn == 2:
        nodes += [graph.add("hflip"), graph.add("vflip")]
    elif turn:
        nodes.append(graph.add("transpose", _TURNS[turn]))
    nodes += [
        graph.add("format", "yuv420p"),
        graph.add("setsar", "1"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph


def _shown_size(frame: Any, *, turned: bool = True) -> tuple[int, int]:
    """Even width and height, at most LONGEST_SIDE; as shown, or as stored without the turn."""
    aspect = float(frame.sample_aspect_ratio or 1) if hasattr(frame, "sample_aspect_ratio") else 1.0
    width = frame.width * (aspect if 0.1 < aspect < 10 else 1.0)
    scale = min(1.0, LONGEST_SIDE / max(width, frame.height))
    size = (max(2, round(width * scale / 2) * 2), max(2, round(frame.height * scale / 2) * 2))
    is_sideways = turned and int(frame.rotation or 0) // 90 % 2 == 1
    return (size[1], size[0]) if is_sideways else size

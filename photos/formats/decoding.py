"""Decoders, run where they harm nobody: in this worker's child process, with the limits of the settings."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.conf import settings

from photos.formats.imaging import UndecodableImage
from photos.formats.isolation import Crashed, TookTooLong, isolation

P = ParamSpec("P")
T = TypeVar("T")

CONVERTER_NICENESS = 10


def decode(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` makes of a file. Raises UndecodableImage also when the file brings the decoder down."""
    return _isolated(function, settings.DECODE_SECONDS, 0, *args, **kwargs)


def convert(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what may take hours, at a low priority and in a child of its own."""
    return _isolated(function, settings.PLAYBACK_SECONDS, CONVERTER_NICENESS, *args, **kwargs)


def _isolated(
    function: Callable[P, T], seconds: int, niceness: int, /, *args: P.args, **kwargs: P.kwargs
) -> T:
    child = isolation(memory_bytes=settings.DECODE_MEMORY_BYTES, niceness=niceness)
    try:
        return child.call(function, seconds, *args, **kwargs)
    except (Crashed, TookTooLong) as error:
        raise UndecodableImage(f"the file cannot be decoded: {error}") from None
    except MemoryError:
        megabytes = settings.DECODE_MEMORY_BYTES >> 20
        raise UndecodableImage(
            f"the file cannot be decoded in {megabytes} MB; CHITRA_DECODE_MEMORY_MB raises the limit"
        ) from None

"""The step that makes films playable in every browser, on demand of the renditions."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from django.core.files import File

from jobs.steps import StepResult
from photos.formats import playback
from photos.formats.clips import Clip, find_clip
from photos.formats.decoding import convert
from photos.formats.filetypes import HEAD_BYTES, sniff
from photos.formats.imaging import UndecodableImage
from photos.models import Photo
from photos.storages import local_path, originals, renditions

PLAYBACK_VERSION = "1"
ORIGINAL_MISSING = "The original is not in the storage. Check the storage, then retry."


def make_playbacks(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """An MP4 of each of these videos and motion photos."""
    return {photo.pk: make_playback_of(photo) for photo in Photo.objects.filter(pk__in=photo_ids)}


def make_playback_of(photo: Photo) -> StepResult:
    """The object first, then the row that says it is there."""
    if photo.playback_status == Photo.Playback.NOT_NEEDED:
        return StepResult.skipped("Browsers play this video as it is.")
    try:
        with local_path(originals(), photo.original_key) as path, tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "playback.mp4")
            make(path, target)
            key = photo.rendition_key("playback")
            with target.open("rb") as file:
                renditions().save(key, File(file, name=key))
    except FileNotFoundError:
        return settle(photo, StepResult.failed(ORIGINAL_MISSING))
    except UndecodableImage as error:
        return settle(photo, StepResult.failed(str(error)))
    return settle(photo, StepResult.done())


def settle(photo: Photo, result: StepResult) -> StepResult:
    """Write down whether the film can be played."""
    is_done = result.status == "done"
    photo.playback_status = Photo.Playback.READY if is_done else Photo.Playback.FAILED
    photo.save(update_fields=["playback_status"])
    return result


def make(path: Path, target: Path) -> None:
    """Convert a video, or the film inside a photo. Raises UndecodableImage."""
    with path.open("rb", buffering=0) as file:
        kind = sniff(file.read(HEAD_BYTES))
        clip = find_clip(file, kind) if kind is not None and kind.family == "image" else None
    if kind is None or (kind.family != "video" and clip is None):
        raise UndecodableImage("there is no film in the file")
    if clip is None:
        convert(playback.make_playable, path, target, kind)
        return
    with tempfile.NamedTemporaryFile(prefix="chitra-") as film:
        copy_clip(path, clip, Path(film.name))
        inner = sniff(Path(film.name).read_bytes()[:HEAD_BYTES])
        assert inner is not None  # find_clip has looked
        convert(playback.make_playable, Path(film.name), target, inner)


def copy_clip(path: Path, clip: Clip, target: Path) -> None:
    """The film's bytes as a file of its own."""
    left = clip.size
    with path.open("rb") as source, closing(target.open("wb")) as copy:
        source.seek(clip.offset)
        while left and (data := source.read(min(left, 1 << 20))):
            copy.write(data)
            left -= len(data)

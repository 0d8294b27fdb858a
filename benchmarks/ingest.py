"""What Chitra adds to the work itself: ingest beside a plain write, steps beside the libraries they use.

`.venv/bin/python benchmarks/ingest.py [--photos 30] [--encoder-photos 48] [--only-ingest]`

Each pair is timed in turns on the same bytes and given as a ratio of medians, which a busy machine spoils
little.
"""

import argparse
import io
import itertools
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import stage

if TYPE_CHECKING:
    import numpy as np

    from photos.models import Library, Photo
    from search.encoders import Choice, Encoder

MEGABYTES = (0.3, 3, 12)
RENDITION_ROUNDS = 10
FOLDER_ROUNDS = 5
BATCH = 16
Row = list[str]
_lengths = itertools.count()


def pixels(width: int, height: int, seed: int) -> "np.ndarray[Any, Any]":
    """A picture with shapes and some noise, so that it compresses about as a photo does."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    noise = random.integers(-9, 10, (height, width, 1))
    noisy: np.ndarray[Any, Any] = np.clip(smooth + noise, 0, 255).astype(np.uint8)
    return noisy


def jpeg(width: int, height: int, *, seed: int = 0, quality: int = 88) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels(width, height, seed)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def variants(picture: bytes, megabytes: float, count: int) -> list[bytes]:
    """Different files of about this size: a JPEG's bytes after its end mark belong to nobody.

    No two are equally long, as of a camera: a file with the size of a known one is hashed before it is read.
    """
    padding = max(0, int(megabytes * 1_000_000) - len(picture) - 16)
    return [picture + bytes(padding + next(_lengths)) + uuid.uuid4().bytes for _ in range(count)]


def row(title: str, unit: str, base: float, ours: float, target: float) -> Row:
    """Seconds of the baseline and of Chitra as milliseconds, and how much of the baseline's rate is left."""
    return [title, unit, f"{1000 * base:.1f}", f"{1000 * ours:.1f}", f"{base / ours:.0%}", f"{target:.0%}"]


def ingest_rows(library: "Library", count: int) -> Iterator[Row]:
    """One acknowledged file at a time beside `storage.save` of the same bytes, both with fsync."""
    from django.core.files.base import ContentFile

    from photos.services import ingest
    from photos.storages import originals

    picture = jpeg(640, 480)
    for megabytes in MEGABYTES:
        files = variants(picture, megabytes, count + 2)

        def plain(number: int, files: Sequence[bytes] = files) -> None:
            name = uuid.uuid4().hex
            originals().save(f"plain/{name[:2]}/{name}.jpg", ContentFile(files[number]))

        def acknowledged(number: int, files: Sequence[bytes] = files) -> None:
            ingest(library=library, stream=io.BytesIO(files[number]), name=f"{number}.jpg")

        for warm_up in (count, count + 1):
            plain(warm_up)
            acknowledged(warm_up)
        seconds = stage.interleaved({"plain": plain, "chitra": acknowledged}, count)
        yield row(f"ingest, {megabytes} MB", "file", seconds["plain"], seconds["chitra"], 0.5)


def folder_rows(library: "Library", directory: Path, files: int) -> Iterator[Row]:
    """A folder imported beside `storage.save` of as many files on as many threads, both with fsync."""
    from django.core.files import File

    from photos.importing import import_folder
    from photos.services import THREADS
    from photos.storages import originals

    picture = jpeg(640, 480)
    for megabytes, count in zip(MEGABYTES, (4 * files, files, files), strict=True):
        folders = [directory / f"{megabytes}-{number}" for number in range(FOLDER_ROUNDS + 1)]
        for folder in folders:
            folder.mkdir()
            for number, data in enumerate(variants(picture, megabytes, count)):
                (folder / f"{number}.jpg").write_bytes(data)
        os.sync()

        def save(path: Path) -> None:
            name = uuid.uuid4().hex
            with path.open("rb") as file:
                originals().save(f"plain/{name[:2]}/{name}.jpg", File(file))

        def plain(number: int, folders: Sequence[Path] = folders) -> None:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(save, sorted(folders[number].iterdir())))

        def imported(number: int, folders: Sequence[Path] = folders) -> None:
            report = import_folder(library=library, root=folders[number])
            if report.imported != report.seen:
                raise RuntimeError(report.summary())

        plain(FOLDER_ROUNDS)
        imported(FOLDER_ROUNDS)
        seconds = stage.interleaved({"plain": plain, "chitra": imported}, FOLDER_ROUNDS)
        for folder in folders:
            shutil.rmtree(folder)
        title = f"folder, {count} x {megabytes} MB"
        yield row(title, "file", seconds["plain"] / count, seconds["chitra"] / count, 0.5)


def rendition_row(library: "Library") -> Row:
    """The step on 12-megapixel photos beside libvips making the same two files in memory."""
    from django.conf import settings

    from photos.formats.imaging import PREVIEW_PIXELS, THUMBNAIL_PIXELS, libvips
    from photos.services import ingest
    from photos.steps import make_renditions
    from photos.storages import local_path, originals

    vips = libvips()
    webp = {"Q": 80, "effort": 1, "keep": "none"}
    photos = [
        ingest(library=library, stream=io.BytesIO(jpeg(4000, 3000, seed=seed)), name=f"{seed}.jpg").photo
        for seed in range(4)
    ]

    def alone(number: int) -> None:
        with local_path(originals(), photos[number % 4].original_key) as path:
            preview = vips.Image.thumbnail(
                str(path), PREVIEW_PIXELS, height=PREVIEW_PIXELS, size="down"
            ).copy_memory()
            preview.webpsave_buffer(**webp)
            preview.thumbnail_image(THUMBNAIL_PIXELS, height=THUMBNAIL_PIXELS).webpsave_buffer(**webp)

    def step(number: int) -> None:
        (result,) = make_renditions([photos[number % 4].pk]).values()
        if result.status != "done":
            raise RuntimeError(result.reason)

    assert settings.MAX_PIXELS >= 12_000_000
    alone(0)
    step(0)
    seconds = stage.interleaved({"vips": alone, "step": step}, RENDITION_ROUNDS)
    return row("renditions, 12 MP", "photo", seconds["vips"], seconds["step"], 0.75)


def with_thumbnails(library: "Library", count: int) -> "list[Photo]":
    """Photos whose renditions are made, for the encoder to read."""
    from photos.services import ingest
    from photos.steps import make_renditions

    photos = [
        ingest(library=library, stream=io.BytesIO(jpeg(1200, 900, seed=100 + seed)), name=f"{seed}.jpg").photo
        for seed in range(count)
    ]
    make_renditions([photo.pk for photo in photos])
    for photo in photos:
        photo.refresh_from_db()
    return photos


def embedding_row(title: str, photos: "Sequence[Photo]", choice: "Choice", encoder: "Encoder") -> Row:
    """The step (read, decode, resize, encode, write) beside the encoder alone on ready tensors."""
    import torch

    from search import encoders, services, steps

    ready = torch.stack([encoder.preprocess(image) for image in services.read_thumbnails(photos[:BATCH])])
    batches = [photos[start : start + BATCH] for start in range(0, len(photos), BATCH)]

    def alone(number: int) -> None:
        encoder.encode_tensors(ready)

    def step(number: int) -> None:
        results = steps.embed_photos([photo.pk for photo in batches[number % len(batches)]])
        if any(result.status != "done" for result in results.values()):
            raise RuntimeError(str(results))

    with in_use(choice, encoder, encoders, services):
        alone(0)
        step(0)
        seconds = stage.interleaved({"encoder": alone, "step": step}, 2 * len(batches))
    return row(title, f"{BATCH} photos", seconds["encoder"], seconds["step"], 0.75)


@contextmanager
def in_use(choice: "Choice", encoder: "Encoder", encoders: Any, services: Any) -> Iterator[None]:
    """Have the step find this encoder: the product offers no weights drawn at random."""
    chosen, loaded = services.encoder_choice, encoders.load
    services.encoder_choice = lambda: choice
    encoders.load = lambda *arguments, **options: encoder
    try:
        yield
    finally:
        services.encoder_choice, encoders.load = chosen, loaded


def random_clip(state_dir: Path) -> "tuple[Choice, Encoder]":
    """ViT-B-32 with weights drawn at random: as much work as trained ones."""
    from search import torchvision_operators
    from search.encoders import Choice

    torchvision_operators.ensure()
    import open_clip
    import torch

    from search.clip import ClipEncoder, _preprocessing
    from search.tensors import computes_in_bfloat16

    has_bfloat16 = computes_in_bfloat16()
    model, _, transform = open_clip.create_model_and_transforms(
        "ViT-B-32", pretrained=None, precision="pure_bf16" if has_bfloat16 else "fp32"
    )
    model.eval()
    choice = Choice(
        kind="open_clip",
        version="random-ViT-B-32",
        dimensions=512,
        label="random",
        reason="",
        min_score=0.0,
        model="ViT-B-32",
        pretrained="",
        weights=None,
        state_dir=state_dir,
    )
    encoder: Any = ClipEncoder(
        choice,
        model=model,
        tokenizer=lambda texts: torch.zeros(0),
        preprocess=_preprocessing(model.visual.preprocess_cfg, transform),
        dtype=torch.bfloat16 if has_bfloat16 else torch.float32,
    )
    return choice, encoder


def timed(what: str, function: Callable[[], Any]) -> Any:
    """Call it and say how long it took."""
    started = time.perf_counter()
    result = function()
    stage.console.print(f"{what}: {time.perf_counter() - started:.0f} s", style="dim")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=30, help="files of each size")
    parser.add_argument("--encoder-photos", type=int, default=48)
    parser.add_argument("--only-ingest", action="store_true", help="leave renditions and encoders out")
    options = parser.parse_args()
    with stage.own_chitra() as directory:
        from photos.models import Library

        library = Library.objects.create(name="Photos")
        rows = timed("ingest", lambda: list(ingest_rows(library, options.photos)))
        rows += timed("folders", lambda: list(folder_rows(library, directory, options.photos)))
        if not options.only_ingest:
            rows += step_rows(library, directory, options.encoder_photos)
    stage.print_table(
        "Chitra beside the work alone, in turns (higher is better)",
        ["", "of", "alone ms", "Chitra ms", "ratio", "target"],
        rows,
    )


def step_rows(library: "Library", directory: Path, encoder_photos: int) -> Iterator[Row]:
    """Renditions and embeddings beside the libraries they use."""
    from django.conf import settings

    from search import encoders, services

    yield timed("renditions", lambda: rendition_row(library))
    photos = timed("photos for the encoders", lambda: with_thumbnails(library, encoder_photos))
    choice = services.encoder_choice()
    if choice.is_available:
        encoder = encoders.load(choice, threads=settings.ML_THREADS)
        title = f"embedding, {choice.kind} (in use)"
        yield timed(title, lambda: embedding_row(title, photos, choice, encoder))
    title = "embedding, ViT-B-32 (random)"
    choice, encoder = timed("making ViT-B-32", lambda: random_clip(directory))
    yield timed(title, lambda: embedding_row(title, photos, choice, encoder))


if __name__ == "__main__":
    main()

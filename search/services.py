"""Embeddings of photos and queries, and the search over them."""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, HalfVectorField

from jobs.cpu import run_cpu
from photos.api.errors import MAX_QUERY_CHARACTERS
from photos.models import Photo
from photos.storages import read_bytes, renditions
from photos.vectors import ensure_hnsw_index
from search import encoders
from search.models import EncoderVersion, PhotoEmbedding, TextEmbedding
from search.text_process import TextProcess, TextProcessError
from search.written import written_scores

EXACT_SCAN_LIMIT = 20_000  # below it an exact scan takes a few ms and always finds everything
KEPT_QUERIES = 10_000  # some 15 MB; what people ask again, they ask within fewer
_choose_lock = threading.Lock()
_settled: dict[str, encoders.Choice] = {}
_text_processes: dict[encoders.Choice, TextProcess] = {}


class SearchUnavailable(Exception):
    """No encoder can be had; the message says what to do."""


@dataclass(frozen=True)
class Hit:
    """A photo by its id, and how well it fits: a cosine, -1 to 1, with what is written about it added."""

    photo_id: int
    score: float


def encoder_choice() -> encoders.Choice:
    """The encoder in use. What is on this machine is decided once a process, downloads are looked for."""
    with _choose_lock:
        choice = _settled.get("choice")
        if choice is None:
            choice = encoders.choose(
                preference=settings.ENCODER,
                model=settings.CLIP_MODEL,
                pretrained=settings.CLIP_PRETRAINED,
                model_dir=settings.MODEL_DIR,
                state_dir=settings.STATE_DIR,
            )
            if choice.is_available and not choice.needs_download:
                _settled["choice"] = choice
        return choice


def load_encoder(choice: encoders.Choice) -> tuple[encoders.Encoder, encoders.Choice]:
    """The encoder of a choice, downloaded if need be; when that fails, the one chosen instead.

    Raises SearchUnavailable when there is none.
    """
    try:
        return encoders.load(choice, threads=settings.ML_THREADS), choice
    except encoders.EncoderUnavailableError as error:
        with _choose_lock:
            _settled.clear()
        instead = encoder_choice()
        if instead.version == choice.version or not instead.is_available:
            raise SearchUnavailable(str(error)) from error
        return encoders.load(instead, threads=settings.ML_THREADS), instead


def encoder_version(choice: encoders.Choice) -> EncoderVersion:
    """The row of the chosen encoder, made with its index at the first use."""
    version, created = EncoderVersion.objects.get_or_create(
        version=choice.version, defaults={"dimensions": choice.dimensions}
    )
    if created:
        ensure_hnsw_index(
            PhotoEmbedding, column="encoder_id", version_id=version.pk, dimensions=version.dimensions
        )
    return version


def read_thumbnails(photos: Sequence[Photo]) -> list[np.ndarray[Any, Any]]:
    """Decoded thumbnails, RGB uint8. Encoders look at 224 to 260 pixels, so a thumbnail holds it all."""
    with ThreadPoolExecutor(settings.ML_THREADS) as threads:
        return list(threads.map(read_thumbnail, photos))


def read_thumbnail(photo: Photo) -> np.ndarray[Any, Any]:
    from photos.formats.imaging import decode_rgb

    return decode_rgb(read_bytes(renditions(), photo.rendition_key("thumbnail")))


def save_embeddings(photos: Sequence[Photo], vectors: np.ndarray[Any, Any], choice: encoders.Choice) -> None:
    """Write one vector a photo for the encoder, over older ones of the same version."""
    version = encoder_version(choice)
    rows = [
        PhotoEmbedding(photo=photo, encoder=version, vector=vector)
        for photo, vector in zip(photos, vectors, strict=True)
    ]
    PhotoEmbedding.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["encoder", "photo"], update_fields=["vector"]
    )


def normalize_query(text: str) -> str:
    """One spelling of a query: blanks collapsed, lower case, at most MAX_QUERY_CHARACTERS."""
    return " ".join(text.split()).casefold()[:MAX_QUERY_CHARACTERS]


@dataclass(frozen=True)
class Query:
    """A normalised text with its vector; `cutoff` is the score below which a photo does not show it.

    `encoder` is that of a text which was asked before, None for one that is to be kept.
    """

    text: str
    vector: np.ndarray[Any, Any]
    cutoff: float
    encoder: EncoderVersion | None = None


def find_query(text: str) -> Query | None:
    """A normalised text that was asked before, None when the model has to look at it."""
    kept = TextEmbedding.objects.select_related("encoder")
    row = kept.filter(encoder__version=encoder_choice().version, text=text).first()
    if row is None:
        return None
    return Query(text, np.asarray(row.vector, dtype=np.float32), row.cutoff, row.encoder)


async def embed_query(text: str) -> Query:
    """A normalised text through the model, in a process of its own. Raises SearchUnavailable."""
    process = await run_cpu(text_process)
    try:
        vector, cutoff = await process.embed(text)
    except TextProcessError as error:
        raise SearchUnavailable(str(error)) from error
    return Query(text, vector, cutoff)


async def warm_up() -> None:
    """Begin to load the model, because somebody is about to search. Raises SearchUnavailable."""
    (await run_cpu(text_process)).start()


def text_process() -> TextProcess:
    """The process for the encoder in use, not started yet. Raises SearchUnavailable."""
    choice = encoder_choice()
    if not choice.is_available:
        raise SearchUnavailable(choice.reason)
    if choice.needs_download:
        raise SearchUnavailable(
            "The search model is being downloaded by a worker. Try again in some minutes."
        )
    return _text_processes.setdefault(choice, TextProcess(choice))


def keep_query(query: Query) -> EncoderVersion:
    """Remember a query's vector, so that asking again costs no model. Returns the encoder in use."""
    version = encoder_version(encoder_choice())
    row = TextEmbedding(encoder=version, text=query.text, vector=query.vector, cutoff=query.cutoff)
    TextEmbedding.objects.bulk_create([row], ignore_conflicts=True)
    return version


def forget_old_queries() -> int:
    """Each day: of the queries' vectors only the newest KEPT_QUERIES stay. Returns how many went."""
    newest_first = TextEmbedding.objects.order_by("-pk").values_list("pk", flat=True)
    too_old = newest_first[KEPT_QUERIES : KEPT_QUERIES + 1].first()
    return 0 if too_old is None else TextEmbedding.objects.filter(pk__lte=too_old).delete()[0]


def nearest_photos(
    *,
    user: Any,
    vector: np.ndarray[Any, Any],
    limit: int,
    encoder: EncoderVersion,
    photos: QuerySet[Any] | None = None,
) -> dict[int, float]:
    """Cosine by id of the visible photos most like `vector`, best first, equal ones by id.

    `photos` restricts it to some photos.
    A small set is scanned exactly, a large one through the index, which goes on until `limit` visible rows.
    """
    rows = PhotoEmbedding.objects.visible_to(user).filter(
        encoder=encoder, photo__deleted_at__isnull=True, photo__still__isnull=True
    )
    if photos is not None:
        rows = rows.filter(photo__in=photos.values("pk"))
    with transaction.atomic():
        set_scan_mode(exact=is_small(rows))
        return cosines(rows, vector, encoder, limit)


def cosines(rows: Any, vector: np.ndarray[Any, Any], encoder: EncoderVersion, limit: int) -> dict[int, float]:
    """Of these embeddings the `limit` nearest."""
    distance = CosineDistance(Cast("vector", HalfVectorField(dimensions=encoder.dimensions)), vector)
    best = rows.annotate(distance=distance).order_by("distance", "photo_id")
    return {row["photo_id"]: 1.0 - row["distance"] for row in best.values("photo_id", "distance")[:limit]}


def similar_photos(*, user: Any, photo: Photo, limit: int) -> list[Hit] | None:
    """Other visible photos most like this one by the encoder in use; None while it has no vector by it."""
    rows = PhotoEmbedding.objects.filter(photo=photo, encoder__version=encoder_choice().version)
    row = rows.select_related("encoder").first()
    if row is None:
        return None
    vector = np.asarray(row.vector, dtype=np.float32)
    near = nearest_photos(user=user, vector=vector, limit=limit + 1, encoder=row.encoder)
    return [Hit(pk, score) for pk, score in near.items() if pk != photo.pk][:limit]


def is_small(rows: QuerySet[Any]) -> bool:
    """Whether at most EXACT_SCAN_LIMIT rows are to be looked at (counting stops there)."""
    return rows.values("pk")[: EXACT_SCAN_LIMIT + 1].count() <= EXACT_SCAN_LIMIT


def set_scan_mode(*, exact: bool) -> None:
    """For the open transaction: without the vector index, or with it until enough rows are found."""
    with connection.cursor() as cursor:
        if exact:
            cursor.execute("SET LOCAL enable_indexscan = off")
        else:
            cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            cursor.execute("SET LOCAL hnsw.ef_search = 100")


def run_query(
    *,
    user: Any,
    text: str,
    query: Query | None,
    limit: int,
    min_score: float | None,
    photos: QuerySet[Any] | None = None,
) -> list[Hit]:
    """The photos that show what was asked for or that it is written about, best first.

    `query` is `text` with its vector, None when no encoder can be had; a new one is kept. `min_score` None
    takes its cutoff. `photos` restricts it to some photos, for example those of a person. What is written
    adds to the cosine, so a photo about which somebody said it comes before one that only looks like it.
    """
    looked_at: Any = Photo.objects.visible_to(user) if photos is None else photos
    gains = written_scores(looked_at.without_clips(), text)
    near = {} if query is None else looks_of(user, query, limit, photos, also=gains)
    if query is not None and min_score is None:
        near = {pk: cosine for pk, cosine in near.items() if cosine >= query.cutoff or pk in gains}
    scores = {pk: min(1.0, near.get(pk, 0.0) + gains.get(pk, 0.0)) for pk in near.keys() | gains.keys()}
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return [Hit(pk, score) for pk, score in best if min_score is None or score >= min_score]


def looks_of(
    user: Any, query: Query, limit: int, photos: QuerySet[Any] | None, *, also: Iterable[int]
) -> dict[int, float]:
    """Cosine by id of the `limit` photos that look most like it, and of those in `also`."""
    encoder = query.encoder or keep_query(query)
    near = nearest_photos(user=user, vector=query.vector, limit=limit, encoder=encoder, photos=photos)
    if missing := set(also) - near.keys():
        rows = PhotoEmbedding.objects.filter(encoder=encoder, photo__in=missing)
        near |= cosines(rows, query.vector, encoder, len(missing))
    return near

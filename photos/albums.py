"""Albums: hand-made selections with an order and a cover of their own."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from jobs.events import publish
from photos.models import Album, AlbumPhoto, Library, Photo


class BadCover(ValueError):
    """The cover is to be a photo of the album."""


class BadOrder(ValueError):
    """An order names every photo of the album once."""


def with_facts(albums: QuerySet[Any]) -> Any:
    """Adds what a list shows: `photo_count`, `cover_photo_id`, `has_cover`, `first_taken_at` and
    `last_taken_at`.

    Photos in the trash count nowhere. The cover is the chosen one, else the first photo that can be shown,
    else the first; None without any. `has_cover`: there is a thumbnail of it.
    """
    in_use = Q(entries__photo__deleted_at__isnull=True)
    entries = AlbumPhoto.objects.filter(album=OuterRef("pk"), photo__deleted_at__isnull=True)
    chosen = entries.filter(photo=OuterRef("cover")).values("photo_id")[:1]
    in_order = entries.order_by("position", "pk").values("photo_id")
    shown = in_order.filter(photo__has_renditions=True)[:1]
    ready = Photo.objects.filter(pk=OuterRef("cover_photo_id"), has_renditions=True)
    return albums.annotate(
        photo_count=Count("entries", filter=in_use),
        first_taken_at=Min("entries__photo__taken_at", filter=in_use),
        last_taken_at=Max("entries__photo__taken_at", filter=in_use),
        cover_photo_id=Coalesce(Subquery(chosen), Subquery(shown), Subquery(in_order[:1])),
    ).annotate(has_cover=Exists(ready))


def photos_of(album: Album) -> Any:
    """The album's photos in its order, without the trash."""
    return Photo.objects.filter(album_entries__album=album, deleted_at__isnull=True).order_by(
        "album_entries__position", "album_entries__pk"
    )


@transaction.atomic
def create_album(*, library: Library, name: str, description: str = "") -> Album:
    """A new album without photos."""
    album: Album = Album.objects.create(library=library, name=name, description=description)
    publish(library.pk, "album", id=album.pk)
    return album


@transaction.atomic
def update_album(album: Album, *, cover_id: int | None = None, **values: Any) -> None:
    """Set name or description; a cover must be one of the album's photos, or BadCover."""
    if cover_id is not None:
        if not photos_of(album).filter(pk=cover_id).exists():
            raise BadCover("The cover must be a photo of the album.")
        values["cover_id"] = cover_id
    if values:
        Album.objects.filter(pk=album.pk).update(**values)
        publish(album.library_id, "album", id=album.pk)


@transaction.atomic
def delete_album(album: Album) -> None:
    """The album goes, its photos stay."""
    publish(album.library_id, "album", id=album.pk, deleted=True)
    album.delete()


@transaction.atomic
def reorder(album: Album, photo_ids: Sequence[int]) -> None:
    """Put the album's photos into this order, which names each of them once, or BadOrder.

    Photos in the trash may be left out; they keep their place among the last.
    """
    Album.objects.select_for_update().get(pk=album.pk)
    shown = set(photos_of(album).values_list("pk", flat=True))
    if len(set(photo_ids)) != len(photo_ids) or set(photo_ids) != shown:
        raise BadOrder("Name every photo of the album once.")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(AlbumPhoto._meta.db_table)} AS entry "
            "SET position = wanted.place "
            "FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted (photo_id, place) "
            "WHERE entry.album_id = %s AND entry.photo_id = wanted.photo_id",
            [list(photo_ids), album.pk],
        )
    publish(album.library_id, "album", id=album.pk)

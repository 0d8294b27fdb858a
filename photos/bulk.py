"""One change to many photos: each action is one statement over a choice of rows, whoever chose them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Func, QuerySet, Value, When
from django.utils import timezone

from jobs.events import publish
from photos.filters import PhotoFilter
from photos.models import Album, AlbumPhoto, Photo, Tag

EVERYTHING = PhotoFilter()
LOCKS = Photo._meta.get_field("locked_fields")


@dataclass(frozen=True)
class Selection:
    """Photos by their ids, or by what they are."""

    ids: tuple[int, ...] | None = None
    wanted: PhotoFilter = EVERYTHING

    def of(self, photos: QuerySet[Any]) -> Any:
        """The chosen ones of `photos`, which says what may be chosen from at all."""
        if self.ids is not None:
            return photos.filter(pk__in=self.ids or (0,))  # no row has 0, and SQL has no empty list
        return self.wanted.apply(photos)


def change_photos(photos: QuerySet[Any], change: Callable[[Any], int]) -> int:
    """Apply `change` to these photos and tell the pages of their libraries. Returns how many changed."""
    with transaction.atomic():
        # Locked in one order, whoever chose them how: two changes at once would else wait for each other.
        rows = photos.order_by("pk").select_for_update(no_key=True)
        libraries = set(rows.values_list("library_id", flat=True))
        changed = change(photos)
        if changed:
            for library_id in libraries:
                publish(library_id, "photos", changed=changed)
    return changed


def set_values(photos: QuerySet[Any], **values: Any) -> int:
    """Set these columns. Returns how many rows there were."""
    return change_photos(photos, lambda rows: rows.update(**values))


def rate(photos: QuerySet[Any], stars: int | None) -> int:
    """Set the rating, and lock it against what the files say."""
    lock = Value(Photo.Editable.RATING.value)
    with_lock = Func(F("locked_fields"), lock, function="array_append", output_field=LOCKS)
    has_lock = When(locked_fields__contains=[Photo.Editable.RATING], then=F("locked_fields"))
    locked = Case(has_lock, default=with_lock)
    return set_values(photos, rating=stars, locked_fields=locked)


def trash(photos: QuerySet[Any]) -> int:
    """With the films beside them, as one by one."""
    return change_photos(photos, lambda rows: rows.move_to_trash())


def restore(photos: QuerySet[Any]) -> int:
    return change_photos(photos, lambda rows: rows.bring_back())


def add_to_album(album: Album, photos: QuerySet[Any]) -> int:
    """Behind the last photo of the album, oldest first; photos of other libraries stay out.

    Returns how many were not in it before.
    """
    chosen = photos.filter(library_id=album.library_id).order_by().values("id", "taken_at")
    sql, parameters = chosen.query.sql_with_params()
    table = connection.ops.quote_name(AlbumPhoto._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        Album.objects.select_for_update().get(pk=album.pk)  # or two additions would take the same places
        cursor.execute(
            f"INSERT INTO {table} (album_id, photo_id, position, added_at) "
            "SELECT %s, chosen.id, "
            "last.position + row_number() OVER (ORDER BY chosen.taken_at, chosen.id), %s "
            f"FROM ({sql}) AS chosen, "
            f"(SELECT coalesce(max(position), 0) AS position FROM {table} WHERE album_id = %s) AS last "
            "ON CONFLICT (album_id, photo_id) DO NOTHING",
            [album.pk, timezone.now(), *parameters, album.pk],
        )
        added: int = cursor.rowcount
        publish(album.library_id, "album", id=album.pk)
    return added


def remove_from_album(album: Album, photos: QuerySet[Any]) -> int:
    """Take these photos out of the album; they stay in the library. Returns how many were in it."""
    with transaction.atomic():
        entries = AlbumPhoto.objects.filter(album=album, photo__in=photos.order_by().values("pk"))
        removed, _ = entries.delete()
        Album.objects.filter(pk=album.pk, cover__in=photos.order_by().values("pk")).update(cover=None)
        publish(album.library_id, "album", id=album.pk)
    return removed


def tag(photos: QuerySet[Any], name: str) -> int:
    """Put a person's tag on these photos; one that a machine had put there becomes theirs."""

    def insert(rows: QuerySet[Any]) -> int:
        sql, parameters = rows.order_by().values("id").query.sql_with_params()
        table = connection.ops.quote_name(Tag._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (photo_id, name, score, source) "
                f"SELECT chosen.id, %s, 1, %s FROM ({sql}) AS chosen "
                "ON CONFLICT (photo_id, name) DO UPDATE SET score = 1, source = EXCLUDED.source",
                [name, Tag.Source.PERSON, *parameters],
            )
            return int(cursor.rowcount)

    return change_photos(photos, insert)


def untag(photos: QuerySet[Any], name: str) -> int:
    """Take a tag off these photos, in any case of it. Returns how many had it."""

    def delete(rows: QuerySet[Any]) -> int:
        return Tag.objects.filter(name__iexact=name, photo__in=rows.order_by().values("pk")).delete()[0]

    return change_photos(photos, delete)

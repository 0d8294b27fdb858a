"""Photos, people and albums as an export of Chitra writes them, and back into a library."""

import json
from base64 import b64decode, b64encode
from datetime import date
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any

from django.utils.dateparse import parse_date, parse_datetime

from faces.errors import PeopleError
from faces.journal import Verb, writing
from faces.models import Face, Person
from faces.people import MAX_ALIASES, clean_person_name, spelt
from faces.region_import import apply_regions
from faces.regions import Region
from faces.services import SAME_FACE_OVERLAP, intersection_over_union
from photos.importing import keep_sidecar
from photos.models import Album, AlbumPhoto, Library, Photo, Sidecar, Tag

PLAIN_FIELDS = (
    "original_name",
    "title",
    "description",
    "rating",
    "is_favorite",
    "is_archived",
    "latitude",
    "longitude",
    "altitude_metres",
    "utc_offset_minutes",
    "taken_at_source",
    "time_zone",
    "zone_source",
    "locked_fields",
)
MOMENT_FIELDS = ("taken_at", "taken_at_utc", "created_at", "file_modified_at")
PERSON_FIELDS = ("aliases", "is_favorite", "is_hidden")
DIGITS = 5  # of a box: a tenth of a pixel in the largest pictures


class PhotoRecords:
    """The lines of a `photos.jsonl` by the paths of their files. They stay on disk: a million are large."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Raises OSError."""
        self.damaged: list[int] = []
        """Numbers of lines, from 1, that are no records."""
        self._places: dict[str, int] = {}
        self._copy = TemporaryFile()  # noqa: SIM115 - as long as this object
        copyfileobj(stream, self._copy)
        self._copy.seek(0)
        place = 0
        for number, line in enumerate(self._copy, start=1):
            if line.strip():
                self._note(number, line, place)
            place += len(line)

    def _note(self, number: int, line: bytes, place: int) -> None:
        try:
            self._places[json.loads(line)["file"]] = place
        except (ValueError, LookupError, TypeError):
            self.damaged.append(number)

    def get(self, path: str) -> dict[str, Any] | None:
        """What is said about a file; None when nothing is."""
        if path not in self._places:
            return None
        self._copy.seek(self._places[path])
        record: dict[str, Any] = json.loads(self._copy.readline())
        return record


def photo_record(photo: Photo, file: str) -> dict[str, Any]:
    """One line of `photos.jsonl`; `file` is the original's path in the export."""
    record: dict[str, Any] = {"file": file, "sha256": photo.checksum}
    record |= {name: getattr(photo, name) for name in PLAIN_FIELDS}
    for name in MOMENT_FIELDS:
        value = getattr(photo, name)
        record[name] = value.isoformat() if value else None
    tags = Tag.objects.filter(photo=photo, source=Tag.Source.PERSON).order_by("name")
    record["tags"] = [tag.name for tag in tags]
    sidecar = Sidecar.objects.filter(photo=photo).first()
    record["sidecar"] = b64encode(sidecar.xmp).decode() if sidecar else ""
    record["faces"] = [
        {"name": name, "box": [round(edge, DIGITS) for edge in face.box]} for name, face in named_faces(photo)
    ]
    return record


def named_faces(photo: Photo) -> list[tuple[str, Face]]:
    """Faces of people with names, with these, from left to right."""
    rows = Face.objects.filter(photo=photo, is_dismissed=False, person__isnull=False).exclude(person__name="")
    named = rows.select_related("person").order_by("x1", "y1", "pk")
    return [(face.person.name, face) for face in named if face.person is not None]


def restore_photo(photo: Photo, record: dict[str, Any]) -> None:
    """Give a photo what the record says; people of its faces are found or made by name."""
    keep_sidecar(photo, b64decode(record.get("sidecar", "")))  # what is read from it stays so
    values = {name: record[name] for name in PLAIN_FIELDS if name in record}
    for name in MOMENT_FIELDS:
        if name in record:
            values[name] = parse_datetime(record[name]) if record[name] else None
    Photo.objects.filter(pk=photo.pk).update(**values)
    rows = [Tag(photo=photo, name=name[:200], source=Tag.Source.PERSON) for name in record.get("tags", [])]
    Tag.objects.bulk_create(rows, ignore_conflicts=True)
    there = {(name, tuple(round(edge, DIGITS) for edge in face.box)) for name, face in named_faces(photo)}
    boxes = [(face["name"], tuple(face["box"])) for face in record.get("faces", [])]
    named = [Region(name, box) for name, box in boxes if (name, box) not in there]
    if named:
        apply_regions(photo, named)


def people_records(library: Library) -> list[dict[str, Any]]:
    """Everybody with a name."""
    people = Person.objects.filter(library=library).exclude(name="").select_related("cover__photo")
    return [
        {"name": person.name, "birth_date": person.birth_date.isoformat() if person.birth_date else None}
        | {name: getattr(person, name) for name in PERSON_FIELDS}
        | {"cover": cover_record(person.cover)}
        for person in people.order_by("name")
    ]


def cover_record(cover: Face | None) -> dict[str, Any] | None:
    if cover is None or cover.photo.deleted_at is not None:
        return None
    return {"sha256": cover.photo.checksum, "box": [round(edge, DIGITS) for edge in cover.box]}


def restore_people(library: Library, records: list[dict[str, Any]]) -> None:
    """Find or make the people by name, and add what the records say, as one entry of the journal.

    What is known here already stays: a birth date, a cover, marks and other names. A name that nobody can
    have is left out.
    """
    with writing(library.pk, actor=None, verb=Verb.IMPORT) as draft:
        for record in records:
            try:
                name = clean_person_name(record["name"])
            except PeopleError:
                continue
            person, is_new = Person.objects.get_or_create(library=library, name=name)
            if is_new:
                draft.made(person)
            else:
                draft.watch(people=[person.pk])
            add_to_person(person, record)
        draft.summary = f"Took {len(records)} people from an export"


def add_to_person(person: Person, record: dict[str, Any]) -> None:
    born: date | None = parse_date(record["birth_date"]) if record.get("birth_date") else None
    person.birth_date = person.birth_date or born
    aliases = [spelt(alias) for alias in [*person.aliases, *record.get("aliases", [])]]
    person.aliases = list(dict.fromkeys(aliases))[:MAX_ALIASES]
    person.is_favorite = person.is_favorite or record.get("is_favorite", False)
    person.is_hidden = person.is_hidden or record.get("is_hidden", False)
    person.cover = person.cover or cover_of(person, record.get("cover"))
    person.save()


def cover_of(person: Person, record: dict[str, Any] | None) -> Face | None:
    """The face that an export names as the cover, when it is there and this person's."""
    if record is None:
        return None
    faces = Face.objects.filter(person=person, is_dismissed=False, photo__checksum=record["sha256"])
    best = max(faces, key=lambda face: intersection_over_union(face.box, record["box"]), default=None)
    overlaps = best is not None and intersection_over_union(best.box, record["box"]) >= SAME_FACE_OVERLAP
    return best if overlaps else None


def album_records(library: Library) -> list[dict[str, Any]]:
    """Albums with their photos, by checksum, in order; without the trash."""
    records = []
    for album in Album.objects.filter(library=library).select_related("cover").order_by("name", "pk"):
        entries = AlbumPhoto.objects.filter(album=album, photo__deleted_at__isnull=True)
        checksums = entries.order_by("position", "pk").values_list("photo__checksum", flat=True)
        records.append(
            {
                "name": album.name,
                "description": album.description,
                "cover": album.cover.checksum if album.cover else None,
                "photos": list(checksums),
            }
        )
    return records


def restore_albums(library: Library, records: list[dict[str, Any]]) -> None:
    """Find or make the albums by name; photos that are not in them yet come behind those that are.

    Of several with one name each record gets its own.
    """
    restored: list[int] = []
    for record in records:
        named = Album.objects.filter(library=library, name=record["name"]).exclude(pk__in=restored)
        album = named.order_by("pk").first()
        if album is None:
            album = Album.objects.create(library=library, name=record["name"])
        restored.append(album.pk)
        checksums = [*record["photos"], record["cover"] or ""]
        photos = Photo.objects.filter(library=library, checksum__in=checksums)
        ids = dict(photos.values_list("checksum", "pk"))
        album.description = record["description"] or album.description
        album.cover_id = ids.get(record["cover"], album.cover_id)
        album.save()
        entries = AlbumPhoto.objects.filter(album=album)
        there = set(entries.values_list("photo_id", flat=True))
        start = max(entries.values_list("position", flat=True), default=0) + 1
        wanted = [ids[checksum] for checksum in record["photos"] if checksum in ids]
        missing = [pk for pk in wanted if pk not in there]
        rows = [AlbumPhoto(album=album, photo_id=pk, position=start + n) for n, pk in enumerate(missing)]
        AlbumPhoto.objects.bulk_create(rows)

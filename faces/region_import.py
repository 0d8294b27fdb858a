"""Names that other programs wrote into a file, put on the faces found there; and back, for exports."""

from collections.abc import Sequence

from django.db.models import F

from faces import regions
from faces.curation import BY_HAND, checked_box, new_drawn_face
from faces.errors import PeopleError
from faces.journal import Draft, Verb, writing
from faces.models import Face, JournalEntry, Person
from faces.people import clean_person_name
from faces.regions import Region
from faces.services import describe_again, intersection_over_union
from photos.metadata.pictures import read_xmp_packet
from photos.models import Photo
from photos.storages import local_path, originals

SAME_FACE_OVERLAP = 0.25  # programs differ in how much of the head a box holds


def named_regions(photo: Photo) -> list[Region]:
    """Named faces in the original's XMP, in fractions of the upright picture.

    Raises FileNotFoundError when the original is not in the storage.
    """
    with local_path(originals(), photo.original_key) as path:
        packet, orientation = read_xmp_packet(path)
    found = regions.parse(packet)
    turned = regions.upright(found, orientation=orientation, width=photo.width or 0, height=photo.height or 0)
    return [region for region in turned if region.kind == "face" and region.name.strip()]


def apply_regions(photo: Photo, named: Sequence[Region]) -> JournalEntry | None:
    """Name the faces in these regions as if by hand; a region without a face becomes a drawn one.

    Faces that people assigned, or said are none, are left alone. One entry without an actor; None when
    nothing changed.
    """
    with writing(photo.library_id, actor=None, verb=Verb.IMPORT) as draft:
        left = list(Face.objects.filter(photo=photo).order_by("pk"))
        draft.watch(faces=[face.pk for face in left])
        for region in named:
            name_region(draft, photo, left, region)
        draft.summary = f"Took names from the file {photo.original_name}"
    return draft.entry


def name_region(draft: Draft, photo: Photo, left: list[Face], region: Region) -> None:
    """Put the region's name on the face it overlaps best, which leaves the list."""
    try:
        box, name = checked_box(region.box), clean_person_name(region.name)
    except PeopleError:
        return
    face = max(left, key=lambda face: intersection_over_union(face.box, box), default=None)
    if face is None or intersection_over_union(face.box, box) < SAME_FACE_OVERLAP:
        face = new_drawn_face(draft, photo, box)
        face.is_dismissed = False
        face.save(update_fields=["is_dismissed"])
        describe_again([photo.pk])
    else:
        left.remove(face)
        if face.is_dismissed or face.assigned_by == BY_HAND:
            return
    person = Person.objects.filter(library=photo.library_id, name=name).first()
    if person is None:
        person = draft.made(Person.objects.create(library_id=photo.library_id, name=name))
    Face.objects.filter(pk=face.pk).update(person=person, assigned_by=BY_HAND)


def export_regions(photo: Photo) -> bytes:
    """An XMP packet with the named faces of a photo; b"" when there are none."""
    rows = Face.objects.filter(photo=photo, is_dismissed=False).exclude(person__name="")
    rows = rows.filter(person__isnull=False).annotate(name=F("person__name")).order_by("x1", "pk")
    named = [Region(face.name, face.box) for face in rows]  # type: ignore[attr-defined]
    return regions.write(named, width=photo.width or 0, height=photo.height or 0) if named else b""

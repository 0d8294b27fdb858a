"""A library with a bit of everything, which can grow: for tests that ask how answers depend on its size."""

import io
from datetime import timedelta
from itertools import count
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.utils import timezone

from chitra.accounts.models import ApiKey, User
from faces import people, reclustering
from faces.models import Face, FaceEmbedding, JournalEntry, Person
from faces.services import model_version, pack_choice
from jobs.models import Job
from photos import bulk, editing, tus
from photos.models import Album, AlbumPhoto, Library, Membership, Photo, PhotoStep, Stack, Tag
from photos.services import ingest
from photos.steps import make_renditions
from photos.storages import renditions
from photos.tests.pictures import jpeg
from search.models import PhotoEmbedding, TextEmbedding
from search.services import encoder_choice, encoder_version

WORDS = "sea"
STEPS = ("metadata", "renditions", "embedding", "faces")


def unit(size: int, axis: int = 0) -> Any:
    vector = np.zeros(size, dtype=np.float32)
    vector[axis % size] = 1
    return vector


class World:
    """`ids` names one of each kind, whose own parts do not grow."""

    def __init__(self, owner: User, key_id: int = 0) -> None:
        self.owner = owner
        self.library: Library = Library.objects.home_of(owner)
        self.numbers = count(1)
        self.encoder = encoder_version(encoder_choice())
        self.faces_model = model_version(pack_choice())
        TextEmbedding.objects.create(
            encoder=self.encoder, text=WORDS, vector=unit(self.encoder.dimensions), cutoff=0.1
        )
        self.ids = self.one_of_each()

    def one_of_each(self) -> dict[str, Any]:
        photo = ingest(library=self.library, stream=io.BytesIO(jpeg(64, 48)), name="one.jpg").photo
        make_renditions([photo.pk])
        self.embed([photo.pk])
        person = people.create_person(library=self.library, name="Asha", actor=self.owner)
        other = people.create_person(library=self.library, name="Ravi", actor=self.owner)
        self.photo = Photo.objects.get(pk=photo.pk)
        face, second = (self.face(photo.pk, person) for _ in range(2))
        renditions().save("crops/one.webp", ContentFile(b"RIFF"))
        Face.objects.filter(pk=face.pk).update(crop_key="crops/one.webp")
        album = Album.objects.create(library=self.library, name="Trip")
        bulk.add_to_album(album, Photo.objects.filter(pk=photo.pk))
        edit = editing.edit_photo(photo=self.photo, actor=self.owner, values={"title": "One"})
        assert edit is not None
        friend = User.objects.create_user("friend@example.org", None)
        Membership.objects.create(library=self.library, user=friend, role="viewer")
        upload = tus.begin(library=self.library, user=self.owner, size=10, name="two.jpg")
        stack = Stack.objects.create(library=self.library, kind=Stack.Kind.MANUAL)
        beside = Photo.objects.bulk_create(self.photo_row(2_000_000 + place) for place in range(2))
        for place, one in enumerate(beside):
            Photo.objects.filter(pk=one.pk).update(stack=stack, stack_position=place)
        entry = JournalEntry.objects.order_by("-pk").first()
        assert entry is not None
        PhotoStep.objects.filter(photo=photo).update(status="failed", error="broken")
        job = Job.objects.create(kind="x", library_id=self.library.pk, created_by=self.owner)
        return {
            "photo_id": photo.pk,
            "person_id": person.pk,
            "other_person": other.pk,
            "face_id": face.pk,
            "second_face": second.pk,
            "album_id": album.pk,
            "library_id": self.library.pk,
            "user_id": friend.pk,
            "edit_id": edit.pk,
            "upload_id": upload.pk,
            "stack_id": stack.pk,
            "stacked": [one.pk for one in beside],
            "entry_id": entry.pk,
            "job_id": job.pk,
            "key_id": ApiKey.issue(self.owner, "other")[0].pk,
            "key": photo.original_key,
            "month": f"{photo.taken_at:%Y-%m}",
            "step": "metadata",
        }

    def face(self, photo_id: int, person: Person | None) -> Face:
        by = Face.AssignedBy.MACHINE if person else Face.AssignedBy.NOBODY
        face: Face = Face.objects.create(
            photo_id=photo_id, person=person, assigned_by=by, x1=0, y1=0, x2=0.5, y2=0.5, detection_score=1
        )
        vector = unit(self.faces_model.dimensions, face.pk)
        FaceEmbedding.objects.create(face=face, model=self.faces_model, vector=vector)
        return face

    def embed(self, photo_ids: list[int]) -> None:
        vector = unit(self.encoder.dimensions)
        PhotoEmbedding.objects.bulk_create(
            PhotoEmbedding(photo_id=pk, encoder=self.encoder, vector=vector) for pk in photo_ids
        )

    def grow(self, size: int) -> None:
        """So many more of everything, all of it in this library or of its owner."""
        numbers = [next(self.numbers) for _ in range(size)]
        photos = Photo.objects.bulk_create(self.photo_row(number) for number in numbers)
        ids = [photo.pk for photo in photos]
        self.embed(ids)
        Tag.objects.bulk_create(Tag(photo_id=pk, name=name) for pk in ids for name in ("sea", f"tag {pk}"))
        PhotoStep.objects.bulk_create(
            PhotoStep(photo_id=pk, step=step, status="failed", error="broken") for pk in ids for step in STEPS
        )
        bulk.add_to_album(Album.objects.get(pk=self.ids["album_id"]), Photo.objects.filter(pk__in=ids))
        trashed = Photo.objects.bulk_create(self.photo_row(1_000_000 + number) for number in numbers)
        Photo.objects.filter(pk__in=[photo.pk for photo in trashed]).update(deleted_at=timezone.now())
        for number, photo_id in zip(numbers, ids, strict=True):
            self.grow_around(number, photo_id)

    def grow_around(self, number: int, photo_id: int) -> None:
        person = people.create_person(library=self.library, name=f"Person {number}", actor=self.owner)
        self.face(photo_id, person)
        self.face(photo_id, None)
        stack = Stack.objects.create(library=self.library, kind=Stack.Kind.BURST)
        for place in range(2):
            row = self.photo_row(3_000_000 + 2 * number + place)
            row.stack, row.stack_position = stack, place
            row.save()
        album = Album.objects.create(library=self.library, name=f"Album {number}")
        AlbumPhoto.objects.create(album=album, photo_id=photo_id)
        editing.edit_photo(
            photo=Photo.objects.get(pk=photo_id), actor=self.owner, values={"title": f"Title {number}"}
        )
        Job.objects.create(kind="x", library_id=self.library.pk, created_by=self.owner)
        ApiKey.issue(self.owner, f"key {number}")
        mine = Library.objects.create(name=f"Library {number}")
        Membership.objects.create(library=mine, user=self.owner, role="owner")
        for waits in (True, False):
            user = User.objects.create_user(f"user{number}{waits}@example.org", None, is_active=not waits)
            User.objects.filter(pk=user.pk).update(approved_at=None if waits else timezone.now())
            Membership.objects.create(library=self.library, user=user, role="viewer")

    def photo_row(self, number: int) -> Photo:
        return Photo(
            library=self.library,
            original_name=f"{number}.jpg",
            original_key=f"rows/{number}.jpg",
            checksum=f"{number:064}",
            sha1=f"{number:040}",
            size=1,
            mime_type="image/jpeg",
            perceptual_hash=1,
            taken_at=timezone.now() - timedelta(minutes=number % 1000),
            latitude=number % 60,
            longitude=number % 170,
        )

    def plan(self) -> Job:
        """A finished plan of grouping anew that moves nothing."""
        result = reclustering.plan_recluster(self.library.pk, self.faces_model, 0.4)
        job: Job = Job.objects.create(kind=reclustering.KIND, library_id=self.library.pk, result=result)
        return job

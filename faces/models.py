"""Faces found on photos, and the people they belong to."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from pgvector.django import HalfVectorField

from photos.models import Library, Photo
from photos.querysets import ScopedQuerySet


class PersonQuerySet(ScopedQuerySet["Person"]):
    def with_photo_counts(self) -> Self:
        """Adds `photo_count`: photos outside the trash with a face of the person."""
        visible = Q(faces__photo__deleted_at__isnull=True)
        return self.annotate(photo_count=Count("faces__photo", filter=visible, distinct=True))

    def most_seen_first(self) -> Self:
        """Named people before unnamed groups, then by number of photos."""
        named = models.Case(models.When(name="", then=1), default=0)
        return self.with_photo_counts().order_by(named, "-photo_count", "id")

    def with_cover_faces(self) -> "PersonQuerySet":
        """Adds `cover_face_id`: the chosen cover, else the best face, on a photo outside the trash."""
        faces = Face.objects.filter(person=models.OuterRef("pk"), photo__deleted_at__isnull=True)
        faces = faces.exclude(crop_key="")
        rank = models.Case(models.When(pk=models.OuterRef("cover_id"), then=0), default=1)
        best = faces.annotate(rank=rank).order_by("rank", "-quality", "pk").values("pk")[:1]
        return self.annotate(cover_face_id=models.Subquery(best))


class Person(models.Model):
    """Somebody who is on photos. A name is given by people only; an unnamed group has an empty one."""

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="people")
    name = models.CharField(max_length=100, blank=True)
    is_hidden = models.BooleanField(default=False)
    cover = models.ForeignKey("Face", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(
                fields=["library", "name"], condition=~Q(name=""), name="one_person_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.pk])

    @property
    def display_name(self) -> str:
        """The name, or a number to tell unnamed groups apart."""
        return self.name or f"Person {self.pk}"

    def photos(self) -> Any:
        """Photos with a face of this person, newest first, without those in the trash."""
        return Photo.objects.filter(faces__person=self, deleted_at__isnull=True).distinct().newest_first()


class FaceQuerySet(ScopedQuerySet["Face"]):
    library_path = "photo__library_id"

    def visible_to(self, user: Any) -> Self:
        """Faces on photos outside the trash."""
        return super().visible_to(user).filter(photo__deleted_at__isnull=True)

    def editable_by(self, user: Any) -> Self:
        return super().editable_by(user).filter(photo__deleted_at__isnull=True)


class Face(models.Model):
    """One face on one photo. The box is in fractions of the upright picture, from its top left corner.

    `assigned_by` says who put the face to its person: what people did is never changed by a machine.
    """

    class AssignedBy(models.TextChoices):
        NOBODY = "", "nobody"
        MACHINE = "machine"
        PERSON = "person", "a person"

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="faces")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="faces")
    assigned_by = models.CharField(max_length=10, choices=AssignedBy, default=AssignedBy.NOBODY, blank=True)
    x1 = models.FloatField()
    y1 = models.FloatField()
    x2 = models.FloatField()
    y2 = models.FloatField()
    landmarks = models.JSONField(default=list, blank=True)
    detection_score = models.FloatField()
    quality = models.FloatField(default=0.0, help_text="0 (useless for recognition) to 1.")
    crop_key = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = FaceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"face {self.pk} on photo {self.photo_id}"

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.x2, self.y2


class FaceModelVersion(models.Model):
    """A detector and recogniser whose vectors can be compared with each other only."""

    version = models.CharField(max_length=200, unique=True)
    dimensions = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.version


class FaceEmbedding(models.Model):
    """The vector of a face by one model; those of several models live side by side."""

    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="embeddings")
    model = models.ForeignKey(FaceModelVersion, on_delete=models.CASCADE, related_name="embeddings")
    vector = HalfVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["face", "model"], name="one_vector_per_face_and_model")
        ]

    def __str__(self) -> str:
        return f"{self.model} of {self.face}"

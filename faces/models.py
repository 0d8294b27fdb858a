"""Faces found on photos, and the people they belong to."""

from datetime import date
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Count, Exists, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from pgvector.django import HalfVectorField

from photos.models import Library, Photo
from photos.querysets import ScopedQuerySet


class PersonQuerySet(ScopedQuerySet["Person"]):
    def with_photo_counts(self) -> Self:
        """Adds `photo_count`: photos outside the trash with a face of the person.

        Counted in the index of (person, photo) alone: looking each photo up would cost most of the time.
        """
        faces = Face.objects.filter(person=models.OuterRef("pk"))
        shown = faces.exclude(photo__in=Photo.objects.in_trash()).values("person")
        photos = shown.annotate(photos=Count("photo_id", distinct=True)).values("photos")
        return self.annotate(photo_count=Coalesce(models.Subquery(photos), 0))

    def on_photos(self) -> Self:
        """Only people with a face on a photo outside the trash."""
        trashed = Photo.objects.in_trash().filter(pk=models.OuterRef("photo_id"))
        faces = Face.objects.filter(~Exists(trashed), person=models.OuterRef("pk"))
        return self.filter(Exists(faces))

    def most_seen_first(self) -> Self:
        """Named people before unnamed groups, then by number of photos."""
        named = models.Case(models.When(name="", then=1), default=0)
        return self.with_photo_counts().order_by(named, "-photo_count", "id")

    def by_photos(self) -> Self:
        """Favourites, then who is on most photos."""
        return self.with_photo_counts().order_by("-is_favorite", "-photo_count", "id")

    def with_cover_faces(self) -> "PersonQuerySet":
        """Adds `cover_face_id`: the chosen cover, else the best face, on a photo outside the trash."""
        faces = Face.objects.filter(person=models.OuterRef("pk"), photo__deleted_at__isnull=True)
        faces = faces.exclude(crop_key="")
        rank = models.Case(models.When(pk=models.OuterRef("cover_id"), then=0), default=1)
        best = faces.annotate(rank=rank).order_by("rank", "-quality", "pk").values("pk")[:1]
        return self.annotate(cover_face_id=models.Subquery(best))

    def curated(self) -> Self:
        """People that somebody named, marked or told apart: a machine never dissolves them."""
        told_apart = PersonDistinction.objects.filter(
            Q(first=models.OuterRef("pk")) | Q(second=models.OuterRef("pk")), is_sure=True
        )
        marked = Q(is_hidden=True) | Q(is_favorite=True) | Q(birth_date__isnull=False) | ~Q(aliases=[])
        return self.filter(~Q(name="") | marked | Exists(told_apart))


class Person(models.Model):
    """Somebody who is on photos. A name is given by people only; an unnamed group has an empty one."""

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="people")
    name = models.CharField(max_length=100, blank=True)
    aliases = models.JSONField(default=list, blank=True, help_text="Other names that find this person.")
    birth_date = models.DateField(
        null=True, blank=True, help_text="No face on an older photo is this person."
    )
    is_favorite = models.BooleanField(default=False)
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

    def age_on(self, day: date) -> int | None:
        """Whole years on that day; None without a birth date or before it."""
        born = self.birth_date
        if born is None or day < born:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def age_in_words(self, day: date) -> str:
        """As in “4 years”; months before the second birthday, days in the first month. "" when not known."""
        years, born = self.age_on(day), self.birth_date
        if years is None or born is None:
            return ""
        if years >= 2:
            return f"{years} years"
        months = 12 * (day.year - born.year) + day.month - born.month - (day.day < born.day)
        count, unit = (months, "month") if months else ((day - born).days, "day")
        return f"{count} {unit}{'' if count == 1 else 's'}"


class FaceQuerySet(ScopedQuerySet["Face"]):
    library_path = "photo__library_id"

    def visible_to(self, user: Any) -> Self:
        """Faces on photos outside the trash, without what somebody said is no face."""
        return super().visible_to(user).filter(photo__deleted_at__isnull=True, is_dismissed=False)

    def editable_by(self, user: Any) -> Self:
        return super().editable_by(user).filter(photo__deleted_at__isnull=True, is_dismissed=False)

    def free(self) -> Self:
        """Faces that a machine may move: nobody assigned them, and nobody curated their person."""
        kept = Person.objects.curated().filter(pk=models.OuterRef("person"))
        by_nobody = self.filter(is_dismissed=False).exclude(assigned_by=Face.AssignedBy.PERSON)
        return by_nobody.filter(~Exists(kept))


class Face(models.Model):
    """One face on one photo. The box is in fractions of the upright picture, from its top left corner.

    `assigned_by` says who put the face to its person: what people did is never changed by a machine. A face
    that somebody said is none stays as a dismissed row, so that the detector does not bring it back.
    """

    class AssignedBy(models.TextChoices):
        NOBODY = "", "nobody"
        MACHINE = "machine"
        PERSON = "person", "a person"

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="faces")
    person = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="faces",
        db_index=False,  # the one of person and photo serves
    )
    assigned_by = models.CharField(max_length=10, choices=AssignedBy, default=AssignedBy.NOBODY, blank=True)
    x1 = models.FloatField()
    y1 = models.FloatField()
    x2 = models.FloatField()
    y2 = models.FloatField()
    is_drawn = models.BooleanField(default=False, help_text="Drawn by hand, or named in the file.")
    is_dismissed = models.BooleanField(default=False, help_text="Somebody said that this is no face.")
    landmarks = models.JSONField(default=list, blank=True)
    detection_score = models.FloatField()
    quality = models.FloatField(default=0.0, help_text="0 (useless for recognition) to 1.")
    crop_key = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = FaceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["person", "photo"], name="face_of_person_on_photo")]

    def __str__(self) -> str:
        return f"face {self.pk} on photo {self.photo_id}"

    @property
    def age(self) -> str:
        """How old the person is on the photo, in words; "" when not known."""
        return self.person.age_in_words(self.photo.taken_at.date()) if self.person else ""

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.x2, self.y2


class FaceRejection(models.Model):
    """Somebody said that this face is not this person, or could not tell (then it is asked again later)."""

    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="rejections")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="rejections")
    is_sure = models.BooleanField(default=True)
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["face", "person"], name="one_answer_per_face_and_person")
        ]

    def __str__(self) -> str:
        return f"{self.face} is {'' if self.is_sure else 'perhaps '}not {self.person}"


class PersonDistinction(models.Model):
    """Somebody said that two people are not one, or could not tell. `first` has the smaller id."""

    first = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    is_sure = models.BooleanField(default=True)
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_answer_per_two_people"),
            models.CheckConstraint(
                condition=Q(first__lt=models.F("second")), name="smaller_person_comes_first"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first} is {'' if self.is_sure else 'perhaps '}not {self.second}"


class JournalQuerySet(ScopedQuerySet["JournalEntry"]):
    def about_person(self, person_id: int) -> Self:
        return self.filter(person_ids__contains=[person_id])

    def about_face(self, face_id: int) -> Self:
        return self.filter(face_ids__contains=[face_id])

    def newest_first(self) -> Self:
        return self.select_related("actor").order_by("-pk")


class JournalEntry(models.Model):
    """What was done to people and faces, by whom, with the facts before and after. Never changed or removed.

    `payload` is that of `facts.difference`. Without an actor it was the machine or an import. An undo is an
    entry of its own that names the undone one.
    """

    class Verb(models.TextChoices):
        CREATE = "create", "created"
        ASSIGN = "assign", "assigned"
        CONFIRM = "confirm", "confirmed"
        REJECT = "reject", "rejected"
        TELL_APART = "tell_apart", "told apart"
        NOT_SURE = "not_sure", "was not sure"
        MERGE = "merge", "merged"
        SPLIT = "split", "split"
        RENAME = "rename", "renamed"
        HIDE = "hide", "hid"
        UNHIDE = "unhide", "showed again"
        FAVORITE = "favorite", "marked as favourite"
        COVER = "cover", "chose a cover"
        BIRTH_DATE = "birth_date", "set the birth date"
        ALIASES = "aliases", "set other names"
        DELETE = "delete", "deleted"
        DISMISS = "dismiss", "said it is no face"
        DRAW = "draw", "drew"
        MOVE = "move", "moved"
        IMPORT = "import", "imported names"
        RECLUSTER = "recluster", "grouped anew"
        UNDO = "undo", "undid"

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="journal")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    verb = models.CharField(max_length=12, choices=Verb)
    summary = models.CharField(max_length=300, help_text="One line for people, with the names of then.")
    at = models.DateTimeField(default=timezone.now)
    payload = models.JSONField(default=dict)
    person_ids = ArrayField(models.BigIntegerField(), default=list)
    face_ids = ArrayField(models.BigIntegerField(), default=list)
    undo_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="undone_by"
    )

    objects: ClassVar[Any] = JournalQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "journal entries"
        indexes = [
            models.Index(fields=["library", "-id"], name="journal_newest"),
            GinIndex(fields=["person_ids"], name="journal_people"),
            GinIndex(fields=["face_ids"], name="journal_faces"),
        ]

    def __str__(self) -> str:
        return self.summary

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Written once. Raises TypeError for a change."""
        if not self._state.adding:
            raise TypeError("The journal is only added to.")
        super().save(*args, **kwargs)


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

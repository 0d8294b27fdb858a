"""Hand-made selections of photos."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from photos.models.library import Library
from photos.models.photo import Photo
from photos.querysets import ScopedQuerySet


class Album(models.Model):
    """A hand-made selection of a library's photos, in an order of its own."""

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="albums")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    cover = models.ForeignKey(Photo, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    photos: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        Photo, through="AlbumPhoto", related_name="albums"
    )

    objects: ClassVar[Any] = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class AlbumPhoto(models.Model):
    """One photo's place in an album."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="entries")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="album_entries")
    position = models.PositiveIntegerField(default=0)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["album", "photo"], name="a_photo_once_per_album")]

    def __str__(self) -> str:
        return f"photo {self.photo_id} in {self.album}"

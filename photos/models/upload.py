"""Originals that are still on their way."""

import uuid

from django.conf import settings
from django.db import models

from photos.models.library import Library
from photos.models.photo import Photo


class ResumableUpload(models.Model):
    """A file that comes in pieces over several requests; its id becomes the photo's UUID.

    `offset` bytes are durable: `parts` (of an S3 multipart upload) and a tail of `tail_size` behind them.
    `generation` rises with each request that writes, so that an older one, still under way, notices.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=500, blank=True, help_text="Known once the type is.")
    upload_id = models.TextField(blank=True)
    parts = models.JSONField(default=list)
    tail_size = models.PositiveIntegerField(default=0)
    photo = models.ForeignKey(Photo, null=True, on_delete=models.CASCADE, related_name="+")
    is_duplicate = models.BooleanField(default=False)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"upload of {self.name}: {self.offset} of {self.size}"

    @property
    def is_complete(self) -> bool:
        return self.offset == self.size

    @property
    def partial_key(self) -> str:
        """Where bytes lie that are in no part yet."""
        return f".uploads/{self.pk.hex}"


class LegacyFile(models.Model):
    """A photo whose original still lies on the old FTP server, at `path` below its base folder."""

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, related_name="legacy_file")
    path = models.TextField()

    def __str__(self) -> str:
        return self.path

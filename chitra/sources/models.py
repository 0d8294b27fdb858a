"""Folders of the server that belong to a library, and the files that scans saw in them."""

from pathlib import Path
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from chitra.sources.listing import Rules
from jobs.models import Job
from photos.clutter import SYSTEM_NAMES
from photos.models import Library, Photo
from photos.querysets import ScopedQuerySet
from photos.storages.folders import folder_key, unescaped

USUAL_EXCLUSIONS = "\n".join((*SYSTEM_NAMES, "*.tmp", "*.part"))


class Folder(models.Model):
    """A folder below CHITRA_SCAN_ROOTS. Nothing in it is ever changed.

    `path` is absolute, without links, and escaped as `photos.storages.folders.escaped` does; `device` is the
    number of the disk that the last scan found it on.
    """

    class Mode(models.TextChoices):
        IN_PLACE = "in_place", "leave originals in the folder and only read them"
        COPIED = "copied", "copy originals into Chitra’s storage"

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="folders")
    path = models.CharField(max_length=250)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.IN_PLACE)
    exclusions = models.TextField(
        blank=True,
        default=USUAL_EXCLUSIONS,
        help_text="One pattern a line: a name such as *.tmp, or a path from the folder such as old/*.",
    )
    with_hidden = models.BooleanField("Hidden files too", default=False)
    schedule_minutes = models.PositiveIntegerField(
        default=0, help_text="Scan again after so many minutes; 0: only when somebody asks."
    )
    is_watched = models.BooleanField(
        "Watch for changes", default=False, help_text="Scan some seconds after a file changed."
    )
    marker = models.CharField(
        "Marker file",
        max_length=200,
        blank=True,
        help_text="A file that must be in the folder, such as .mounted: without it, its disk is not there "
        "and nothing is scanned.",
    )
    device = models.BigIntegerField(null=True, blank=True, editable=False)
    watch_problem = models.TextField(blank=True, editable=False)
    scanned_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    interim = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Counts of a scan that goes on in another slice."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["library", "path"],
                name="one_folder_per_library_and_path",
                violation_error_message="The library has this folder already.",
            )
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def is_in_place(self) -> bool:
        return self.mode == self.Mode.IN_PLACE

    @property
    def rules(self) -> Rules:
        """What scans leave out."""
        lines = tuple(line.strip() for line in self.exclusions.splitlines() if line.strip())
        return Rules(patterns=lines, with_hidden=self.with_hidden)

    @property
    def root(self) -> Path:
        """Where it lies."""
        return Path(unescaped(self.path))

    def key_of(self, path: str) -> str:
        """The storage key of the file at this (escaped) path below the folder."""
        return folder_key(self.pk, f"{self.path.rstrip('/')}/{path}")

    def locate(self, path: str) -> Path:
        """Where the file at this (escaped) path below the folder lies."""
        return self.root / unescaped(path)


class FolderFileQuerySet(ScopedQuerySet["FolderFile"]):
    library_path = "folder__library_id"

    def present(self) -> "FolderFileQuerySet":
        """Those that the last scan saw."""
        return self.filter(missing_since__isnull=True)


class FolderFile(models.Model):
    """A file as a scan saw it: unchanged as long as size and time are these, so it is not read again.

    `photo` is null for a file that is no photo (`problem` says why) and for one whose photo was deleted for
    good, which does not come back by itself. Several files with the same bytes have the same photo.
    """

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="files")
    path = models.TextField(db_collation="C", help_text="Below the folder, escaped.")
    size = models.BigIntegerField()
    mtime_ns = models.BigIntegerField(help_text="Time of change in nanoseconds.")
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256; empty when it was not read.")
    photo = models.ForeignKey(
        Photo, null=True, blank=True, on_delete=models.SET_NULL, related_name="folder_files"
    )
    missing_since = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    picasa = models.JSONField(
        default=list, blank=True, editable=False, help_text="What Picasa’s list said when it was last read."
    )

    objects: ClassVar[Any] = FolderFileQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["folder", "path"], name="one_row_per_folder_and_path")]
        indexes = [
            models.Index(
                fields=["folder", "checksum"],
                condition=models.Q(missing_since__isnull=False),
                name="folder_file_missing",
            )
        ]

    def __str__(self) -> str:
        return self.path

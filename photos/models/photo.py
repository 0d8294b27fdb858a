"""A photo or video of a library: where its bytes lie, and what is known about it."""

import uuid
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from photos.dates.capture_time import CaptureTime, Surroundings
from photos.dates.stamps import Stamp, is_possible
from photos.look_alikes.hash_columns import HashBands
from photos.models.library import Library
from photos.pictures import rendition_key
from photos.places import Place
from photos.querysets import PhotoQuerySet
from photos.words import DESCRIPTION, FILE_NAME, IS_DESCRIBED


class Photo(models.Model):
    """One original and what was read from it.

    `taken_at` is the wall clock where the photo was taken, written as if it were UTC, so that sorting and day
    headings need no zone; `taken_at_utc` is the instant, null when the zone is unknown. Width and height are
    those of the upright picture; coordinates are degrees, positive to the north and east.
    """

    class TakenAtSource(models.TextChoices):
        EXIF_ORIGINAL = "exif_original", "EXIF, time of exposure"
        EXIF_DIGITIZED = "exif_digitized", "EXIF, time of digitisation"
        EXIF_MODIFIED = "exif_modified", "EXIF, time of change"
        XMP = "xmp", "XMP"
        IPTC = "iptc", "IPTC"
        VIDEO = "video", "the video"
        GPS = "gps", "GPS"
        NAME = "name", "the file’s name"
        FILE = "file", "time of the file"
        UPLOAD = "upload", "time of the upload"
        PERSON = "person", "a person"

    class MediaType(models.TextChoices):
        PHOTO = "photo"
        VIDEO = "video"

    class Playback(models.TextChoices):
        """How the film of a video or motion photo can be played; "" for what does not move."""

        NOT_NEEDED = "not_needed", "as it is"
        PENDING = "pending"
        READY = "ready", "from a copy"
        FAILED = "failed"

    class ZoneSource(models.TextChoices):
        UNKNOWN = "", "unknown"
        OFFSET = "offset", "written beside the time"
        GPS = "gps", "GPS clock"
        PLACE = "place", "the place"
        LIBRARY = "library", "the library’s zone"
        PERSON = "person", "a person"

    TIME_FIELDS = (
        "taken_at",
        "taken_at_utc",
        "utc_offset_minutes",
        "taken_at_source",
        "time_zone",
        "zone_source",
    )
    PLACE_FIELDS = ("city", "region", "country", "country_code")

    class Editable(models.TextChoices):
        """What people may correct; once they did, it is locked against what the file says."""

        TIME = "time"
        PLACE = "place"
        TITLE = "title"
        DESCRIPTION = "description"
        RATING = "rating"
        STACK = "stack"

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="photos")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)

    original_name = models.CharField(max_length=255, help_text="The file's name as it was sent.")
    original_key = models.CharField(
        max_length=2000, unique=True, help_text="Where the original lies in storage, or in its folder."
    )
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when a scan has missed the original in its folder."
    )
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the original.")
    sha1 = models.CharField(max_length=40, db_index=True, help_text="SHA-1, which the old clients know.")
    size = models.BigIntegerField(help_text="Bytes of the original.")
    mime_type = models.CharField(max_length=50)
    source_path = models.TextField(blank=True, help_text="Where an import found it.")

    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    media_type = models.CharField(max_length=5, choices=MediaType, default=MediaType.PHOTO)
    is_animated = models.BooleanField(default=False, help_text="A GIF, WebP or AVIF that moves.")
    duration_seconds = models.FloatField(null=True, blank=True, help_text="Of a video.")
    playback_status = models.CharField(max_length=10, choices=Playback, blank=True)
    live_id = models.CharField(max_length=64, blank=True, help_text="What Apple's photo and film share.")
    still = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="clips",
        help_text="The photo that this film belongs to; the timeline shows only that.",
    )
    thumbhash = models.BinaryField(max_length=64, default=b"", blank=True)
    perceptual_hash = models.BigIntegerField(null=True, blank=True, help_text="64 bits, as a signed number.")
    has_renditions = models.BooleanField(default=False)

    taken_at = models.DateTimeField()
    taken_at_utc = models.DateTimeField(null=True, blank=True)
    utc_offset_minutes = models.SmallIntegerField(null=True, blank=True)
    taken_at_source = models.CharField(max_length=20, choices=TakenAtSource, default=TakenAtSource.UPLOAD)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Where place or library tell it.")
    zone_source = models.CharField(max_length=10, choices=ZoneSource, blank=True, default=ZoneSource.UNKNOWN)
    gps_at = models.DateTimeField(null=True, blank=True, help_text="The instant of the GPS clock.")
    file_modified_at = models.DateTimeField(null=True, blank=True, help_text="The time of the file.")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    altitude_metres = models.FloatField(null=True, blank=True)
    city = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=100, blank=True)
    country_code = models.CharField(max_length=2, blank=True, help_text="ISO 3166.")
    camera_make = models.CharField(max_length=200, blank=True)
    camera_model = models.CharField(max_length=200, blank=True)
    lens_model = models.CharField(max_length=200, blank=True)
    iso = models.PositiveIntegerField(null=True, blank=True)
    f_number = models.FloatField(null=True, blank=True)
    exposure_seconds = models.FloatField(null=True, blank=True)
    focal_length_mm = models.FloatField(null=True, blank=True)

    title = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    file_keywords = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, help_text="As last read from the file."
    )
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 to 5 stars.")
    locked_fields = ArrayField(
        models.CharField(max_length=20, choices=Editable),
        default=list,
        blank=True,
        help_text="Said by people and not read from the file again.",
    )
    is_favorite = models.BooleanField(default=False)
    is_archived = models.BooleanField(
        default=False, help_text="Kept out of the timeline, still found by search."
    )

    # The constraint in the migration is of stack and library together.
    stack = models.ForeignKey(
        "Stack",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="photos",
        db_index=False,
        db_constraint=False,
    )
    stack_position = models.IntegerField(
        default=0, help_text="In its stack; the first one that is not in the trash stands for all."
    )
    shot_key = models.BigIntegerField(
        null=True, blank=True, help_text="Equal for files of one shot in one folder."
    )
    burst_id = models.CharField(max_length=64, blank=True, help_text="What the photos of a burst share.")

    created_at = models.DateTimeField(default=timezone.now, help_text="When it came into the library.")
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = PhotoQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["library", "checksum"], name="one_photo_per_library_and_checksum"
            ),
            models.UniqueConstraint(
                fields=["stack", "stack_position"],
                name="one_photo_per_place_in_a_stack",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]
        indexes = [
            models.Index(
                fields=["library", "-taken_at", "-id"],
                condition=Q(deleted_at__isnull=True),
                name="photo_timeline",
            ),
            # A page of whatever libraries somebody sees; the one above is in order within one library only.
            models.Index(
                fields=["-taken_at", "-id"], condition=Q(deleted_at__isnull=True), name="photo_newest"
            ),
            # The trash is small: what is counted without it reads this and not the photos.
            models.Index(fields=["id"], condition=Q(deleted_at__isnull=False), name="photo_trashed"),
            models.Index(fields=["library", "size"], name="photo_size"),
            models.Index(fields=["library", "live_id"], condition=~Q(live_id=""), name="photo_live_id"),
            # The neighbourhoods in which stacks are looked for.
            models.Index(
                fields=["library", "shot_key"], condition=Q(shot_key__isnull=False), name="photo_shot"
            ),
            models.Index(fields=["library", "burst_id"], condition=~Q(burst_id=""), name="photo_burst"),
            models.Index(
                fields=["library", "camera_model", "taken_at"],
                condition=~Q(camera_model=""),
                name="photo_camera_time",
            ),
            GinIndex(
                HashBands("perceptual_hash"), condition=Q(perceptual_hash__isnull=False), name="photo_look"
            ),
            # The map is counted from this alone, without the rows.
            models.Index(
                fields=["longitude", "latitude"],
                include=["id", "library", "has_renditions"],
                condition=Q(deleted_at__isnull=True, latitude__isnull=False, longitude__isnull=False),
                name="photo_map",
            ),
            # For words of a query that may be places; most photos have none of them.
            models.Index(Lower("city"), condition=~Q(city=""), name="photo_city"),
            models.Index(Lower("region"), condition=~Q(region=""), name="photo_region"),
            models.Index(Lower("country"), condition=~Q(country=""), name="photo_country"),
            GinIndex(DESCRIPTION, condition=IS_DESCRIBED, name="photo_described"),
            models.Index(FILE_NAME, name="photo_file_name"),
        ]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return reverse("photo", args=[self.pk])

    def rendition_key(self, kind: str) -> str:
        """Storage key of a rendition: `thumbnail`, `preview` or `playback`."""
        return rendition_key(self.library_id, self.uuid, kind)

    @property
    def rendition_kinds(self) -> tuple[str, ...]:
        """Those that are there once the photo has renditions."""
        has_film = self.playback_status == self.Playback.READY
        return ("thumbnail", "preview", "playback") if has_film else ("thumbnail", "preview")

    @property
    def is_video(self) -> bool:
        return self.media_type == self.MediaType.VIDEO

    @property
    def duration_text(self) -> str:
        """“0:07” or “1:02:33”; "" while it is not known."""
        if self.duration_seconds is None:
            return ""
        minutes, seconds = divmod(round(self.duration_seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    @property
    def can_be_played(self) -> bool:
        """Whether there is a film that browsers play."""
        return self.playback_status in (self.Playback.NOT_NEEDED, self.Playback.READY)

    @property
    def film(self) -> "Photo | None":
        """Whose film the photo's page plays: its own, or that of the file beside it."""
        if self.playback_status:
            return self
        clip: Photo | None = self.clips.filter(deleted_at=None).first()
        return clip

    @property
    def thumbhash_base64(self) -> str:
        """The thumbhash as text for pages, "" while there is none."""
        return b64encode(bytes(self.thumbhash)).decode() if self.thumbhash else ""

    @property
    def type_name(self) -> str:
        """“NEF”, “JPEG”: what sort of file the original is."""
        return self.mime_type.partition("/")[2].removeprefix("x-").rpartition("-")[2].upper()

    @property
    def aspect_ratio(self) -> float:
        """Width over height of the upright picture, 1 while it is not known."""
        return self.width / self.height if self.width and self.height else 1.0

    @property
    def has_place(self) -> bool:
        return self.latitude is not None and self.longitude is not None

    @property
    def coordinates(self) -> tuple[float, float] | None:
        """Degrees north and east."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude

    @property
    def wall_clock(self) -> datetime:
        """`taken_at` as it is meant: naive."""
        return self.taken_at.astimezone(UTC).replace(tzinfo=None)

    @property
    def is_dated_elsewhere(self) -> bool:
        """Whether its time came with it from another system, which read it from the file or knew better."""
        own = {"name", "file", "upload"}
        is_usable = is_possible(self.wall_clock) and not Stamp(self.wall_clock).starts_a_clock
        return self.file_modified_at is None and self.taken_at_source not in own and is_usable

    def surroundings(self) -> Surroundings:
        """What tells its time beside the tags of its file. One query for the library, unless it is there."""
        file_at = self.file_modified_at
        if file_at is None and self.taken_at_source == self.TakenAtSource.FILE:
            file_at = self.wall_clock.replace(tzinfo=timezone.get_default_timezone())
        return Surroundings(
            name=self.original_name,
            file_at=file_at,
            uploaded_at=self.created_at,
            place=self.coordinates,
            library_zone=self.library.time_zone,
            server_zone=settings.TIME_ZONE,
        )

    @property
    def time_zone_of_place(self) -> bool:
        """Whether `time_zone` is that of the place and not the library's."""
        return bool(self.time_zone) and self.zone_source != self.ZoneSource.LIBRARY

    def is_locked(self, field: str) -> bool:
        """Whether a person said this `Editable`."""
        return field in self.locked_fields

    @property
    def place_name(self) -> str:
        """“Paris, Île-de-France, France”, as far as known; no name twice."""
        return ", ".join(dict.fromkeys(name for name in (self.city, self.region, self.country) if name))

    def set_place(self, place: Place) -> None:
        """Write PLACE_FIELDS; not saved."""
        self.city, self.region = place.city, place.region
        self.country, self.country_code = place.country, place.country_code

    def set_time(self, time: CaptureTime) -> None:
        """Write TIME_FIELDS; not saved."""
        self.taken_at = time.wall.replace(tzinfo=UTC)
        self.taken_at_utc = time.utc
        self.utc_offset_minutes = time.offset_minutes
        self.taken_at_source = self.TakenAtSource(time.source)
        self.time_zone = time.zone
        self.zone_source = self.ZoneSource(time.zone_source)

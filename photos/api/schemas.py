"""What the endpoints of photos answer, for the OpenAPI schema; PostgreSQL writes the rows themselves."""

from typing import Any

from rest_framework import serializers

from photos.api.fields import Body, FlagField


class PhotoObject(serializers.Serializer[Any]):
    """A photo. Times are wall clocks without a zone; `score` is null outside search."""

    id = serializers.IntegerField()
    file_path = serializers.CharField(help_text="Storage key of the original.")
    size = serializers.IntegerField(help_text="Bytes.", allow_null=True)
    created_at = serializers.CharField(help_text="When it was taken, as far as known: YYYY-MM-DDTHH:MM:SS.")
    checksum = serializers.CharField(help_text="SHA-1.", allow_null=True)
    phash = serializers.CharField(help_text="Perceptual hash, 16 hex digits; empty while there is none.")
    exif_datetime = serializers.CharField(help_text="When EXIF says it was taken, or empty.")
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    thumb_path = serializers.CharField(help_text="Storage key of the thumbnail.", allow_null=True)
    score = serializers.FloatField(allow_null=True)
    media_type = serializers.ChoiceField(choices=["photo", "video"])
    duration_seconds = serializers.FloatField(allow_null=True)
    width = serializers.IntegerField(help_text="Of the upright picture.", allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    playback_status = serializers.CharField(allow_null=True)
    name = serializers.CharField(help_text="The file's name as it was sent.")
    mime_type = serializers.CharField()
    sha256 = serializers.CharField()
    thumbhash = serializers.CharField(help_text="Base64; empty while there is none.")
    has_renditions = serializers.BooleanField()
    camera = serializers.CharField()
    city = serializers.CharField(help_text="Empty when unknown, like region and country.")
    region = serializers.CharField()
    country = serializers.CharField()
    country_code = serializers.CharField(help_text="ISO 3166, two letters, or empty.")
    taken_at_utc = serializers.CharField(
        help_text="The instant, with Z; null when the zone is unknown.", allow_null=True
    )
    utc_offset_minutes = serializers.IntegerField(
        help_text="How far the wall clock was ahead.", allow_null=True
    )
    taken_at_source = serializers.CharField(help_text="Where `created_at` comes from.")
    zone_source = serializers.CharField(help_text="Where the offset comes from, or empty.")
    uploaded_at = serializers.CharField()
    library_id = serializers.IntegerField()
    title = serializers.CharField()
    description = serializers.CharField()
    rating = serializers.IntegerField(help_text="0 to 5 stars.", allow_null=True)
    favorite = serializers.BooleanField()
    archived = serializers.BooleanField(help_text="Kept out of the timeline, still found by search.")
    stack_id = serializers.IntegerField(
        help_text="The stack it is in: its RAW file, the rest of its burst …", allow_null=True
    )


class PhotoPage(serializers.Serializer[Any]):
    items = PhotoObject(many=True)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField(required=False, help_text="Not in a page by cursor.")
    total = serializers.IntegerField(required=False, help_text="Not in a page by cursor.")
    next_cursor = serializers.CharField(
        required=False, allow_null=True, help_text="Only in a page by cursor; null at the end."
    )


class SearchResults(serializers.Serializer[Any]):
    query = serializers.CharField()
    results = PhotoObject(many=True)


class SimilarPhotos(serializers.Serializer[Any]):
    photo_id = serializers.IntegerField()
    results = PhotoObject(many=True)


class DuplicateGroup(serializers.Serializer[Any]):
    size = serializers.IntegerField()
    photos = PhotoObject(many=True)


class DuplicateGroups(serializers.Serializer[Any]):
    max_distance = serializers.IntegerField()
    group_count = serializers.IntegerField()
    groups = DuplicateGroup(many=True)


class Progress(serializers.Serializer[Any]):
    steps = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="Number of photos by step and state.",
    )


class DeletedPhoto(serializers.Serializer[Any]):
    message = serializers.CharField()
    photo_id = serializers.IntegerField()


class EditAnswer(serializers.Serializer[Any]):
    edit_id = serializers.IntegerField(
        help_text="By which to undo; null when nothing changed.", allow_null=True
    )
    photo = PhotoObject()


class UndoAnswer(serializers.Serializer[Any]):
    restored = serializers.IntegerField(help_text="Photos that are as before.")
    left = serializers.IntegerField(help_text="Photos changed since, left alone.")


class DateMove(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    before = serializers.CharField(help_text="Wall clock.")
    after = serializers.CharField()


class DateProposal(serializers.Serializer[Any]):
    library_id = serializers.IntegerField()
    key = serializers.CharField(help_text="To apply just this.")
    kind = serializers.ChoiceField(choices=["gps", "neighbours", "name", "unset"])
    reason = serializers.CharField()
    photos = DateMove(many=True)


class DateProposals(serializers.Serializer[Any]):
    items = DateProposal(many=True)


class AppliedDates(serializers.Serializer[Any]):
    edit_id = serializers.IntegerField(help_text="By which to undo.")
    photos = serializers.IntegerField()


class OkAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()


class PhotoTag(serializers.Serializer[Any]):
    tag = serializers.CharField()
    score = serializers.FloatField()
    source = serializers.CharField(help_text="“person”, “file” or “machine”.")  # type: ignore[assignment]


class PhotoTags(serializers.Serializer[Any]):
    photo_id = serializers.IntegerField()
    tags = PhotoTag(many=True)


class TagSpread(serializers.Serializer[Any]):
    tag = serializers.CharField()
    count = serializers.IntegerField()
    avg_score = serializers.FloatField()
    min_score = serializers.FloatField()
    max_score = serializers.FloatField()


class TagList(serializers.Serializer[Any]):
    tags = TagSpread(many=True)
    total = serializers.IntegerField(help_text="Number of different tags.")


class UploadForm(Body):
    file = serializers.FileField(required=False)
    files = serializers.ListField(child=serializers.FileField(), required=False)
    auto_process = FlagField(required=False, default=True, lenient=True)

    rules = {"anyOf": [{"required": ["file"]}, {"required": ["files"]}]}


class SavedPhoto(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    file_path = serializers.CharField()
    storage_url = serializers.CharField()
    thumbnail = serializers.CharField(allow_null=True)
    thumbnail_url = serializers.CharField(allow_null=True)
    checksum = serializers.CharField()
    sha256 = serializers.CharField()
    media_type = serializers.ChoiceField(choices=["photo", "video"])
    transcode_status = serializers.CharField(allow_null=True)


class DuplicatePhoto(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    file_path = serializers.CharField()
    duplicate = serializers.BooleanField()
    message = serializers.CharField()


class UploadAnswer(serializers.Serializer[Any]):
    saved = SavedPhoto(many=True)
    duplicates = DuplicatePhoto(many=True, required=False)
    errors = serializers.ListField(child=serializers.CharField(), required=False)  # type: ignore[assignment]


class PathAndReason(serializers.Serializer[Any]):
    path = serializers.CharField()
    reason = serializers.CharField()


class ScanAnswer(serializers.Serializer[Any]):
    root = serializers.CharField()  # type: ignore[assignment]
    processed = serializers.IntegerField()
    imported = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    skipped = PathAndReason(many=True)
    failed = PathAndReason(many=True)

"""What is set for a library as a whole."""

from django.core.exceptions import ValidationError
from django.db import transaction

from jobs import ledger
from photos.models import Library, Photo, PhotoStep


def set_time_zone(*, library: Library, zone: str) -> int:
    """The zone of photos that do not tell theirs, "" for unknown; those are read again. Returns how many.

    Raises ValidationError for a name that is none.
    """
    library.time_zone = zone.strip()
    try:
        library.clean_fields(exclude=["name"])
    except ValidationError as error:
        raise ValidationError(error.messages) from None
    with transaction.atomic():
        library.save(update_fields=["time_zone"])
        sources = [Photo.ZoneSource.UNKNOWN, Photo.ZoneSource.LIBRARY]
        affected = Photo.objects.filter(library=library, zone_source__in=sources)
        return ledger.reset(PhotoStep.objects.filter(step="metadata", photo__in=affected))

"""Checks of values that people type."""

from django.core.exceptions import ValidationError

from photos.dates.zones import zone_names


def validate_zone(name: str) -> None:
    """The name of a time zone, as the tz database spells it."""
    if name not in zone_names():
        raise ValidationError(
            "There is no time zone “%(name)s”. An example: Europe/Paris.", params={"name": name}
        )

"""What people type about a photo."""

import re
from datetime import datetime
from typing import Any

from django import forms

from photos.dates.stamps import parse_offset
from photos.editing import WallClock
from photos.models import Photo

COORDINATES = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*$")


class WallClockField(forms.Field):
    """A moment without a zone; Django's own field would put the server's on it."""

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, datetime) or not value:
            return value or None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except ValueError:
            raise forms.ValidationError("Write a date and a time.") from None


class DetailsForm(forms.Form):
    """Title, description, rating, time and place; `changes` holds only what differs from the photo."""

    title = forms.CharField(required=False, max_length=300)
    description = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))
    rating = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "No rating"), *((stars, "★" * stars or "0 stars") for stars in range(6))],
    )
    wall_clock = WallClockField(
        label="Taken at",
        help_text="As the clock at that place showed it.",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}),
    )
    offset = forms.CharField(
        label="Ahead of UTC",
        required=False,
        max_length=6,
        widget=forms.TextInput(attrs={"placeholder": "+02:00", "autocomplete": "off"}),
    )
    place = forms.CharField(
        label="Degrees north, east",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"placeholder": "48.8584, 2.2945", "autocomplete": "off"}),
    )

    def __init__(self, photo: Photo, data: Any = None) -> None:
        self.photo = photo
        super().__init__(data, initial=as_typed(photo))

    def clean_offset(self) -> int | None:
        text: str = self.cleaned_data["offset"].strip().replace("−", "-")
        if text and (minutes := parse_offset(text)) is not None:
            return minutes
        if text:
            raise forms.ValidationError("Write it like +02:00 or -05:30.")
        return None

    def clean_place(self) -> tuple[float, float] | None:
        text: str = self.cleaned_data["place"]
        if not text.strip():
            return None
        match = COORDINATES.match(text)
        if match is None:
            raise forms.ValidationError("Write two numbers, like 48.8584, 2.2945.")
        return float(match[1]), float(match[2])

    def changes(self) -> dict[str, Any]:
        """For `edit_photo`."""
        changed = set(self.changed_data)
        values = {name: self.cleaned_data[name] for name in ("title", "description", "rating", "place")}
        result = {name: value for name, value in values.items() if name in changed}
        if changed & {"wall_clock", "offset"}:
            wall = self.cleaned_data["wall_clock"]
            if "wall_clock" not in changed:
                wall = self.photo.wall_clock  # to the microsecond
            # An offset left as it was belongs to the zone, which may have had another one on the new day.
            offset = self.cleaned_data["offset"] if "offset" in changed else None
            result["time"] = WallClock(wall, offset)
        return result


class CorrectManyForm(forms.Form):
    """Time and place of several photos: all move with the earliest, all get the same place."""

    earliest = WallClockField(
        label="The earliest was taken at",
        required=False,
        help_text="The others move by the same time.",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}),
    )
    place = forms.CharField(
        label="Degrees north, east",
        required=False,
        max_length=60,
        help_text="Empty leaves the places as they are.",
        widget=forms.TextInput(attrs={"placeholder": "48.8584, 2.2945", "autocomplete": "off"}),
    )

    clean_place = DetailsForm.clean_place


def as_typed(photo: Photo) -> dict[str, Any]:
    """The photo's values as they stand in the fields."""
    place = photo.coordinates
    return {
        "title": photo.title,
        "description": photo.description,
        "rating": photo.rating,
        "wall_clock": photo.wall_clock.replace(microsecond=0),
        "offset": offset_as_typed(photo.utc_offset_minutes),
        "place": f"{place[0]:.6g}, {place[1]:.6g}" if place else "",
    }


def offset_as_typed(minutes: int | None) -> str:
    """“+05:30”, "" for unknown."""
    if minutes is None:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"

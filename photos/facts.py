"""What a photo's page tells about it, in words."""

from dataclasses import dataclass
from datetime import UTC

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format

from photos.models import Photo

ZONE_WORDS = {
    "offset": "the camera",
    "gps": "the GPS clock",
    "place": "the place",
    "library": "the library’s zone",
    "person": "a person",
}


@dataclass(frozen=True)
class Fact:
    """One line with an icon, smaller words below it, and perhaps a link."""

    icon: str
    text: str
    details: str = ""
    link: str = ""


def facts_of(photo: Photo) -> list[Fact]:
    """When, with what and where the photo was taken, and its file."""
    return [
        fact
        for fact in (
            missing_fact(photo),
            time_fact(photo),
            camera_fact(photo),
            place_fact(photo),
            file_fact(photo),
        )
        if fact
    ]


def missing_fact(photo: Photo) -> Fact | None:
    """That the original is not where it was, when a scan found so."""
    if photo.missing_since is None:
        return None
    since = date_format(photo.missing_since, "j F Y")
    details = f"Not in its folder since {since}: {photo.source_path}"
    return Fact("warning", "The original is missing", details)


def time_fact(photo: Photo) -> Fact:
    taken_at = photo.taken_at.astimezone(UTC)
    text = f"{date_format(taken_at, 'l, j F Y')}, {taken_at:%H:%M:%S}"
    source = Photo.TakenAtSource(photo.taken_at_source).label
    return Fact("clock", text, f"{zone_of(photo)} · from {source}")


def zone_of(photo: Photo) -> str:
    """“UTC+2, Europe/Paris (from the place)”, as far as known."""
    text = zone_text(photo.utc_offset_minutes)
    if photo.utc_offset_minutes is None or not photo.zone_source:
        return text
    name = f", {photo.time_zone.replace('_', ' ')}" if photo.time_zone else ""
    return f"{text}{name} (from {ZONE_WORDS[photo.zone_source]})"


def zone_text(offset_minutes: int | None) -> str:
    """“UTC+5:30”, or that the zone is not known."""
    if offset_minutes is None:
        return "zone unknown"
    hours, minutes = divmod(abs(offset_minutes), 60)
    sign = "−" if offset_minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


def camera_fact(photo: Photo) -> Fact | None:
    camera = device_name(photo.camera_make, photo.camera_model)
    details = " · ".join(part for part in (photo.lens_model, exposure_text(photo)) if part)
    return Fact("camera", camera or "Camera unknown", details) if camera or details else None


def device_name(make: str, model: str) -> str:
    """Maker and model, the maker once: NIKON CORPORATION's are “NIKON D90”."""
    maker = make.casefold().partition(" ")[0]
    return model if model.casefold().startswith(maker) else f"{make} {model}".strip()


def exposure_text(photo: Photo) -> str:
    """“1/250 s · ƒ/2.8 · ISO 100 · 35 mm”, as far as known."""
    parts = []
    if photo.exposure_seconds:
        parts.append(shutter_text(photo.exposure_seconds))
    if photo.f_number:
        parts.append(f"ƒ/{photo.f_number:g}")
    if photo.iso:
        parts.append(f"ISO {photo.iso}")
    if photo.focal_length_mm:
        parts.append(f"{photo.focal_length_mm:.3g} mm")
    return " · ".join(parts)


def shutter_text(seconds: float) -> str:
    """An exposure time as cameras write it."""
    return f"1/{round(1 / seconds)} s" if seconds < 0.3 else f"{seconds:.3g} s"


def place_fact(photo: Photo) -> Fact | None:
    latitude, longitude = photo.latitude, photo.longitude
    if latitude is None or longitude is None:
        return Fact("place", photo.place_name) if photo.place_name else None
    north_south, east_west = "S" if latitude < 0 else "N", "W" if longitude < 0 else "E"
    degrees = f"{abs(latitude):.5f}° {north_south}, {abs(longitude):.5f}° {east_west}"
    altitude = photo.altitude_metres
    height = f"{altitude:.0f} m above the sea" if altitude is not None else ""
    text, *others = [part for part in (photo.place_name, degrees, height) if part]
    query = f"mlat={latitude:.5f}&mlon={longitude:.5f}"
    return Fact("place", text, " · ".join(others), f"https://www.openstreetmap.org/?{query}&zoom=15")


def file_fact(photo: Photo) -> Fact:
    kind = photo.mime_type.partition("/")[2].removeprefix("x-").upper()
    details = [kind, filesizeformat(photo.size)]
    if photo.width and photo.height:
        details += [f"{photo.width} × {photo.height}", f"{photo.width * photo.height / 1e6:.1f} megapixels"]
    if photo.is_video and photo.duration_text:
        details.append(photo.duration_text)
    return Fact("file", photo.original_name, " · ".join(details))

"""Pictures in the lists of the admin."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from photos.models import Photo

IMAGE = '<img src="{}" alt="" width="{}" height="{}" loading="lazy" style="object-fit: cover">'


def image(url: str, pixels: int) -> SafeString:
    """A square picture, loaded when it comes into view."""
    return format_html(IMAGE, url, pixels, pixels)


def photo_thumbnail(photo: Photo, pixels: int = 60) -> SafeString | str:
    """The thumbnail over the API, which shows it to members of the library only; "" where there is none."""
    if not photo.has_renditions or photo.deleted_at is not None:
        return ""
    return image(reverse("api-photo-thumbnail", args=[photo.pk]), pixels)

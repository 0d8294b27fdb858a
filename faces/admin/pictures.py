"""Pictures of faces in the admin."""

from django.urls import reverse
from django.utils.safestring import SafeString

from photos.admin import image


def face_crop(face_id: int | None, pixels: int = 60) -> SafeString | str:
    """The crop over the API, which shows it to members of the library only; "" for no face."""
    return image(reverse("api-face-thumbnail", args=[face_id]), pixels) if face_id else ""

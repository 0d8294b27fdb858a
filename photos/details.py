"""What the page of a photo says about it, and whether the reader may correct it."""

from typing import Any

from photos.facts import facts_of
from photos.models import Photo
from photos.services import editable_library_ids
from photos.views.forms import DetailsForm


def details_context(user: Any, photo: Photo) -> dict[str, Any]:
    """For `photos/_details.html`."""
    can_edit = photo.library_id in editable_library_ids(user)
    return {
        "photo": photo,
        "facts": facts_of(photo),
        "can_edit": can_edit,
        "form": DetailsForm(photo) if can_edit else None,
        "locked": [Photo.Editable(field) for field in photo.locked_fields if field != Photo.Editable.STACK],
    }

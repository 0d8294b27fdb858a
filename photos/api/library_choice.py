"""Which library a request of the API adds to: `library` (an id) in the address or the body may say."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from photos.api.errors import validated
from photos.api.fields import Body, WholeNumberField
from photos.models import Library


class LibraryParameters(Body):
    library = WholeNumberField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**63 - 1,
        help_text="Id of the library; without it the oldest one that you own, else edit.",
    )


def chosen_library(request: Request, body: Mapping[str, Any] | None = None) -> Library:
    """The library that the request names, else the user's home.

    NotFound for one that the user may not change, Unprocessable for what is no id.
    """
    for values in (request.query_params, body or {}):
        library_id = validated(LibraryParameters, values)["library"]
        if library_id is not None:
            library: Library | None = Library.objects.editable_by(request.user).filter(pk=library_id).first()
            if library is None:
                message = "There is no such library, or you may only look at it."
                raise NotFound(message, code="library_not_found")
            return library
    return Library.objects.home_of(request.user)

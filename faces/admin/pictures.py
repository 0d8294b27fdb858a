"""Pictures of faces in the admin.

They come over the API, hence only to members of a photo's library; all others see a neutral tile.
"""

from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from faces.models import Face
from photos.admin.pictures import image
from photos.models import Membership

TILE = (
    '<span title="{}" style="display: inline-block; width: {}px; height: {}px; border-radius: 4px; '
    'background: var(--hairline-color)"></span>'
)
NOT_YOURS = "No picture: it has none yet, or you are not a member of its library."


def with_pictures(rows: Any, user: Any, face: str = "") -> Any:
    """Adds `is_pictured`: whether the API will show the crop of the row's face to this user.

    `face` is the lookup from the row to the face. Told by columns of joined rows: for a subquery over faces
    PostgreSQL would read all of them.
    """
    mine = Membership.objects.filter(user=user.pk).values("library")
    shown = Q(
        ~Q(**{f"{face}crop_key": ""}),
        **{
            f"{face}photo__library__in": mine,
            f"{face}photo__deleted_at": None,
            f"{face}is_dismissed": False,
        },
    )
    return rows.annotate(is_pictured=ExpressionWrapper(shown, BooleanField()))


def face_crop(face_id: int | None, pixels: int = 60) -> SafeString:
    """The crop of a face that the user may see; a neutral tile of the same size for None."""
    if face_id is None:
        return format_html(TILE, NOT_YOURS, pixels, pixels)
    return image(reverse("api-face-thumbnail", args=[face_id]), pixels)


def crop_of(face: Any, pixels: int = 60) -> SafeString:
    """The crop of one of `with_pictures`."""
    return face_crop(face.pk if face.is_pictured else None, pixels)


def best_faces(people: list[int], user: Any, each: int) -> dict[int, list[Any]]:
    """The best faces of each of these people, at most `each`, with pictures. One query."""
    rank = Window(RowNumber(), partition_by=F("person"), order_by=[F("quality").desc(), F("pk")])
    ranked = Face.objects.filter(person__in=people).annotate(rank=rank).filter(rank__lte=each)
    found: dict[int, list[Any]] = {}
    for face in with_pictures(ranked, user).order_by("person", "rank"):
        found.setdefault(face.person_id, []).append(face)
    return found


def sizes_of(people: list[int]) -> dict[int, int]:
    """Number of faces by person."""
    rows: QuerySet[Any] = Face.objects.filter(person__in=people).order_by()
    return dict(rows.values_list("person").annotate(n=Count("pk")))

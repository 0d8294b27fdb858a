"""The REST API of the date doctor."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos import date_doctor
from photos.api.errors import Conflict, validated
from photos.api.fields import Body, IdField, TextField
from photos.api.schemas import AppliedDates, DateProposals
from photos.dates.date_finder import Proposal
from photos.models import Library


class ApplyBody(Body):
    library_id = IdField()
    key = TextField(max_length=64)


@extend_schema(summary="Find wrong dates", responses=DateProposals)
@api_view(["GET", "HEAD"])
async def proposals(request: Request) -> Response:
    """Corrections: `{items: [{library_id, key, kind, reason, photos: [{id, before, after}]}]}`."""
    return await sync_to_async(proposals_sync)(request.user)


def proposals_sync(user: Any) -> Response:
    ids = list(Library.objects.editable_by(user).values_list("pk", flat=True))
    found = date_doctor.proposals_by_library(ids)
    items = [as_json(library_id, proposal) for library_id in found for proposal in found[library_id]]
    return Response({"items": items})


def as_json(library_id: int, proposal: Proposal) -> dict[str, Any]:
    photos = [
        {"id": move.pk, "before": move.before.isoformat(), "after": move.after.isoformat()}
        for move in proposal.moves
    ]
    return {
        "library_id": library_id,
        "key": proposal.key,
        "kind": proposal.kind,
        "reason": proposal.reason,
        "photos": photos,
    }


@extend_schema(
    summary="Correct wrong dates", request=ApplyBody, responses={200: AppliedDates, 404: None, 409: None}
)
@api_view(["POST"])
async def apply(request: Request) -> Response:
    """Carry out a proposal: `{edit_id, photos}`; `edits/<id>/undo` undoes it. 409 when it no longer holds."""
    body = validated(ApplyBody, request.data)
    return await sync_to_async(apply_sync)(request.user, body["library_id"], body["key"])


def apply_sync(user: Any, library_id: int, key: str) -> Response:
    library = Library.objects.editable_by(user).filter(pk=library_id).first()
    if library is None:
        raise NotFound("There is no such library.", code="library_not_found")
    try:
        edit = date_doctor.apply(library=library, key=key, actor=user)
    except date_doctor.NoSuchProposal:
        raise Conflict("The photos have changed meanwhile; ask again.", code="proposal_outdated") from None
    return Response({"edit_id": edit.pk, "photos": edit.photos.count()})

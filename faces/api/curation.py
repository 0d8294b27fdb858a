"""The REST API of curation: suggestions, journal, single faces."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from faces import curation, people, suggestions
from faces.api import curation_schemas as schemas
from faces.api.people import as_api_error, face_json, person_for
from faces.api.schemas import FaceObject
from faces.api.serializers import (
    AnswerBody,
    BoxBody,
    BulkAssignBody,
    DrawBody,
    JournalParameters,
    RejectBody,
    SuggestionParameters,
)
from faces.journal import written_entries
from faces.models import Face, JournalEntry
from faces.services import model_version, pack_choice
from faces.undo import undo
from jobs.api import iso
from photos.api.errors import validated
from photos.api.library_choice import LibraryParameters, chosen_library
from photos.api.schemas import OkAnswer
from photos.models import Photo

STATUS_OK = {"status": "ok"}


@contextmanager
def people_errors() -> Iterator[None]:
    """A PeopleError becomes the answer that tells it."""
    try:
        yield
    except people.PeopleError as error:
        raise as_api_error(error) from None


def faces_for(user: Any, face_ids: list[int]) -> list[Face]:
    """All of these faces for editing, or 404 when one is not the user's to change."""
    found = list(Face.objects.editable_by(user).select_related("photo", "person").filter(pk__in=face_ids))
    if len(found) < len(set(face_ids)):
        raise NotFound("There is no such face.", code="face_not_found")
    return found


async def carry_out(work: Callable[..., dict[str, Any]], *arguments: Any) -> Response:
    """One hop to synchronous code, one answer."""

    def run() -> dict[str, Any]:
        with people_errors():
            return work(*arguments)

    return Response(await sync_to_async(run)())


# --- suggestions --------------------------------------------------------------------------------------------


@extend_schema(
    summary="Questions about people",
    parameters=[SuggestionParameters, LibraryParameters],
    responses=schemas.SuggestionList,
)
@api_view(["GET", "HEAD"])
async def list_suggestions(request: Request) -> Response:
    """“Is this the same person?”, most useful first: `{items: [{person_id, face_id | other_id, …}]}`."""
    limit = validated(SuggestionParameters, request.query_params)["limit"]
    return await carry_out(suggestions_of, request, limit)


def suggestions_of(request: Request, limit: int) -> dict[str, Any]:
    choice = pack_choice()
    library = chosen_library(request)
    questions = suggestions.queue(
        request.user, library.pk, model_version(choice), threshold=choice.match_threshold, limit=limit
    )
    return {"items": [suggestion_json(question) for question in questions]}


def suggestion_json(question: suggestions.Suggestion) -> dict[str, Any]:
    return {
        "person_id": question.person.pk,
        "person_name": question.person.display_name,
        "face_id": question.face.pk if question.face else None,
        "photo_id": question.face.photo_id if question.face else None,
        "other_id": question.other.pk if question.other else None,
        "other_name": question.other.display_name if question.other else None,
        "similarity": round(question.similarity, 4),
        "faces": question.faces,
    }


@extend_schema(
    summary="Answer a question",
    request=AnswerBody,
    responses={200: schemas.AnsweredQuestion, 404: None},
)
@api_view(["POST"])
async def answer_suggestion(request: Request) -> Response:
    """`{person_id, face_id | other_id, answer: yes | no | unsure}`; answers the `entry` in the journal."""
    return await carry_out(answer, request.user, validated(AnswerBody, request.data))


def answer(user: Any, body: dict[str, Any]) -> dict[str, Any]:
    person = person_for(user, body["person_id"], edit=True)
    with written_entries() as entries:
        if "face_id" in body:
            [face] = faces_for(user, [body["face_id"]])
            suggestions.answer_face(face=face, person=person, answer=body["answer"], actor=user)
        else:
            other = person_for(user, body["other_id"], edit=True)
            suggestions.answer_people(person=person, other=other, answer=body["answer"], actor=user)
    return {**STATUS_OK, "entry": entries[-1].pk if entries else None}


# --- journal ------------------------------------------------------------------------------------------------


@extend_schema(
    summary="What was done to people", parameters=[JournalParameters], responses=schemas.JournalPage
)
@api_view(["GET", "HEAD"])
async def journal(request: Request) -> Response:
    """What was done, newest first: `{items, next}`; `next` is the `before` of the next page, or null."""
    return await carry_out(journal_page, request.user, validated(JournalParameters, request.query_params))


def journal_page(user: Any, page: dict[str, Any]) -> dict[str, Any]:
    entries = JournalEntry.objects.visible_to(user)
    if "person_id" in page:
        entries = entries.about_person(page["person_id"])
    if "face_id" in page:
        entries = entries.about_face(page["face_id"])
    if "before" in page:
        entries = entries.filter(pk__lt=page["before"])
    rows = list(entries.newest_first().defer("payload")[: page["limit"] + 1])
    more = len(rows) > page["limit"]
    rows = rows[: page["limit"]]
    return {"items": [entry_json(row) for row in rows], "next": rows[-1].pk if more else None}


def entry_json(entry: JournalEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": iso(entry.at),
        "actor": str(entry.actor) if entry.actor else None,
        "verb": entry.verb,
        "summary": entry.summary,
        "person_ids": entry.person_ids[:100],
        "face_count": len(entry.face_ids),
        "undo_of": entry.undo_of_id,
    }


@extend_schema(summary="Undo an entry", request=None, responses={200: schemas.Entry, 409: None})
@api_view(["POST"])
async def undo_entry(request: Request, entry_id: int) -> Response:
    """Undo one entry; 409 `undo_blocked` says what stands in the way."""
    return await carry_out(undo_sync, request.user, entry_id)


def undo_sync(user: Any, entry_id: int) -> dict[str, Any]:
    entry = JournalEntry.objects.editable_by(user).filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such entry.", code="entry_not_found")
    return entry_json(undo(entry, actor=user))


# --- grouping anew ------------------------------------------------------------------------------------------


@extend_schema(summary="Confirm who a face is", request=None, responses=OkAnswer)
@api_view(["POST"])
async def confirm(request: Request, face_id: int) -> Response:
    """The face is the person it was put to."""
    return await carry_out(confirm_sync, request.user, face_id)


def confirm_sync(user: Any, face_id: int) -> dict[str, Any]:
    curation.confirm_faces(faces=faces_for(user, [face_id]), actor=user)
    return STATUS_OK


@extend_schema(summary="Say who a face is not", request=RejectBody, responses=OkAnswer)
@api_view(["POST"])
async def reject(request: Request, face_id: int) -> Response:
    """The face is not `{person_id?}`, by default not the person it was put to."""
    person_id = validated(RejectBody, request.data or {}).get("person_id")
    return await carry_out(reject_sync, request.user, face_id, person_id)


def reject_sync(user: Any, face_id: int, person_id: int | None) -> dict[str, Any]:
    person = person_for(user, person_id, edit=True) if person_id else None
    curation.reject_faces(faces=faces_for(user, [face_id]), person=person, actor=user)
    return STATUS_OK


@extend_schema(summary="Take a face from its person", request=None, responses=OkAnswer)
@api_view(["POST"])
async def unassign(request: Request, face_id: int) -> Response:
    """The face is nobody's, and stays so."""
    return await carry_out(unassign_sync, request.user, face_id)


def unassign_sync(user: Any, face_id: int) -> dict[str, Any]:
    curation.unassign_faces(faces=faces_for(user, [face_id]), actor=user)
    return STATUS_OK


@extend_schema(
    summary="Say who many faces are",
    request=BulkAssignBody,
    responses={200: schemas.AssignedFaces, 404: None},
)
@api_view(["POST"])
async def bulk_assign(request: Request) -> Response:
    """Put `{face_ids}` to `{person_id}` by hand; null is nobody."""
    return await carry_out(bulk_assign_sync, request.user, validated(BulkAssignBody, request.data))


def bulk_assign_sync(user: Any, body: dict[str, Any]) -> dict[str, Any]:
    person = person_for(user, body["person_id"], edit=True) if body["person_id"] else None
    faces = faces_for(user, body["face_ids"])
    return {**STATUS_OK, "assigned": curation.assign_faces(faces=faces, person=person, actor=user)}


@extend_schema(methods=["DELETE"], summary="Say that it is no face", responses={200: OkAnswer})
@extend_schema(methods=["PATCH"], summary="Move the box of a face", request=BoxBody, responses=FaceObject)
@api_view(["DELETE", "PATCH"])
async def face_detail(request: Request, face_id: int) -> Response:
    """DELETE: it is no face, and is not found again. PATCH `{box}`: move it."""
    if request.method == "DELETE":
        return await carry_out(dismiss_sync, request.user, face_id)
    return await carry_out(move_sync, request.user, face_id, validated(BoxBody, request.data)["box"])


def dismiss_sync(user: Any, face_id: int) -> dict[str, Any]:
    curation.dismiss_faces(faces=faces_for(user, [face_id]), actor=user)
    return STATUS_OK


def move_sync(user: Any, face_id: int, box: list[float]) -> dict[str, Any]:
    [face] = faces_for(user, [face_id])
    curation.move_face(face=face, box=box, actor=user)
    return face_json(face)


@extend_schema(summary="Draw a face", request=DrawBody, responses=FaceObject)
@api_view(["POST"])
async def draw(request: Request, photo_id: int) -> Response:
    """A face that the detector missed: `{box, person_id?}`; crop and vector follow in the background."""
    return await carry_out(draw_sync, request.user, photo_id, validated(DrawBody, request.data))


def draw_sync(user: Any, photo_id: int, body: dict[str, Any]) -> dict[str, Any]:
    photo = Photo.objects.editable_by(user).filter(pk=photo_id).first()
    if photo is None:
        raise NotFound("There is no such photo.", code="photo_not_found")
    person = person_for(user, body["person_id"], edit=True) if body["person_id"] else None
    return face_json(curation.draw_face(photo=photo, box=body["box"], person=person, actor=user))

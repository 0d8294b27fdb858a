"""The REST API of one person: name, marks, faces split off, the end."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from faces import people
from faces.api import curation_schemas as schemas
from faces.api.curation import carry_out, faces_for
from faces.api.people import person_for, rename
from faces.api.schemas import PersonObject
from faces.api.serializers import NameBody, PersonChanges, SplitBody
from faces.models import Person
from photos.api.errors import validated


@extend_schema(summary="Split a person", request=SplitBody, responses={200: schemas.MarkedPerson, 409: None})
@api_view(["POST"])
async def split(request: Request, person_id: int) -> Response:
    """Move `{face_ids}` to the person `{into?}`, or to a new one called `{name?}`. Answers that person."""
    return await carry_out(split_sync, request.user, person_id, validated(SplitBody, request.data))


def split_sync(user: Any, person_id: int, body: dict[str, Any]) -> dict[str, Any]:
    target = people.split_person(
        person=person_for(user, person_id, edit=True),
        faces=faces_for(user, body["face_ids"]),
        into=person_for(user, body["into"], edit=True) if "into" in body else None,
        name=body["name"],
        actor=user,
    )
    return person_json(target)


@transaction.atomic
def change_person(user: Any, person_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    """All of the changes or none; each is an entry of its own, so that each can be undone alone."""
    person = person_for(user, person_id, edit=True)
    if "name" in changes:
        people.rename_person(person=person, name=changes["name"], actor=user)
    if "birth_date" in changes:
        people.set_birth_date(person=person, birth_date=changes["birth_date"], actor=user)
    if "aliases" in changes:
        people.set_aliases(person=person, aliases=changes["aliases"], actor=user)
    if "hidden" in changes:
        people.hide_person(person=person, is_hidden=changes["hidden"], actor=user)
    if "favorite" in changes:
        people.set_favorite(person=person, favorite=changes["favorite"], actor=user)
    if "cover" in changes:
        face = faces_for(user, [changes["cover"]])[0] if changes["cover"] else None
        people.set_cover(person=person, face=face, actor=user)
    return person_json(person)


def delete_sync(user: Any, person_id: int) -> dict[str, Any]:
    people.delete_person(person=person_for(user, person_id, edit=True), actor=user)
    return {"status": "deleted", "person_id": person_id}


def person_json(person: Person) -> dict[str, Any]:
    return {
        "id": person.pk,
        "name": person.display_name,
        "aliases": person.aliases,
        "birth_date": person.birth_date.isoformat() if person.birth_date else None,
        "hidden": person.is_hidden,
        "favorite": person.is_favorite,
        "cover": person.cover_id,
    }


@extend_schema(methods=["GET"], summary="One person", responses=schemas.MarkedPerson)
@extend_schema(
    methods=["PUT"], summary="Rename a person", request=NameBody, responses={200: PersonObject, 409: None}
)
@extend_schema(
    methods=["PATCH"],
    summary="Change a person",
    request=PersonChanges,
    responses={200: schemas.MarkedPerson, 409: None},
)
@extend_schema(methods=["DELETE"], summary="Delete a person", responses={200: schemas.DeletedPerson})
@api_view(["GET", "HEAD", "PUT", "PATCH", "DELETE"])
async def person_detail(request: Request, person_id: int) -> Response:
    """GET; PUT `{name}` as ever; PATCH `{name, birth_date, aliases, hidden, favorite, cover}`; DELETE."""
    if request.method == "PUT":
        return await sync_to_async(rename)(request, person_id)
    if request.method == "PATCH":
        return await carry_out(change_person, request.user, person_id, validated(PersonChanges, request.data))
    if request.method == "DELETE":
        return await carry_out(delete_sync, request.user, person_id)
    return await carry_out(lambda: person_json(person_for(request.user, person_id)))

"""The REST API of faces and people."""

import json
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from faces import curation, people
from faces.api import schemas
from faces.api.serializers import (
    AssignBody,
    ClusterBody,
    FaceListParameters,
    IndexFacesBody,
    MergeBody,
    NameBody,
    PersonSearchParameters,
)
from faces.media_keys import crop_item
from faces.models import Face, Person
from faces.services import pack_choice
from jobs.loop_views import on_event_loop
from jobs.services import run_step_again, start_job
from photos.api.errors import BadRequest, Conflict, refuse_long_query, validated
from photos.api.library_choice import LibraryParameters, chosen_library
from photos.api.pictures import PICTURES, serve_picture
from photos.api.schemas import OkAnswer, SearchResults
from photos.api.serializers import photos_as_json
from photos.models import Photo, PhotoStep

CONFLICTS = {"person_exists", "undo_blocked", "plan_outdated", "no_plan", "nothing_left"}
UNKNOWN = {"person_not_found", "face_not_found"}


def as_api_error(error: people.PeopleError) -> APIException:
    """The HTTP answer to a PeopleError."""
    if error.code in CONFLICTS:
        return Conflict(str(error), code=error.code)
    if error.code in UNKNOWN:
        return NotFound(str(error), code=error.code)
    return BadRequest(str(error), code=error.code)


def person_for(user: Any, person_id: int, *, edit: bool = False) -> Person:
    """The person, or 404 also for somebody else's."""
    people_of_user = Person.objects.editable_by(user) if edit else Person.objects.visible_to(user)
    person: Person | None = people_of_user.filter(pk=person_id).first()
    if person is None:
        raise NotFound("There is no such person.", code="person_not_found")
    return person


@extend_schema(
    methods=["GET"], operation_id="persons_list", summary="List people", responses=schemas.PersonList
)
@extend_schema(
    methods=["POST"],
    summary="Add a person",
    parameters=[LibraryParameters],
    request=NameBody,
    responses={200: schemas.PersonObject, 409: None},
)
@api_view(["GET", "HEAD", "POST"])
async def persons(request: Request) -> Response:
    """GET: all people, by id: `{persons: [{id, name}]}`. POST `{name}`: a new one."""
    if request.method == "POST":
        return await sync_to_async(create)(request)
    return await sync_to_async(list_persons)(request.user)


def list_persons(user: Any) -> Response:
    rows: QuerySet[Any] = Person.objects.visible_to(user).with_photo_counts().order_by("pk")
    return Response(
        {
            "persons": [
                {"id": person.pk, "name": person.display_name, "photo_count": person.photo_count}
                for person in rows
            ]
        }
    )


def name_from(request: Request) -> str:
    """The name in a body; BadRequest where there is none, as the old API answers that."""
    if not str(request.data.get("name", "")).strip():
        raise BadRequest("Give the person a name.", code="missing_name")
    name: str = validated(NameBody, request.data)["name"]
    return name


def create(request: Request) -> Response:
    name = name_from(request)
    try:
        person = people.create_person(
            library=chosen_library(request, request.data), name=name, actor=request.user
        )
    except people.PeopleError as error:
        raise as_api_error(error) from None
    return Response({"id": person.pk, "name": person.name})


def rename(request: Request, person_id: int) -> Response:
    name = name_from(request)
    try:
        person = people.rename_person(
            person=person_for(request.user, person_id, edit=True), name=name, actor=request.user
        )
    except people.PeopleError as error:
        raise as_api_error(error) from None
    return Response({"id": person.pk, "name": person.name})


@extend_schema(summary="Merge two people", request=MergeBody, responses=schemas.MergeAnswer)
@api_view(["POST"])
async def merge(request: Request, person_id: int) -> Response:
    """Merge `{source_person_id}` into this person."""
    return await sync_to_async(merge_sync)(request, person_id)


def merge_sync(request: Request, person_id: int) -> Response:
    if request.data.get("source_person_id") is None:
        raise BadRequest("Send the other person as “source_person_id”.", code="missing_source_person_id")
    source_id = validated(MergeBody, request.data)["source_person_id"]
    keep = person_for(request.user, person_id, edit=True)
    drop = person_for(request.user, source_id, edit=True)
    try:
        people.merge_people(keep=keep, drop=drop, actor=request.user)
    except people.PeopleError as error:
        raise as_api_error(error) from None
    return Response({"status": "merged", "source_person_id": source_id, "target_person_id": person_id})


@extend_schema(summary="Faces of a person", responses=schemas.PersonFaces)
@api_view(["GET", "HEAD"])
async def person_faces(request: Request, person_id: int) -> Response:
    """Faces of a person by id; an unknown person has none."""
    return await sync_to_async(list_person_faces)(request.user, person_id)


def list_person_faces(user: Any, person_id: int) -> Response:
    rows = Face.objects.visible_to(user).filter(person_id=person_id).order_by("pk")
    items = [
        {"face_id": face.pk, "photo_id": face.photo_id, "thumb_path": face.crop_key or None} for face in rows
    ]
    return Response({"items": items})


@extend_schema(summary="List faces", parameters=[FaceListParameters], responses=schemas.FaceList)
@api_view(["GET", "HEAD"])
async def faces(request: Request) -> Response:
    """Faces by id: all of them, unless `limit`, `offset` or `person_id` restrict it."""
    values = validated(FaceListParameters, request.query_params)
    return await sync_to_async(list_faces)(request.user, **values)


def list_faces(user: Any, *, limit: int | None, offset: int, person_id: int | None) -> Response:
    rows = Face.objects.visible_to(user).select_related("photo", "person").order_by("pk")
    if person_id is not None:
        rows = rows.filter(person_id=person_id)
    rows = rows[offset:] if limit is None else rows[offset : offset + limit]
    return Response({"items": [face_json(face) for face in rows]})


def face_json(face: Face) -> dict[str, Any]:
    return {
        "face_id": face.pk,
        "photo_id": face.photo_id,
        "photo_path": face.photo.original_key,
        "thumb_path": face.crop_key or None,
        "person_id": face.person_id,
        "person_name": face.person.display_name if face.person else None,
        "box": face.box,
        "detection_score": face.detection_score,
        "assigned_by": face.assigned_by or None,
    }


@extend_schema(summary="The crop of a face", responses=PICTURES)
@on_event_loop
@api_view(["GET", "HEAD"])
async def face_thumbnail(request: Request, face_id: int) -> HttpResponseBase:
    """The square around a face, WebP, or JPEG for who does not accept that."""
    face = await Face.objects.visible_to(request.user).filter(pk=face_id).afirst()
    if face is None or not face.crop_key:
        raise NotFound("There is no such face.", code="face_thumb_not_found")
    return await serve_picture(request, crop_item(face), "thumb_not_found_on_storage")


@extend_schema(summary="Say who a face is", request=AssignBody, responses=OkAnswer)
@api_view(["POST"])
async def assign(request: Request, face_id: int) -> Response:
    """Put a face to `{person_id}` by hand."""
    return await sync_to_async(assign_sync)(request, face_id)


def assign_sync(request: Request, face_id: int) -> Response:
    person_id = validated(AssignBody, request.data)["person_id"]
    face = Face.objects.editable_by(request.user).select_related("photo").filter(pk=face_id).first()
    if face is None:
        raise NotFound("There is no such face.", code="face_not_found")
    try:
        curation.assign_face(
            face=face, person=person_for(request.user, person_id, edit=True), actor=request.user
        )
    except people.PeopleError as error:
        raise as_api_error(error) from None
    return Response({"status": "ok"})


@extend_schema(summary="Photos by person", parameters=[PersonSearchParameters], responses=SearchResults)
@api_view(["GET", "HEAD"])
async def search_by_person(request: Request) -> HttpResponse:
    """Photos of people whose name holds `q` (or `name`): `{query, results}`."""
    values = validated(PersonSearchParameters, request.query_params)
    name = values["q"] or values["name"]
    if not name:
        raise BadRequest("Send the name as “q”.", code="missing_person_name")
    refuse_long_query(name)
    return await sync_to_async(photos_of_person)(request.user, name)


def photos_of_person(user: Any, name: str) -> HttpResponse:
    found = people.people_named_like(user, name).values("pk")
    photos = Photo.objects.visible_to(user).filter(
        pk__in=Face.objects.filter(person__in=found).values("photo_id")
    )
    items = photos_as_json(photos.order_by("-pk"))
    query = json.dumps(name)
    return HttpResponse(f'{{"query":{query},"results":[{",".join(items)}]}}', content_type="application/json")


@extend_schema(
    summary="Detect faces anew",
    parameters=[LibraryParameters],
    request=IndexFacesBody,
    responses=schemas.IndexFacesAnswer,
)
@api_view(["POST"])
async def index_faces(request: Request) -> Response:
    """Detect the faces of all photos of a library (or the first `limit`) anew, as a job."""
    body = validated(IndexFacesBody, request.data)
    return await sync_to_async(index_faces_sync)(request, body["limit"])


def index_faces_sync(request: Request, limit: int | None) -> Response:
    library = chosen_library(request, request.data)
    rows = PhotoStep.objects.filter(photo__library=library, step="faces", photo__deleted_at__isnull=True)
    if limit is not None:
        rows = PhotoStep.objects.filter(pk__in=rows.order_by("photo_id").values("pk")[:limit])
    job = run_step_again(kind="faces", rows=rows, library_id=library.pk, user=request.user)
    if job is None:
        return Response({"processed_photos": 0, "job_id": None, "message": "No photos to process"})
    message = f"Queued {job.total} photos for face processing"
    return Response({"processed_photos": 0, "job_id": str(job.pk), "message": message, "status": "queued"})


@extend_schema(
    summary="Group faces anew",
    parameters=[LibraryParameters],
    request=ClusterBody,
    responses=schemas.ClusterAnswer,
)
@api_view(["POST"])
async def cluster_faces(request: Request) -> Response:
    """Group the faces without a person, as a job: `{threshold?, reset?}`; `reset` groups afresh all that only
    a machine has assigned.
    """
    body = validated(ClusterBody, request.data)
    return await sync_to_async(cluster_faces_sync)(request, body["threshold"], body["reset"])


def cluster_faces_sync(request: Request, threshold: float | None, reset: bool) -> Response:
    library = chosen_library(request, request.data)
    job = start_job(
        kind="cluster",
        function="faces.grouping.regroup_library",
        arguments={"library_id": library.pk, "threshold": threshold, "reset": reset},
        library_id=library.pk,
        user=request.user,
        cluster="ml",
    )
    message = f"Clustering job queued (reset={reset}). Check job status for results."
    return Response(
        {
            "clustered_faces": 0,
            "persons_created": 0,
            "threshold": pack_choice().match_threshold if threshold is None else threshold,
            "job_id": str(job.pk),
            "message": message,
        }
    )

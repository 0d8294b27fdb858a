"""The REST API that tidies up people."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from faces.journal import Verb, writing
from faces.models import Face, Person
from jobs.api import JobObject, job_json
from jobs.models import Job
from jobs.services import start_job
from photos.api.library_choice import LibraryParameters, chosen_library
from photos.api.schemas import OkAnswer
from photos.models import Library


@extend_schema(summary="Delete people without faces", request=None, responses=OkAnswer)
@api_view(["POST"])
async def cleanup(request: Request) -> Response:
    """In all libraries that the caller may change; also those with a name."""
    count = await sync_to_async(delete_people_without_faces)(request.user)
    return Response({"status": f"deleted {count} person(s) without faces"})


def delete_people_without_faces(user: Any) -> int:
    concerned = Person.objects.editable_by(user).filter(faces=None).values("library")
    libraries = Library.objects.filter(pk__in=concerned).order_by("pk")
    return sum(delete_from(library, user) for library in libraries)


def delete_from(library: Library, user: Any) -> int:
    """How many were deleted; one entry of the journal, which can bring them back."""
    with writing(library.pk, actor=user, verb=Verb.DELETE) as draft:
        ids = list(Person.objects.filter(library=library, faces=None).values_list("pk", flat=True))
        draft.watch(people=ids)
        Person.objects.filter(pk__in=ids).delete()
        draft.summary = f"Deleted {len(ids)} people without faces"
    return len(ids)


@extend_schema(
    summary="Check the index of people", parameters=[LibraryParameters], request=None, responses=JobObject
)
@api_view(["POST"])
async def rebuild_index(request: Request) -> Response:
    """A job that counts what is indexed: PostgreSQL keeps its index by itself."""
    return Response(await sync_to_async(start_count)(request))


def start_count(request: Request) -> dict[str, Any]:
    library = chosen_library(request, request.data)
    job = start_job(
        kind="people-index",
        function="faces.api.upkeep.count_assigned",
        arguments={"library_id": library.pk},
        library_id=library.pk,
        user=request.user,
        cluster="default",
    )
    return job_json(job)


def count_assigned(job: Job, library_id: int) -> dict[str, Any]:
    """The task of the job “people-index”."""
    faces = Face.objects.filter(photo__library_id=library_id, person__isnull=False)
    return {
        "updated": faces.count(),
        "persons": faces.values("person_id").distinct().count(),
        "message": "The index is kept by PostgreSQL; nothing had to be built anew.",
    }

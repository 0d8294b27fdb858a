"""Grouping a library anew: start, watch, look at what would change, apply or discard."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces import reclustering
from faces.errors import PeopleError
from faces.fingerprints import fingerprint
from faces.models import Face, Person
from faces.services import pack_choice
from faces.views.access import editable_or_404, is_id, offering_undo, page_context
from jobs.models import Job
from jobs.requests import HtmxHttpRequest
from photos.models import Library

CROPS = 12
MOST_GROUPS = 60
LOOSER, STRICTER = -0.06, 0.06


@login_required
@require_GET
@vary_on_headers("HX-Request")
def recluster(request: HtmxHttpRequest) -> HttpResponse:
    """The newest plan of each library one may change, or how far it is; for htmx only what changes."""
    editable = editable_or_404(request.user)
    libraries = Library.objects.filter(pk__in=editable).order_by("pk")
    context = page_context(request.user, "recluster") | {
        "plans": [plan_of(library) for library in libraries],
        "strictness": [("", "As usual"), ("looser", "Join more"), ("stricter", "Keep more apart")],
    }
    return render(request, "faces/_plans.html" if request.htmx else "faces/recluster.html", context)


def plan_of(library: Library) -> dict[str, Any]:
    """The newest job of a library, and its plan when there is one that still holds."""
    job = Job.objects.filter(library_id=library.pk, kind=reclustering.KIND).order_by("-created_at").first()
    plan: dict[str, Any] = {"library": library, "job": job}
    if job is None or not isinstance(job.result, dict):
        return plan
    if fingerprint(library.pk) != job.result["fingerprint"]:
        return plan | {"is_outdated": True}
    return plan | {"summary": job.result["summary"], "groups": groups_of(job.result["moves"])}


def groups_of(moves: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What would move, as sentences with crops: who gets faces first, then new groups, then nobody's."""
    ordered = sorted(moves, key=lambda move: (move["to"] is None, move["new"] is None, -len(move["faces"])))
    ordered = ordered[:MOST_GROUPS]
    ids = {pk for move in ordered for pk in (move["from"], move["to"]) if pk is not None}
    people = Person.objects.filter(pk__in=ids).with_cover_faces().in_bulk()
    faces = Face.objects.exclude(crop_key="").filter(photo__deleted_at__isnull=True)
    crops = faces.in_bulk([pk for move in ordered for pk in move["faces"][:CROPS]])
    return [
        {
            "count": len(move["faces"]),
            "source": people.get(move["from"]),
            "target": people.get(move["to"]),
            "is_new": move["new"] is not None,
            "faces": [crops[pk] for pk in move["faces"][:CROPS] if pk in crops],
            "more": max(0, len(move["faces"]) - CROPS),
        }
        for move in ordered
    ]


@login_required
@require_POST
def start_recluster(request: HttpRequest) -> HttpResponse:
    """Plan a grouping of `library`, with `strictness` looser, stricter or as usual."""
    editable = editable_or_404(request.user)
    wanted = request.POST.get("library", "")
    library = get_object_or_404(Library.objects.filter(pk__in=editable), pk=wanted if is_id(wanted) else 0)
    change = {"looser": LOOSER, "stricter": STRICTER}.get(request.POST.get("strictness", ""))
    threshold = None if change is None else pack_choice().match_threshold + change
    if not plan_is_made(library):
        reclustering.start_planning(library_id=library.pk, threshold=threshold, user=request.user)
    return redirect("recluster")


def plan_is_made(library: Library) -> bool:
    """Whether a job is at it, so that two clicks start one."""
    jobs = Job.objects.filter(library_id=library.pk, kind=reclustering.KIND, ended_at__isnull=True)
    return jobs.exists()


@login_required
@require_POST
def end_recluster(request: HttpRequest, job_id: Any) -> HttpResponse:
    """Apply the plan of a job (`action=apply`), or discard it."""
    editable = editable_or_404(request.user)
    job = get_object_or_404(Job, pk=job_id, kind=reclustering.KIND, library_id__in=editable)
    if request.POST.get("action") != "apply":
        reclustering.discard_plan(job)
        messages.info(request, "The plan is discarded. Nothing has changed.")
        return redirect("recluster")
    try:
        with offering_undo(request):
            reclustering.apply_recluster(job, actor=request.user)
    except PeopleError as error:
        messages.error(request, str(error))
        return redirect("recluster")
    return redirect("people")

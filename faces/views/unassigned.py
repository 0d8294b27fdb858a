"""Faces of nobody: who are they?"""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces import curation
from faces.errors import PeopleError
from faces.models import Face
from faces.suggestions import unassigned_faces
from faces.views.access import (
    chosen_faces,
    editable_or_404,
    is_id,
    offering_undo,
    page_context,
    person_meant,
    refused,
)
from jobs.requests import HtmxHttpRequest

PAGE_SIZE = 120


@login_required
@require_GET
@vary_on_headers("HX-Request")
def unassigned(request: HtmxHttpRequest) -> HttpResponse:
    """Faces of nobody, large and good ones first; for htmx the next `?page=`, counted from 1."""
    text = request.GET.get("page", "1")
    number = max(1, int(text)) if is_id(text) and len(text) < 7 else 1
    found = unassigned_faces(request.user).select_related("photo")
    rows = list(found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE + 1])
    context: dict[str, Any] = page_context(request.user, "unassigned") | {
        "faces": rows[:PAGE_SIZE],
        "more_url": f"{request.path}?page={number + 1}" if len(rows) > PAGE_SIZE else None,
    }
    context["can_choose"] = bool(context["editable"])
    return render(request, "faces/_face_tiles.html" if request.htmx else "faces/unassigned.html", context)


@login_required
@require_POST
def change_unassigned(request: HtmxHttpRequest) -> HttpResponse:
    """Put the chosen `faces` to `name`, somebody known or new, or dismiss them (`action=dismiss`)."""
    editable_or_404(request.user)
    try:
        faces = chosen_faces(request.user, request.POST.getlist("faces"))
        with offering_undo(request):
            if request.POST.get("action") == "dismiss":
                curation.dismiss_faces(faces=faces, actor=request.user)
            else:
                give_name(request.user, faces, request.POST.get("name", ""))
    except PeopleError as error:
        return refused(request, error, "unassigned")
    if request.htmx:
        context = page_context(request.user, "unassigned") | {"gone": [face.pk for face in faces]}
        return render(request, "faces/_faces_changed.html", context)
    return redirect("unassigned")


def give_name(user: Any, faces: list[Face], name: str) -> None:
    """To somebody called so in any case, or “Person 12”, or somebody new. Raises PeopleError."""
    known = person_meant(user, curation.library_of(faces), "", name)
    if known is None:
        curation.name_faces(faces=faces, name=name, actor=user)
    else:
        curation.assign_faces(faces=faces, person=known, actor=user)

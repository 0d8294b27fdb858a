"""The faces of one person: confirm, split off, send away, choose the cover."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces import curation
from faces import people as service
from faces.errors import PeopleError
from faces.models import Face, Person
from faces.views.access import (
    chosen_faces,
    get_person_for_user,
    is_id,
    offering_undo,
    person_meant,
    refused,
)
from faces.views.person import person_context
from jobs.requests import HtmxHttpRequest

PAGE_SIZE = 120


@login_required
@require_GET
@vary_on_headers("HX-Request")
def person_faces(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """The faces of a person, newest photo first, `?show=unconfirmed` those a machine put; for htmx a page."""
    shown = get_person_for_user(request.user, person_id)
    context = page_of_faces(request, shown)
    if request.htmx:
        return render(request, "faces/_face_tiles.html", context)
    return render(request, "faces/person_faces.html", context | person_context(request.user, shown, "faces"))


def page_of_faces(request: HtmxHttpRequest, shown: Person) -> dict[str, Any]:
    text = request.GET.get("page", "1")
    number = max(1, int(text)) if is_id(text) and len(text) < 7 else 1
    faces = Face.objects.visible_to(request.user).filter(person=shown).select_related("photo", "person")
    show = "unconfirmed" if request.GET.get("show") == "unconfirmed" else ""
    if show:
        faces = faces.exclude(assigned_by=Face.AssignedBy.PERSON)
    faces = faces.order_by("-photo__taken_at", "-pk")
    rows = list(faces[(number - 1) * PAGE_SIZE : number * PAGE_SIZE + 1])
    more = f"{request.path}?page={number + 1}" + ("&show=unconfirmed" if show else "")
    return {
        "faces": rows[:PAGE_SIZE],
        "more_url": more if len(rows) > PAGE_SIZE else None,
        "show": show,
        "cover": shown.cover_id,
        "person": shown,
        "marks_confirmed": True,
        "can_choose": Person.objects.editable_by(request.user).filter(pk=shown.pk).exists(),
    }


@login_required
@require_POST
def change_faces(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Do `action` (confirm, reject, dismiss, split or cover) with the chosen `faces` of this person."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    try:
        faces = chosen_faces(request.user, request.POST.getlist("faces"))
        if {face.person_id for face in faces} != {chosen.pk}:
            raise PeopleError(
                "face_not_found", "Some of these faces are not this person's any more. Reload the page."
            )
        with offering_undo(request):
            act(request, chosen, faces)
    except PeopleError as error:
        return refused(request, error, reverse("person-faces", args=[person_id]))
    is_left = Person.objects.filter(pk=chosen.pk).exists()
    target = reverse("person-faces", args=[person_id]) if is_left else reverse("people")
    return HttpResponse(headers={"HX-Redirect": target}) if request.htmx else redirect(target)


def act(request: HtmxHttpRequest, chosen: Person, faces: list[Face]) -> None:
    """Raises PeopleError for an unknown action too."""
    action, actor = request.POST.get("action", ""), request.user
    if action == "confirm":
        curation.confirm_faces(faces=faces, actor=actor)
    elif action == "reject":
        curation.reject_faces(faces=faces, person=chosen, actor=actor)
    elif action == "dismiss":
        curation.dismiss_faces(faces=faces, actor=actor)
    elif action == "split":
        name = request.POST.get("name", "")
        into = person_meant(actor, chosen.library_id, "", name)
        service.split_person(person=chosen, faces=faces, into=into, name="" if into else name, actor=actor)
    elif action == "cover":
        if len(faces) != 1:
            raise PeopleError("face_not_found", "Choose one face for the cover.")
        service.set_cover(person=chosen, face=faces[0], actor=actor)
    else:
        raise PeopleError("unknown_action", "Choose what to do with these faces.")

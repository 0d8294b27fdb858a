"""Pages of people, and the faces on a photo's page."""

import re
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces.curation import assign_face, name_face
from faces.models import Face, Person
from faces.people import PeopleError, hide_person, merge_people, rename_person
from jobs.requests import HtmxHttpRequest
from photos.models import Photo
from photos.services import editable_library_ids
from photos.views import page_or_404

PAGE_SIZE = 60
UNNAMED = re.compile(r"Person (\d{1,18})", re.IGNORECASE)


@login_required
@require_GET
@vary_on_headers("HX-Request")
def people(request: HtmxHttpRequest) -> HttpResponse:
    """Everybody who is on photos, named people first; for htmx the next page, `?page=` a number from 1."""
    shows_hidden = request.GET.get("hidden") == "1"
    text = request.GET.get("page", "1")
    number = max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
    found: Any = Person.objects.visible_to(request.user).filter(is_hidden=shows_hidden)
    found = found.most_seen_first().with_cover_faces().filter(photo_count__gt=0)
    rows = list(found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE + 1])
    context = {
        "people": rows[:PAGE_SIZE],
        "next_page": number + 1 if len(rows) > PAGE_SIZE else None,
        "shows_hidden": shows_hidden,
        "editable": editable_library_ids(request.user),
    }
    if request.htmx:
        return render(request, "faces/_people.html", context)
    context["hidden_count"] = Person.objects.visible_to(request.user).filter(is_hidden=True).count()
    return render(request, "faces/people.html", context)


@login_required
@require_GET
@vary_on_headers("HX-Request")
def person(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """One person with photos by time."""
    shown = get_person_for_user(request.user, person_id)
    photos = Photo.objects.visible_to(request.user).filter(
        pk__in=Face.objects.filter(person=shown).values("photo_id")
    )
    page = page_or_404(photos, request.GET.get("before", ""))
    context: dict[str, Any] = {"page": page, "more_url": request.path}
    if request.htmx:
        return render(request, "photos/_timeline_page.html", context)
    others = Person.objects.filter(library_id=shown.library_id).exclude(pk=shown.pk).order_by("name", "pk")
    context |= {
        "person": shown,
        "can_edit": shown.library_id in editable_library_ids(request.user),
        "others": others.only("name")[:2000],
    }
    return render(request, "faces/person.html", context)


def get_person_for_user(user: Any, person_id: int, *, edit: bool = False) -> Person:
    """The person with counts and cover, or 404 also for somebody else's."""
    allowed = Person.objects.editable_by(user) if edit else Person.objects.visible_to(user)
    found: Person = get_object_or_404(allowed.with_photo_counts().with_cover_faces(), pk=person_id)
    return found


@login_required
@require_POST
def rename(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Name a person in place. A name that somebody else has is answered with the offer to merge the two."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    name = request.POST.get("name", "")
    context: dict[str, Any] = {"person": chosen, "can_edit": True}
    try:
        rename_person(person=chosen, name=name, actor=request.user)
    except PeopleError as error:
        context |= {"problem": str(error), "typed": name}
        if error.code == "person_exists":
            context["same_name"] = find_person(request.user, chosen, "", name)
    if request.htmx:
        return render(request, "faces/_name.html", context)
    if problem := context.get("problem"):
        messages.error(request, problem)
    return redirect(chosen)


@login_required
@require_POST
def merge(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Merge this person into another one, given as `into` (id) or `name`; leads to that one."""
    drop = get_person_for_user(request.user, person_id, edit=True)
    keep = find_person(request.user, drop, request.POST.get("into", ""), request.POST.get("name", ""))
    if keep is None:
        messages.error(request, "There is nobody of that name to merge with.")
        return redirect(drop)
    try:
        merge_people(keep=keep, drop=drop, actor=request.user)
    except PeopleError as error:
        messages.error(request, str(error))
        return redirect(drop)
    messages.success(request, f"{drop.display_name} is now part of {keep.display_name}.")
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": keep.get_absolute_url()})
    return redirect(keep)


def find_person(user: Any, beside: Person, pk: str, name: str) -> Person | None:
    """Who is meant, in the library of `beside`: by id, by name in any case, or as “Person 12”."""
    found = Person.objects.editable_by(user).filter(library_id=beside.library_id)
    if not pk and (unnamed := UNNAMED.fullmatch(name.strip())):
        pk = unnamed[1]
    if pk.isdecimal() and len(pk) < 19:
        found = found.filter(pk=pk)
    else:
        found = found.filter(name__iexact=" ".join(name.split())).exclude(name="")
    person: Person | None = found.first()
    return person


@login_required
@require_POST
def hide(request: HttpRequest, person_id: int) -> HttpResponse:
    """Keep a person out of the list (`hidden=1`), or bring it back."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    is_hidden = request.POST.get("hidden") == "1"
    hide_person(person=chosen, is_hidden=is_hidden, actor=request.user)
    text = "is hidden from the list of people." if is_hidden else "is back in the list of people."
    messages.success(request, f"{chosen.display_name} {text}")
    return redirect("people") if is_hidden else redirect(chosen)


@login_required
@require_GET
def photo_faces(request: HttpRequest, photo_id: int) -> HttpResponse:
    """The faces on a photo: names beside it, boxes over it."""
    return render_faces(request, get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_id))


def render_faces(request: HttpRequest, photo: Photo, problem: str = "") -> HttpResponse:
    faces = list(
        Face.objects.filter(photo=photo, is_dismissed=False).select_related("person").order_by("x1", "pk")
    )
    can_edit = photo.library_id in editable_library_ids(request.user)
    named = Person.objects.filter(library_id=photo.library_id).exclude(name="").order_by("name")
    context = {
        "photo": photo,
        "faces": faces,
        "can_edit": can_edit,
        "problem": problem,
        "names": named.values_list("name", flat=True)[:2000] if can_edit and faces else [],
    }
    return render(request, "faces/_photo_faces.html", context)


@login_required
@require_POST
def name_one_face(request: HtmxHttpRequest, face_id: int) -> HttpResponse:
    """Say who a face is (`name`), or that it is nobody's (`nobody=1`)."""
    face = get_object_or_404(
        Face.objects.editable_by(request.user).select_related("photo__library", "person"), pk=face_id
    )
    problem = ""
    try:
        if request.POST.get("nobody") == "1":
            assign_face(face=face, person=None, actor=request.user)
        else:
            name_face(face=face, name=request.POST.get("name", ""), actor=request.user)
    except PeopleError as error:
        problem = str(error)
    return render_faces(request, face.photo, problem) if request.htmx else redirect(face.photo)

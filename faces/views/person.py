"""One person: photos by time, what is known, the marks, and the end."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces import people as service
from faces.errors import PeopleError
from faces.models import Face, Person
from faces.views.access import get_person_for_user, offering_undo, page_context
from jobs.requests import HtmxHttpRequest
from photos.models import Photo
from photos.views.photos import render_days


@login_required
@require_GET
@vary_on_headers("HX-Request")
def person(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """One person with photos by time."""
    shown = get_person_for_user(request.user, person_id)
    photos = (
        Photo.objects.visible_to(request.user)
        .without_clips()
        .filter(pk__in=Face.objects.filter(person=shown, is_dismissed=False).values("photo_id"))
    )
    context = {} if request.htmx else person_context(request.user, shown, "photos")
    return render_days(request, photos, "faces/person.html", **context)


def person_context(user: Any, shown: Person, tab: str) -> dict[str, Any]:
    """What the head of a person's pages shows."""
    context = page_context(user, "person")
    today = date.today()
    return context | {
        "person": shown,
        "tab": tab,
        "can_edit": shown.library_id in context["editable"],
        "age": shown.age_in_words(today),
        "today": today,
        "aliases": "\n".join(shown.aliases),
    }


@login_required
@require_POST
def details(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Set `birth_date` (ISO 8601, may be empty) and `aliases` (one in a line), as an entry each."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    born, lines = request.POST.get("birth_date", "").strip(), request.POST.get("aliases", "")
    context: dict[str, Any] = {}
    try:
        set_details(request, chosen, parsed_date(born), [line for line in lines.splitlines() if line.strip()])
    except PeopleError as error:
        context = {"problem": str(error), "typed_date": born, "typed_aliases": lines}
    if request.htmx:
        context = person_context(request.user, chosen, "photos") | context
        return render(request, "faces/_details_answer.html", context)
    if context:
        messages.error(request, context["problem"])
    return redirect(chosen)


def set_details(request: HttpRequest, chosen: Person, born: date | None, aliases: list[str]) -> None:
    with offering_undo(request), transaction.atomic():
        if [" ".join(alias.split()) for alias in aliases] != chosen.aliases:
            service.set_aliases(person=chosen, aliases=aliases, actor=request.user)
        if born != chosen.birth_date:
            freed = service.set_birth_date(person=chosen, birth_date=born, actor=request.user)
            if freed:
                faces = service.some_faces(freed)
                messages.info(request, f"{faces} on older photos cannot be {chosen.display_name} any more.")


def parsed_date(text: str) -> date | None:
    """The day, None for no text. Raises PeopleError for one that is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PeopleError("impossible_birth_date", "Write the day as in 2015-08-31.") from None


@login_required
@require_POST
def favorite(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Mark as a favourite (`favorite=1`), or not any more."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    service.set_favorite(person=chosen, favorite=request.POST.get("favorite") == "1", actor=request.user)
    if request.htmx:
        return render(request, "faces/_favorite.html", {"person": chosen})
    return redirect(chosen)


@login_required
@require_POST
def hide(request: HttpRequest, person_id: int) -> HttpResponse:
    """Keep a person out of the list (`hidden=1`), or bring it back."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    is_hidden = request.POST.get("hidden") == "1"
    with offering_undo(request):
        service.hide_person(person=chosen, is_hidden=is_hidden, actor=request.user)
    return redirect("people") if is_hidden else redirect(chosen)


@login_required
@require_POST
def delete(request: HttpRequest, person_id: int) -> HttpResponse:
    """Delete a person; the toast offers to undo it."""
    chosen = get_person_for_user(request.user, person_id, edit=True)
    with offering_undo(request):
        service.delete_person(person=chosen, actor=request.user)
    return redirect("people")

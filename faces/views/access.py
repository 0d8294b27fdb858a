"""What the pages of people share: who may do what, what was chosen, and how an action answers."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from faces.errors import PeopleError
from faces.journal import written_entries
from faces.models import Face, Person
from faces.people import spelt
from faces.suggestions import counts_for_badges
from jobs.requests import HtmxHttpRequest
from photos.services import editable_library_ids

UNNAMED = re.compile(r"Person (\d{1,18})", re.IGNORECASE)
MOST_CHOSEN = 900  # rows of one form; Django takes 1000 fields

GONE = "Some of what you chose is gone: somebody changed it meanwhile. Reload the page."


# --- who may do what ----------------------------------------------------------------------------------------


def get_person_for_user(user: Any, person_id: int, *, edit: bool = False) -> Person:
    """The person with counts and cover, or 404 also for somebody else's."""
    allowed = Person.objects.editable_by(user) if edit else Person.objects.visible_to(user)
    found: Person = get_object_or_404(allowed.with_photo_counts().with_cover_faces(), pk=person_id)
    return found


def get_face_for_user(user: Any, face_id: int) -> Face:
    """The face for editing, with photo and person, or 404 also for somebody else's."""
    faces = Face.objects.editable_by(user).select_related("photo__library", "person")
    found: Face = get_object_or_404(faces, pk=face_id)
    return found


def editable_or_404(user: Any) -> set[int]:
    """Ids of the libraries the user may change; 404 for none, as for what is not there."""
    if editable := editable_library_ids(user):
        return editable
    raise Http404("There is nothing here that you may change.")


def page_context(user: Any, here: str) -> dict[str, Any]:
    """What the navigation of the people pages shows: where one is, and how much is left to do."""
    editable = editable_library_ids(user)
    return {"here": here, "editable": editable, "badges": counts_for_badges(user) if editable else {}}


# --- what was chosen ----------------------------------------------------------------------------------------


def chosen_ids(values: Sequence[str]) -> list[int]:
    """The ids among these texts, each once. Raises PeopleError for too many; what is no id is left out."""
    ids = list(dict.fromkeys(int(text) for text in values if is_id(text)))
    if len(ids) > MOST_CHOSEN:
        raise PeopleError("too_many", f"{len(ids)} are too many at once; choose {MOST_CHOSEN} at most.")
    return ids


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def chosen_faces(user: Any, values: Sequence[str]) -> list[Face]:
    """The chosen faces for editing. Raises PeopleError for none, and when one is gone or not the user's."""
    ids = chosen_ids(values)
    if not ids:
        raise PeopleError("face_not_found", "Choose some faces first.")
    found = list(Face.objects.editable_by(user).select_related("photo").filter(pk__in=ids))
    if len(found) < len(ids):
        raise PeopleError("face_not_found", GONE)
    return found


def chosen_people(user: Any, values: Sequence[str], *, at_least: int = 1) -> list[Person]:
    """The chosen people with counts and covers, largest first. Raises PeopleError as `chosen_faces` does."""
    ids = chosen_ids(values)
    if len(ids) < at_least:
        few = "Choose two different people." if at_least == 2 else "Choose somebody first."
        raise PeopleError("cannot_merge_same_person" if at_least == 2 else "person_not_found", few)
    people = Person.objects.editable_by(user).filter(pk__in=ids).most_seen_first().with_cover_faces()
    found = list(people)
    if len(found) < len(ids):
        raise PeopleError("person_not_found", GONE)
    return found


def find_person(user: Any, beside: Person, pk: str, name: str) -> Person | None:
    """Who is meant, in the library of `beside`: by id, by name in any case, or as “Person 12”."""
    return person_meant(user, beside.library_id, pk, name)


def person_meant(user: Any, library_id: int, pk: str, name: str) -> Person | None:
    found = Person.objects.editable_by(user).filter(library_id=library_id)
    if not pk and (unnamed := UNNAMED.fullmatch(name.strip())):
        pk = unnamed[1]
    by_name = Q(name__iexact=spelt(name)) & ~Q(name="")
    person: Person | None = found.filter(Q(pk=pk) if is_id(pk) else by_name).order_by("pk").first()
    return person


# --- how an action answers ----------------------------------------------------------------------------------


@contextmanager
def offering_undo(request: HttpRequest) -> Iterator[None]:
    """What is done inside is told in a toast, with its undo."""
    with written_entries() as entries:
        yield
    if not entries:
        messages.info(request, "Nothing has changed: it was so already.")
    for entry in entries:
        messages.success(request, f"{entry.summary}.", extra_tags=reverse("undo-entry", args=[entry.pk]))


def refused(request: HtmxHttpRequest, error: PeopleError, otherwise: str) -> HttpResponse:
    """Why it was not done, near the control (the fragment's `problem`); the page stays as it is."""
    if request.htmx:
        answer = render(request, "faces/_problem.html", {"problem": str(error)})
        answer["HX-Reswap"] = "none"
        return answer
    messages.error(request, str(error))
    return back(request, otherwise)


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page one came from, when it is one of ours and still there; else to `otherwise`."""
    referer = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if ours and is_there(request.user, urlsplit(referer).path):
        return redirect(referer)
    return redirect(otherwise)


def is_there(user: Any, path: str) -> bool:
    """Whether this is a page, and not of a person who is gone."""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    person_id = match.kwargs.get("person_id")
    return person_id is None or Person.objects.visible_to(user).filter(pk=person_id).exists()


def came_from(request: HtmxHttpRequest, url_name: str) -> bool:
    """Whether the request was sent from this page."""
    path = request.htmx.current_url_abs_path or ""
    try:
        return resolve(urlsplit(path).path).url_name == url_name
    except Resolver404:
        return False

"""Merging people: a question with their portraits, then the merge with its undo."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from faces.errors import PeopleError
from faces.models import Person
from faces.nearness import doubts_about
from faces.people import merge_all, merge_people
from faces.suggestions import counts_for_badges
from faces.views.access import (
    came_from,
    chosen_people,
    editable_or_404,
    find_person,
    get_person_for_user,
    offering_undo,
    page_context,
    refused,
)
from jobs.requests import HtmxHttpRequest

MOST_DOUBTED = 20  # people of one question that are compared with each other
NOBODY_OF_THAT_NAME = "There is nobody of that name to merge with."


@login_required
@require_http_methods(["GET", "POST"])
def merge_several(request: HtmxHttpRequest) -> HttpResponse:
    """GET: the question, with portraits of the `people`. POST: make one of them, the one in `keep`."""
    editable_or_404(request.user)
    sent = request.POST if request.method == "POST" else request.GET
    try:
        chosen = chosen_people(request.user, sent.getlist("people"), at_least=2)
        keep = next((person for person in chosen if str(person.pk) == sent.get("keep")), chosen[0])
        if request.method == "GET":
            return ask(request, chosen, keep)
        drops = [person for person in chosen if person.pk != keep.pk]
        with offering_undo(request):
            merge_all(keep=keep, drops=drops, actor=request.user)
    except PeopleError as error:
        return refused(request, error, "people")
    return merged(request, keep, drops)


def ask(request: HtmxHttpRequest, chosen: list[Person], keep: Person) -> HttpResponse:
    context: dict[str, Any] = {
        "people": chosen,
        "keep": keep.pk,
        "doubts": doubts_about(chosen[:MOST_DOUBTED]),
    }
    if not request.htmx:
        context |= page_context(request.user, "people")
    return render(request, "faces/_merge.html" if request.htmx else "faces/merge.html", context)


def merged(request: HtmxHttpRequest, keep: Person, drops: list[Person]) -> HttpResponse:
    """On the grid the portraits change where they are; from elsewhere it leads to who is left."""
    if not request.htmx:
        return redirect(keep)
    if not came_from(request, "people"):
        return HttpResponse(headers={"HX-Redirect": keep.get_absolute_url()})
    context = {
        "gone": [person.pk for person in drops],
        "changed": [get_person_for_user(request.user, keep.pk)],
        "editable": {keep.library_id},
        "badges": counts_for_badges(request.user),
    }
    return render(request, "faces/_people_changed.html", context)


@login_required
@require_GET
def merge_offer(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """The question whether this person is `?name=`, asked from the page of a person."""
    person = get_person_for_user(request.user, person_id, edit=True)
    try:
        other = find_person(request.user, person, "", request.GET.get("name", ""))
        if other is None:
            raise PeopleError("person_not_found", NOBODY_OF_THAT_NAME)
        if other.pk == person.pk:
            raise PeopleError("cannot_merge_same_person", "That is this very person.")
        chosen = chosen_people(request.user, [str(person.pk), str(other.pk)], at_least=2)
    except PeopleError as error:
        return refused(request, error, person.get_absolute_url())
    keep = person if person.name and not other.name else other
    return ask(request, chosen, keep)


@login_required
@require_POST
def merge(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Merge this person into another one, given as `into` (id) or `name`; leads to that one."""
    drop = get_person_for_user(request.user, person_id, edit=True)
    keep = find_person(request.user, drop, request.POST.get("into", ""), request.POST.get("name", ""))
    if keep is None:
        messages.error(request, NOBODY_OF_THAT_NAME)
        return redirect(drop)
    try:
        with offering_undo(request):
            merge_people(keep=keep, drop=drop, actor=request.user)
    except PeopleError as error:
        return refused(request, error, drop.get_absolute_url())
    return merged(request, keep, [drop])

"""The grid of people: who is there, names in place, several at once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces import people as service
from faces.errors import PeopleError
from faces.models import Person
from faces.nearness import doubts_about
from faces.suggestions import counts_for_badges
from faces.views.access import (
    came_from,
    chosen_people,
    editable_or_404,
    get_person_for_user,
    is_id,
    offering_undo,
    page_context,
    refused,
)
from jobs.requests import HtmxHttpRequest

PAGE_SIZE = 60
MOST_NAMES = 8
SHOWN = {"named": "Named", "unnamed": "No name yet", "hidden": "Hidden"}


@login_required
@require_GET
@vary_on_headers("HX-Request")
def people(request: HtmxHttpRequest) -> HttpResponse:
    """Everybody on photos, by number of photos, `?show=` only some; for htmx the next `?page=`, from 1."""
    show = "hidden" if request.GET.get("hidden") == "1" else request.GET.get("show", "")
    text = request.GET.get("page", "1")
    number = max(1, int(text)) if is_id(text) and len(text) < 7 else 1
    rows = page_of(shown_people(request.user, show).on_photos().by_photos(), number)
    context = {
        "people": rows[:PAGE_SIZE],
        "next_page": number + 1 if len(rows) > PAGE_SIZE else None,
        "show": show if show in SHOWN else "",
        **page_context(request.user, "people"),
    }
    if request.htmx:
        return render(request, "faces/_people.html", context)
    context["filters"] = SHOWN
    context["hidden_count"] = Person.objects.visible_to(request.user).filter(is_hidden=True).count()
    return render(request, "faces/people.html", context)


def page_of(people: Any, number: int) -> list[Person]:
    """The people of a page from 1, and one more if there are more, with covers: for these only.

    The order is by a number that is counted, so a cursor would save nothing over an offset.
    """
    ids = list(people.values_list("pk", flat=True)[(number - 1) * PAGE_SIZE : number * PAGE_SIZE + 1])
    shown = Person.objects.filter(pk__in=ids).with_photo_counts().with_cover_faces().in_bulk()
    return [shown[pk] for pk in ids if pk in shown]


def shown_people(user: Any, show: str) -> Any:
    found = Person.objects.visible_to(user).filter(is_hidden=show == "hidden")
    if show == "named":
        return found.exclude(name="")
    return found.filter(name="") if show == "unnamed" else found


@login_required
@require_GET
def names(request: HttpRequest) -> HttpResponse:
    """People for the completion of a name: `?q=` what was typed, in `?library=`, `?but=` not this one."""
    text = service.spelt(request.GET.get("q", ""))[:200]
    found: Any = service.people_named_like(request.user, text).exclude(name="")
    if is_id(library := request.GET.get("library", "")):
        found = found.filter(library_id=library)
    if is_id(but := request.GET.get("but", "")):
        found = found.exclude(pk=but)
    rows = list(found.most_seen_first().with_cover_faces()[: 5 * MOST_NAMES])
    rows.sort(key=lambda person: not person.name.lower().startswith(text.lower()))
    return render(request, "faces/_names.html", {"people": rows[:MOST_NAMES]})


@login_required
@require_POST
def rename(request: HtmxHttpRequest, person_id: int) -> HttpResponse:
    """Name a person in place, or take the name away (`clear=1`).

    A name that somebody else has, in any case, is answered with the offer to merge the two; `apart=1` says
    that they are two people.
    """
    chosen = get_person_for_user(request.user, person_id, edit=True)
    name = request.POST.get("name", "")
    context: dict[str, Any] = {"person": chosen, "can_edit": True}
    try:
        other = service.person_called(chosen.library_id, name)
        if other is not None and other.pk != chosen.pk and request.POST.get("apart") != "1":
            raise PeopleError("person_exists", f"{other.name} is there already.")
        with offering_undo(request):
            if request.POST.get("clear") == "1":
                service.clear_name(person=chosen, actor=request.user)
            else:
                service.rename_person(person=chosen, name=name, actor=request.user)
    except PeopleError as error:
        context |= {"problem": str(error), "typed": name}
        if error.code == "person_exists" and other is not None:
            pair = chosen_people(request.user, [str(chosen.pk), str(other.pk)])
            context |= {"same_name": other, "people": pair, "keep": other.pk, "asks": True}
            context["doubts"] = doubts_about(pair)
    if request.htmx:
        if came_from(request, "people"):
            context["badges"] = counts_for_badges(request.user)
        return render(request, "faces/_name_answer.html", context)
    if problem := context.get("problem"):
        messages.error(request, problem)
    return redirect(chosen)


@login_required
@require_POST
def hide_several(request: HtmxHttpRequest) -> HttpResponse:
    """Keep the chosen `people` out of the list, or bring them back (`hidden=0`)."""
    editable_or_404(request.user)
    is_hidden = request.POST.get("hidden", "1") == "1"
    try:
        chosen = chosen_people(request.user, request.POST.getlist("people"))
        with offering_undo(request):
            service.hide_people(people=chosen, is_hidden=is_hidden, actor=request.user)
    except PeopleError as error:
        return refused(request, error, "people")
    if request.htmx:
        context = {"gone": [person.pk for person in chosen], "badges": counts_for_badges(request.user)}
        return render(request, "faces/_people_changed.html", context)
    return redirect("people")

"""What was done to people and faces, by whom, and undoing it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces import facts
from faces.models import Face, JournalEntry, Person
from faces.undo import UndoBlocked, find_obstacles, standing, undo
from faces.views.access import back, get_person_for_user, is_id, page_context
from jobs.requests import HtmxHttpRequest

PAGE_SIZE = 30
PORTRAITS = 4
CROPS = 6


@login_required
@require_GET
@vary_on_headers("HX-Request")
def journal(request: HtmxHttpRequest) -> HttpResponse:
    """What was done, newest first, `?person=` to whom; for htmx what is older than the entry `?before=`."""
    context = page_context(request.user, "journal")
    entries = (
        JournalEntry.objects.visible_to(request.user).newest_first().prefetch_related("undone_by__actor")
    )
    if is_id(person_id := request.GET.get("person", "")):
        context["about"] = get_person_for_user(request.user, int(person_id))
        entries = entries.about_person(int(person_id))
    if is_id(before := request.GET.get("before", "")):
        entries = entries.filter(pk__lt=before)
    rows = list(entries[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    context["entries"] = illustrated(request.user, shown, context["editable"])
    if len(rows) > PAGE_SIZE:
        about = f"&person={person_id}" if "about" in context else ""
        context["more_url"] = f"{request.path}?before={shown[-1].pk}{about}"
    return render(request, "faces/_entries.html" if request.htmx else "faces/journal.html", context)


def illustrated(user: Any, entries: list[JournalEntry], editable: set[int]) -> list[dict[str, Any]]:
    """The entries with portraits and crops, and whether they can be undone."""
    shown = Person.objects.visible_to(user).with_cover_faces()
    people = shown.in_bulk({pk for entry in entries for pk in entry.person_ids[:PORTRAITS]})
    faces = Face.objects.filter(photo__deleted_at__isnull=True, photo__library__in=visible(entries))
    faces = faces.exclude(crop_key="").filter(is_dismissed=False)
    crops = faces.in_bulk({pk for entry in entries for pk in entry.face_ids[:CROPS]})
    stands = standing([entry for entry in entries if entry.library_id in editable])
    return [
        {
            "entry": entry,
            "people": [people[pk] for pk in entry.person_ids[:PORTRAITS] if pk in people],
            "faces": [crops[pk] for pk in entry.face_ids[:CROPS] if pk in crops],
            "stands": entry.pk in stands,
            "can_edit": entry.library_id in editable,
        }
        for entry in entries
    ]


def visible(entries: list[JournalEntry]) -> set[int]:
    """Libraries of entries that the user sees."""
    return {entry.library_id for entry in entries}


@login_required
@require_GET
def obstacles(request: HttpRequest, entry_id: int) -> HttpResponse:
    """What stands in the way of an undo, a sentence each."""
    entry = get_object_or_404(JournalEntry.objects.visible_to(request.user), pk=entry_id)
    people, faces = facts.mentioned(entry.payload)
    found = find_obstacles(entry, facts.read(people=people, faces=faces))
    return render(request, "faces/_obstacles.html", {"obstacles": found})


@login_required
@require_POST
def undo_entry(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Undo one entry, and go back to where the button was."""
    entry = get_object_or_404(JournalEntry.objects.editable_by(request.user), pk=entry_id)
    try:
        undo(entry, actor=request.user)
    except UndoBlocked as error:
        messages.error(request, f"That cannot be undone any more. {error}")
    else:
        messages.success(request, f"Undone: {entry.summary}.")
    return back(request, reverse("journal"))

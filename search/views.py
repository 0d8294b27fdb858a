"""The search page."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from faces.models import Person
from photos.api_errors import MAX_QUERY_CHARACTERS
from photos.models import Photo
from photos.timeline import as_tiles
from search import services
from search.api import find
from search.understanding import Asked, read_query

MOST_RESULTS = 200
MOST_PEOPLE = 12


@dataclass(frozen=True)
class Found:
    """Photos, best first, or why there can be none."""

    photos: list[Photo] = field(default_factory=list)
    problem: str = ""


@login_required
@require_GET
async def search(request: HttpRequest) -> HttpResponse:
    """Photos that show what `q` says, of the people whose names are in it or of `person` (an id)."""
    user = await request.auser()
    if len(request.GET.get("q", "")) > MAX_QUERY_CHARACTERS:
        return await sync_to_async(render_refusal)(request)
    asked = await sync_to_async(read_request)(user, request.GET.get("q", ""), request.GET.get("person", ""))
    found = await look(user, asked)
    return await sync_to_async(render_results)(request, asked, found)


@login_required
@require_POST
async def prepare(request: HttpRequest) -> HttpResponse:
    """Somebody is at the search field: by the time the query is typed, the model is loaded."""
    with contextlib.suppress(services.SearchUnavailable):
        await services.warm_up()
    return HttpResponse(status=204)


def read_request(user: Any, query: str, person_id: str) -> Asked:
    """The query, and a person by id, as the chips ask for one."""
    chosen: list[Person] = []
    if person_id.isdecimal() and len(person_id) < 19:
        chosen = list(Person.objects.visible_to(user).filter(pk=person_id).with_cover_faces())
    return read_query(user, query, people=chosen)


async def look(user: Any, asked: Asked) -> Found:
    """Nothing asked for finds nothing."""
    if not asked.words and not asked.is_narrowed:
        return Found()
    try:
        hits = await find(user, asked, MOST_RESULTS, None)
    except services.SearchUnavailable as error:
        return Found(problem=str(error))
    return Found(await sync_to_async(tiles_of)(hits))


def tiles_of(hits: list[services.Hit]) -> list[Photo]:
    """In the order of the hits; photos that are gone by now are left out."""
    found = as_tiles(Photo.objects.all()).in_bulk([hit.photo_id for hit in hits])
    return [found[hit.photo_id] for hit in hits if hit.photo_id in found]


def render_results(request: HttpRequest, asked: Asked, found: Found) -> HttpResponse:
    context = {
        "query": asked.query,
        "words": asked.words,
        "places": asked.places,
        "period": asked.period,
        "kinds": asked.kinds,
        "people": asked.people,
        "photos": found.photos,
        "problem": found.problem,
        "suggestions": [] if asked.people else suggested_people(request.user, asked.query),
        "encoder": services.encoder_choice(),
    }
    return render(request, "search/search.html", context)


def render_refusal(request: HttpRequest) -> HttpResponse:
    """The page for a text that is no query any more."""
    context = {"longest": MAX_QUERY_CHARACTERS, "encoder": services.encoder_choice()}
    return render(request, "search/search.html", context, status=400)


def suggested_people(user: Any, query: str) -> list[Person]:
    """People with a word of the query in their names."""
    words = {word for word in query.casefold().split() if len(word) > 2}
    named = Person.objects.visible_to(user).filter(is_hidden=False).exclude(name="")
    names = named.values_list("pk", "name") if words else []
    chosen = [pk for pk, name in names if words & set(name.casefold().split())]
    return list(Person.objects.filter(pk__in=chosen).most_seen_first().with_cover_faces()[:MOST_PEOPLE])

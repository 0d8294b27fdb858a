"""The search page."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from faces.models import Person
from jobs.requests import HtmxHttpRequest
from photos.api.errors import MAX_QUERY_CHARACTERS
from photos.locations import countries
from photos.models import Photo
from photos.services import editable_library_ids
from photos.timeline import as_tiles
from photos.views.photos import render_days
from search import services
from search.api import find
from search.narrowing import FilterForm, Narrowed, changed, read_request
from search.understanding import Asked

MOST_RESULTS = 200
MOST_PEOPLE = 12
MOST_CHOICES = 300
QUICK_FILTERS = (("Favourites", "favorite", "on"), ("Photos", "kind", "photo"), ("Videos", "kind", "video"))


@dataclass(frozen=True)
class Found:
    """Photos, best first, or why there can be none."""

    photos: list[Photo] = field(default_factory=list)
    problem: str = ""


@login_required
@require_GET
@vary_on_headers("HX-Request")
async def search(request: HtmxHttpRequest) -> HttpResponse:
    """Photos that show what `q` says, of the people and places that are in it, within the filters."""
    user = await request.auser()
    if len(request.GET.get("q", "")) > MAX_QUERY_CHARACTERS:
        return await sync_to_async(render_refusal)(request)
    narrowed = await sync_to_async(read_request)(user, request.GET)
    if not narrowed.asked.words:
        return await sync_to_async(render_by_day)(request, narrowed)
    return await sync_to_async(render_best)(request, narrowed, await look(user, narrowed.asked))


@login_required
@require_GET
def filters(request: HttpRequest) -> HttpResponse:
    """The fields that narrow a search, with what there is to choose from."""
    user = request.user
    photos = Photo.objects.visible_to(user)
    cameras = photos.exclude(camera_model="").values("camera_model").annotate(count=Count("pk"))
    named = Person.objects.visible_to(user).filter(is_hidden=False).exclude(name="")
    chosen = request.GET.getlist("person")
    context = {
        "form": FilterForm(request.GET),
        "cameras": [row["camera_model"] for row in cameras.order_by("-count")[:MOST_CHOICES]],
        "places": place_names(photos),
        "people": list(named.most_seen_first().with_cover_faces()[: 2 * MOST_PEOPLE]),
        "chosen": {int(text) for text in chosen if text.isdecimal() and len(text) < 19},
    }
    return render(request, "search/_filters.html", context)


def place_names(photos: Any) -> list[str]:
    """Countries and cities of these photos, each name once."""
    found = [name for land in countries(photos) for name in (land.name, *(city.city for city in land.cities))]
    return [name for name in dict.fromkeys(found) if name][:MOST_CHOICES]


@login_required
@require_POST
async def prepare(request: HttpRequest) -> HttpResponse:
    """Somebody is at the search field: by the time the query is typed, the model is loaded."""
    with contextlib.suppress(services.SearchUnavailable):
        await services.warm_up()
    return HttpResponse(status=204)


async def look(user: Any, asked: Asked) -> Found:
    """Words rank; what narrows them says among which photos."""
    try:
        hits = await find(user, asked, MOST_RESULTS, None)
    except services.SearchUnavailable as error:
        return Found(problem=str(error))
    return Found(await sync_to_async(best_of_stacks)([hit.photo_id for hit in hits]))


def best_of_stacks(photo_ids: list[int]) -> list[Photo]:
    """These photos in this order as tiles, of each stack only the first; without those that are gone."""
    tiles = as_tiles(Photo.objects.all()).in_bulk(photo_ids)
    found: dict[tuple[str, int], Photo] = {}
    for photo in (tiles[pk] for pk in photo_ids if pk in tiles):
        key = ("photo", photo.pk) if photo.stack_id is None else ("stack", photo.stack_id)
        found.setdefault(key, photo)
    return list(found.values())


def page_context(request: HttpRequest, narrowed: Narrowed) -> dict[str, Any]:
    asked = narrowed.asked
    return {
        "asked": asked,
        "narrowed": narrowed,
        "query": asked.query,
        "quick": quick_filters(request),
        "suggestions": [] if asked.people else suggested_people(request.user, asked.query),
        "encoder": services.encoder_choice(),
    }


def render_by_day(request: HtmxHttpRequest, narrowed: Narrowed) -> HttpResponse:
    """Without words nothing ranks: all that fits, by day, a page at a time."""
    asked = narrowed.asked
    photos = asked.photos.without_clips() if asked.is_narrowed else Photo.objects.none()
    more: dict[str, Any] = {"more_query": f"{changed(request.GET)}&"}
    if not request.htmx:
        more |= {**page_context(request, narrowed), "count": photos.count()}
    return render_days(request, photos, "search/search.html", **more)


def render_best(request: HttpRequest, narrowed: Narrowed, found: Found) -> HttpResponse:
    context = {
        **page_context(request, narrowed),
        "photos": found.photos,
        "count": len(found.photos),
        "is_cut": len(found.photos) == MOST_RESULTS,
        "problem": found.problem,
        "editable": editable_library_ids(request.user),
    }
    return render(request, "search/search.html", context)


def quick_filters(request: HttpRequest) -> list[dict[str, Any]]:
    """Filters that are one click: their text, where it leads, and whether they are on."""
    values = request.GET
    found = []
    for text, name, value in QUICK_FILTERS:
        is_on = values.get(name) == value
        query = changed(values, **{name: [] if is_on else [value]})
        found.append({"text": text, "is_on": is_on, "query": query})
    return found


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

"""The search page."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from faces.models import Face, Person
from photos.api_errors import MAX_QUERY_CHARACTERS
from photos.locations import place_names_in, taken_in
from photos.models import Photo
from photos.timeline import as_tiles
from search import services
from search.api import find
from search.query import understand

MOST_RESULTS = 200
MOST_PEOPLE = 12


@dataclass(frozen=True)
class Asked:
    """What a request looks for: people, places, words, and the photos that are in question at all."""

    query: str
    words: str
    people: list[Person]
    places: tuple[str, ...]
    photos: Any

    @property
    def is_narrowed(self) -> bool:
        """Whether people or places leave only some photos in question."""
        return bool(self.people or self.places)


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
    """Understand the query with the names of people and places that the user may see."""
    query = " ".join(query.replace("\0", " ").split())
    visible = Person.objects.visible_to(user)
    parsed = understand(query, visible.exclude(name="").values_list("name", flat=True))
    people = list(visible.filter(name__in=parsed.names).with_cover_faces()) if parsed.names else []
    if person_id.isdecimal() and len(person_id) < 19:
        people += visible.filter(pk=person_id).with_cover_faces()
    photos = Photo.objects.visible_to(user)
    for name in {person.name or person.pk for person in people}:
        same = [person.pk for person in people if (person.name or person.pk) == name]
        photos = photos.filter(pk__in=Face.objects.filter(person__in=same).values("photo_id"))
    located = understand(parsed.words, place_names_in(user, parsed.words))
    for name in located.names:
        photos = taken_in(photos, name)
    return Asked(query, located.words, people, located.names, photos)


async def look(user: Any, asked: Asked) -> Found:
    """Words rank; people and places alone are listed by time."""
    if not asked.words:
        return Found(await sync_to_async(newest)(asked.photos) if asked.is_narrowed else [])
    photos = asked.photos if asked.is_narrowed else None
    try:
        hits = await find(user, asked.words, MOST_RESULTS, None, photos=photos)
    except services.SearchUnavailable as error:
        return Found(problem=str(error))
    return Found(await sync_to_async(best_of_stacks)([hit.photo.pk for hit in hits]))


def best_of_stacks(photo_ids: list[int]) -> list[Photo]:
    """These photos in this order as tiles; of each stack only the first."""
    tiles = {photo.pk: photo for photo in as_tiles(Photo.objects.filter(pk__in=photo_ids))}
    return first_of_stacks(tiles[pk] for pk in photo_ids if pk in tiles)


def first_of_stacks(photos: Iterable[Photo]) -> list[Photo]:
    """Without those of whose stack one came before."""
    found: dict[tuple[str, int], Photo] = {}
    for photo in photos:
        key = ("photo", photo.pk) if photo.stack_id is None else ("stack", photo.stack_id)
        found.setdefault(key, photo)
    return list(found.values())


def newest(photos: Any) -> list[Photo]:
    return first_of_stacks(as_tiles(photos).newest_first()[:MOST_RESULTS])


def render_results(request: HttpRequest, asked: Asked, found: Found) -> HttpResponse:
    context = {
        "query": asked.query,
        "words": asked.words,
        "places": asked.places,
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

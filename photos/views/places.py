"""Pages of places: countries with their cities, a map, and the photos of one or of a part of the other."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers
from rest_framework.serializers import ValidationError

from jobs.requests import HtmxHttpRequest
from photos.api.filter_fields import BboxField
from photos.filters import Box
from photos.locations import countries
from photos.models import Photo
from photos.views.photos import render_days

ELSEWHERE = "-"
"""Stands in a path for what is outside of any city."""


@login_required
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Where the photos were taken, most photos first."""
    found = countries(Photo.objects.visible_to(request.user))
    return render(request, "photos/places.html", {"countries": found, "elsewhere": ELSEWHERE})


@login_required
@require_GET
def photo_map(request: HttpRequest) -> HttpResponse:
    """A map on which a script shows the photos in clusters. It begins with `?bbox=`, else with the world."""
    bbox = request.GET.get("bbox", "")
    context = {"tiles": settings.MAP_TILES, "attribution": settings.MAP_ATTRIBUTION}
    return render(request, "photos/map.html", {**context, "bbox": bbox if box_of(bbox) else ""})


def box_of(bbox: str) -> Box | None:
    """None where it names no part of the map."""
    try:
        box: Box = BboxField().run_validation(bbox)
    except ValidationError:
        return None
    return box


@login_required
@require_GET
@vary_on_headers("HX-Request")
def map_photos(request: HtmxHttpRequest) -> HttpResponse:
    """The photos in `?bbox=`, a part of the map, by day."""
    bbox = request.GET.get("bbox", "")
    box = box_of(bbox)
    if box is None:
        raise Http404("There is no such part of the map.")
    photos = Photo.objects.visible_to(request.user).filter(box.condition())
    context = {"bbox": bbox, "more_query": f"{urlencode({'bbox': bbox})}&", "count": photos.count}
    return render_days(request, photos, "photos/map_photos.html", **context)


@login_required
@require_GET
@vary_on_headers("HX-Request")
def place(request: HtmxHttpRequest, code: str, city: str | None = None) -> HttpResponse:
    """The photos of a country or of a city in it, by day."""
    photos = Photo.objects.visible_to(request.user).filter(country_code=code)
    if city is not None:
        photos = photos.filter(city="" if city == ELSEWHERE else city)
    some = photos.first()
    if some is None:
        raise Http404("There are no photos of this place.")
    title = some.country if city is None else some.place_name
    return render_days(request, photos, "photos/place.html", title=title, count=photos.count())

"""Photos like the one that is looked at, on its page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from photos.models import Photo
from photos.timeline import as_tiles
from search import services

MOST_SIMILAR = 9


@login_required
@require_GET
def similar_photos(request: HttpRequest, photo_id: int) -> HttpResponse:
    """The nearest by what they show, nearest first; nothing before the photo has an embedding."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).only("pk"), pk=photo_id)
    hits = services.similar_photos(user=request.user, photo=photo, limit=MOST_SIMILAR) or []
    found = as_tiles(Photo.objects.all()).in_bulk([hit.photo_id for hit in hits])
    photos = [found[hit.photo_id] for hit in hits if hit.photo_id in found]
    return render(request, "search/_similar.html", {"photos": photos})

"""The tags of a photo, on its page."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from jobs.requests import HtmxHttpRequest
from photos import bulk
from photos.models import Photo
from photos.services import editable_library_ids

MOST_CHARACTERS = 200


@login_required
@require_GET
def photo_tags(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Those of people and of the file before those of a model."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).only("library_id"), pk=photo_id)
    return render_tags(request, photo)


def render_tags(request: HttpRequest, photo: Any) -> HttpResponse:
    tags = sorted(photo.tags.all(), key=lambda tag: (tag.source == tag.Source.MACHINE, -tag.score, tag.name))
    context = {
        "photo": photo,
        "tags": tags,
        "can_edit": photo.library_id in editable_library_ids(request.user),
    }
    return render(request, "photos/_tags.html", context)


@login_required
@require_POST
def change_tags(request: HtmxHttpRequest, photo_id: int) -> HttpResponse:
    """Put the `tag` of the form on a photo, or take it off (`off`)."""
    chosen = Photo.objects.editable_by(request.user).filter(pk=photo_id)
    photo = get_object_or_404(chosen)
    name = " ".join(request.POST.get("tag", "").replace("\0", " ").split())[:MOST_CHARACTERS]
    if not name:
        messages.error(request, "A tag needs a name.")
    elif "off" in request.POST:
        bulk.untag(chosen, name)
    else:
        bulk.tag(chosen, name)
    return render_tags(request, photo) if request.htmx else redirect("photo", photo_id)

"""Pages of albums."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from jobs.requests import HtmxHttpRequest
from photos import albums, bulk
from photos.models import Album, Library, Photo
from photos.services import editable_library_ids
from photos.timeline import PAGE_SIZE, as_tiles

MOST_CHARACTERS = 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def album_list(request: HttpRequest) -> HttpResponse:
    """GET: albums with their covers, newest first. POST: a new one."""
    if request.method == "POST":
        name = name_from(request)
        if not name:
            messages.error(request, "An album needs a name.")
            return redirect("albums")
        return redirect(
            "album", albums.create_album(library=Library.objects.home_of(request.user), name=name).pk
        )
    rows = albums.with_facts(Album.objects.visible_to(request.user)).order_by("-created_at", "-pk")
    return render(request, "photos/albums.html", {"albums": rows})


def name_from(request: HttpRequest) -> str:
    """The form's name, without what PostgreSQL cannot take."""
    return request.POST.get("name", "").replace("\0", "").strip()[:MOST_CHARACTERS]


@login_required
@require_GET
@vary_on_headers("HX-Request")
def album(request: HtmxHttpRequest, album_id: int) -> HttpResponse:
    """One album in its order; for htmx only the tiles from `?offset=`."""
    shown = get_object_or_404(albums.with_facts(Album.objects.visible_to(request.user)), pk=album_id)
    text = request.GET.get("offset", "0")
    offset = int(text) if text.isdecimal() and len(text) < 10 else 0
    rows = list(as_tiles(albums.photos_of(shown))[offset : offset + PAGE_SIZE + 1])
    editable = editable_library_ids(request.user)
    context = {
        "album": shown,
        "photos": rows[:PAGE_SIZE],
        "next_offset": offset + PAGE_SIZE if len(rows) > PAGE_SIZE else None,
        "can_edit": shown.library_id in editable,
        "editable": editable,
    }
    return render(request, "photos/_album_tiles.html" if request.htmx else "photos/album.html", context)


def editable_or_404(request: HttpRequest, album_id: int) -> Album:
    found: Album = get_object_or_404(Album.objects.editable_by(request.user), pk=album_id)
    return found


@login_required
@require_POST
def rename_album(request: HttpRequest, album_id: int) -> HttpResponse:
    found = editable_or_404(request, album_id)
    if name := name_from(request):
        albums.update_album(found, name=name)
    return redirect("album", album_id)


@login_required
@require_POST
def delete_album(request: HttpRequest, album_id: int) -> HttpResponse:
    """The album goes, its photos stay."""
    found = editable_or_404(request, album_id)
    albums.delete_album(found)
    messages.success(request, f"The album “{found.name}” is deleted. Its photos are still there.")
    return redirect("albums")


@login_required
@require_GET
def photo_albums(request: HttpRequest, photo_id: int) -> HttpResponse:
    """The albums of one photo, and those it could go to."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_id)
    return render_photo_albums(request, photo)


def render_photo_albums(request: HttpRequest, photo: Any) -> HttpResponse:
    own = Album.objects.filter(library_id=photo.library_id).order_by("name", "pk")
    inside = set(photo.album_entries.values_list("album_id", flat=True))
    context = {
        "photo": photo,
        "inside": [album for album in own if album.pk in inside],
        "others": [album for album in own if album.pk not in inside],
        "can_edit": photo.library_id in editable_library_ids(request.user),
    }
    return render(request, "photos/_photo_albums.html", context)


@login_required
@require_POST
def put_into_album(request: HtmxHttpRequest, photo_id: int) -> HttpResponse:
    """Put a photo into the `album` of the form, or out of it (`out`), or into a new one (`name`)."""
    chosen = Photo.objects.editable_by(request.user).filter(pk=photo_id)
    photo = get_object_or_404(chosen)
    text = request.POST.get("album", "")
    if name := name_from(request):
        target = albums.create_album(library=photo.library, name=name)
    elif text.isdecimal() and len(text) < 19:
        target = editable_or_404(request, int(text))
    else:
        raise Http404("There is no such album.")
    if "out" in request.POST:
        bulk.remove_from_album(target, chosen)
    else:
        bulk.add_to_album(target, chosen)
    return (
        render_photo_albums(request, photo) if request.htmx else redirect(reverse("photo", args=[photo_id]))
    )

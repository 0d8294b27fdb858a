"""What is done with photos that were ticked in a grid: the parts of it that ask something first."""

from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Min
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from photos import albums, bulk, editing
from photos.api.edit_fields import MOST_IDS
from photos.archive import MOST_PHOTOS, Entry, entries_of, zip_stream
from photos.models import Album, Library, Photo
from photos.views.albums import name_from
from photos.views.forms import CorrectManyForm


def chosen(request: HttpRequest, photos: Any) -> Any:
    """The ticked ones of `photos`: “ids” of the form, with commas between. 404 for none or too many."""
    parts = request.POST.get("ids", "").split(",")
    ids = [int(text) for text in parts if text.isascii() and text.isdecimal() and len(text) < 19]
    if not 0 < len(ids) <= MOST_IDS:
        raise Http404(f"Choose 1 to {MOST_IDS:,} photos.")
    return photos.filter(pk__in=ids)


def in_words(count: int) -> str:
    return f"{count:,} photo{'s' * (count != 1)}"


def finished(request: HttpRequest) -> HttpResponse:
    """Closes the window; the toasts say what was done."""
    answer = render(request, "photos/_selection_done.html")
    return trigger_client_event(answer, "chitra:selection-done")


@login_required
@require_GET
def choose_album(request: HttpRequest) -> HttpResponse:
    """The window that asks which album."""
    rows = albums.with_facts(Album.objects.editable_by(request.user)).order_by("-created_at", "-pk")
    return render(request, "photos/_choose_album.html", {"albums": rows})


@login_required
@require_POST
def add_to_album(request: HttpRequest) -> HttpResponse:
    """Put the chosen photos into an `album` by its id, or into a new one with a `name`."""
    photos = chosen(request, Photo.objects.editable_by(request.user))
    first = photos.order_by("pk").select_related("library").first()
    if first is None:
        raise Http404("The photos are not there any more.")
    text = request.POST.get("album", "")
    if name := name_from(request):
        target = albums.create_album(library=first.library, name=name)
    else:
        is_id = text.isascii() and text.isdecimal() and len(text) < 19
        target = get_object_or_404(Album.objects.editable_by(request.user), pk=int(text) if is_id else 0)
    count = photos.count()
    added = bulk.add_to_album(target, photos)
    left = f" {in_words(count - added)} stayed out: in it already, or of another library." * (added < count)
    messages.success(request, f"{in_words(added)} added to “{target.name}”.{left}")
    return finished(request)


@login_required
@require_POST
def use_as_cover(request: HttpRequest, album_id: int) -> HttpResponse:
    """The chosen photo, the first if there are several, stands for the album."""
    album = get_object_or_404(Album.objects.editable_by(request.user), pk=album_id)
    photo = get_object_or_404(chosen(request, albums.photos_of(album))[:1])
    albums.update_album(album, cover_id=photo.pk)
    messages.success(request, "This is the cover now.")
    return redirect("album", album_id)


@login_required
@require_POST
def correct(request: HttpRequest) -> HttpResponse:
    """The window that asks for another time or place; with `save` it carries that out."""
    photos = chosen(request, Photo.objects.editable_by(request.user))
    earliest = photos.aggregate(earliest=Min("taken_at"))["earliest"]
    if earliest is None:
        raise Http404("The photos are not there any more.")
    wall = earliest.replace(tzinfo=None, microsecond=0)
    if "save" not in request.POST:
        form = CorrectManyForm(initial={"earliest": wall})
        return render(request, "photos/_correct_many.html", {"form": form, "count": photos.count()})
    form = CorrectManyForm(request.POST)
    if form.is_valid():
        try:
            carry_out(request, photos, form, wall)
        except editing.BadEdit as error:
            form.add_error("earliest" if error.field == "time" else error.field, str(error))
    if form.errors:
        return render(request, "photos/_correct_many.html", {"form": form, "count": photos.count()})
    return finished(request)


@transaction.atomic
def carry_out(request: HttpRequest, photos: Any, form: CorrectManyForm, earliest: datetime) -> None:
    """One edit for each library, each with its undo in a toast. Raises BadEdit."""
    values = form.cleaned_data
    shift = (values["earliest"] or earliest) - earliest
    edits = []
    for library in Library.objects.filter(pk__in=photos.order_by().values("library_id")):
        of_library = photos.filter(library=library)
        edits.append(
            editing.edit_many(
                photos=of_library, library=library, actor=request.user, shift=shift, place=values["place"]
            )
        )
    for edit in filter(None, edits):
        messages.success(
            request, f"Corrected: {edit.summary}.", extra_tags=reverse("undo-edit", args=[edit.pk])
        )
    if not any(edits):
        messages.info(request, "Nothing has changed: it was so already.")


@login_required
@require_POST
async def download(request: HttpRequest) -> StreamingHttpResponse:
    """The originals of the chosen photos as one zip, made while it is sent."""
    user = await request.auser()
    entries = await sync_to_async(chosen_entries)(request, user)
    name = f"photos-{timezone.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(zip_stream(entries), content_type="application/zip", headers=headers)


def chosen_entries(request: HttpRequest, user: Any) -> list[Entry]:
    entries = entries_of(chosen(request, Photo.objects.visible_to(user)).newest_first())
    if not 0 < len(entries) <= MOST_PHOTOS:
        raise Http404("The photos are not there any more.")
    return entries

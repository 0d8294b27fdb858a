"""Pages of photos: timeline, photo, upload, trash."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from jobs import ledger
from jobs.models import StepStatus
from jobs.requests import HtmxHttpRequest
from jobs.steps import all_steps
from photos import media_keys, serving
from photos.details import details_context
from photos.libraries import set_time_zone as use_time_zone
from photos.models import Library, Photo, PhotoStep
from photos.services import editable_library_ids, libraries_to_choose_from
from photos.storages import renditions
from photos.timeline import (
    BadCursor,
    as_tiles,
    cursor_before,
    months,
    newer_page,
    timeline_page,
    with_newer,
)
from photos.views.stacks import stack_context

MOST_TILES = 200  # that a page asks for at once


@login_required
@require_GET
@vary_on_headers("HX-Request")
def timeline(request: HtmxHttpRequest) -> HttpResponse:
    """All photos by day."""
    return render_days(request, in_timeline(request.user), "photos/timeline.html")


@login_required
@require_GET
@vary_on_headers("HX-Request")
def favorites(request: HtmxHttpRequest) -> HttpResponse:
    """The favourites, archived ones too."""
    photos = Photo.objects.visible_to(request.user).without_clips().filter(is_favorite=True)
    return render_days(request, photos, "photos/favorites.html")


@login_required
@require_GET
@vary_on_headers("HX-Request")
def archive(request: HtmxHttpRequest) -> HttpResponse:
    """What was taken out of the timeline and is kept."""
    photos = Photo.objects.visible_to(request.user).without_clips().filter(is_archived=True)
    return render_days(request, photos, "photos/archive.html")


def render_days(request: HtmxHttpRequest, photos: Any, template: str, **more: Any) -> HttpResponse:
    """These photos by day, `?before=` a cursor; for htmx only that part, or the one right `?after=` it."""
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    try:
        page = newer_page(photos, after=after) if after else timeline_page(photos, before=before)
        if before and not request.htmx:
            page = with_newer(page, photos, before=before)
    except BadCursor as error:
        raise Http404(str(error)) from None
    context = {"page": page, "more_url": request.path, "before": before, **more}
    if "editable" not in context:
        context["editable"] = editable_library_ids(request.user)
    return render(request, "photos/_timeline_page.html" if request.htmx else template, context)


def in_timeline(user: Any) -> Any:
    """What the timeline of `user` shows."""
    kept = {"is_archived": False}
    return Photo.objects.visible_to(user).without_clips().one_of_each_stack(**kept).filter(**kept)


@login_required
@require_GET
def timeline_months(request: HttpRequest) -> HttpResponse:
    """The choice of months to jump to."""
    return render(request, "photos/_months.html", {"months": months(in_timeline(request.user))})


@login_required
@require_GET
def tiles(request: HttpRequest) -> HttpResponse:
    """Tiles of `?ids=1,2,3`, for those that changed while a page is open."""
    ids = [int(text) for text in request.GET.get("ids", "").split(",") if text.isdecimal() and len(text) < 19]
    photos = as_tiles(Photo.objects.visible_to(request.user).filter(pk__in=ids[:MOST_TILES]))
    editable = editable_library_ids(request.user)
    return render(request, "photos/_tiles.html", {"photos": photos.newest_first(), "editable": editable})


@login_required
@require_GET
@vary_on_headers("HX-Request")
def photo(request: HtmxHttpRequest, photo_id: int) -> HttpResponse:
    """One photo, large, with what is known about it; for a script without the page around it."""
    shown = get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_id)
    others = in_timeline(request.user)
    place = (shown.taken_at, shown.pk)
    context = {
        "newer": others.before_in_timeline(*place).order_by("taken_at", "pk").only("has_renditions").first(),
        "older": others.after_in_timeline(*place).newest_first().only("has_renditions").first(),
        "place": cursor_before(shown),
        "film": shown.film,
        **stack_context(shown),
        **details_context(request.user, shown),
        **step_context(shown),
    }
    return render(request, "photos/_photo.html" if request.htmx else "photos/photo.html", context)


@login_required
@require_GET
def photo_steps(request: HttpRequest, photo_id: int) -> HttpResponse:
    """How far the processing of one photo is."""
    return render_steps(request, get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_id))


def render_steps(request: HttpRequest, photo: Photo) -> HttpResponse:
    can_edit = photo.library_id in editable_library_ids(request.user)
    context = {"photo": photo, "can_edit": can_edit, **step_context(photo)}
    return render(request, "photos/_steps.html", context)


def step_context(photo: Photo) -> dict[str, Any]:
    """The photo's ledger in the order of the steps."""
    titles = {step.name: step.title for step in all_steps()}
    order = list(titles)
    rows = [row for row in PhotoStep.objects.filter(photo=photo) if row.step in titles]
    rows.sort(key=lambda row: order.index(row.step))
    steps = [{"row": row, "title": titles[row.step]} for row in rows]
    busy = any(row.status in {StepStatus.PENDING, StepStatus.RUNNING} for row in rows)
    return {"steps": steps, "is_busy": busy}


@login_required
@require_POST
def retry_step(request: HtmxHttpRequest, photo_id: int, step: str) -> HttpResponse:
    """Do one step of a photo again."""
    shown = get_object_or_404(Photo.objects.editable_by(request.user), pk=photo_id)
    ledger.reset(PhotoStep.objects.filter(photo=shown, step=step))
    return render_steps(request, shown) if request.htmx else redirect(shown)


@login_required
@require_POST
def trash_photo(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Move a photo to the trash; the answer offers to undo it."""
    chosen = Photo.objects.editable_by(request.user).filter(pk=photo_id)
    if not chosen.move_to_trash():
        raise Http404("There is no such photo.")
    messages.success(request, "Moved to the trash.", extra_tags=reverse("restore-photo", args=[photo_id]))
    return redirect("timeline")


@login_required
@require_POST
def restore_photo(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Bring a photo back from the trash."""
    if not Photo.objects.in_trash_of(request.user).filter(pk=photo_id).bring_back():
        raise Http404("There is no such photo in the trash.")
    messages.success(request, "The photo is back.")
    return redirect("photo", photo_id)


@login_required
@require_GET
@vary_on_headers("HX-Request")
def trash(request: HtmxHttpRequest) -> HttpResponse:
    """What lies in the trash, to be brought back."""
    photos = Photo.objects.in_trash_of(request.user).without_clips()
    try:
        page = timeline_page(photos, before=request.GET.get("before", ""))
    except BadCursor as error:
        raise Http404(str(error)) from None
    context = {"page": page, "trash_days": settings.TRASH_DAYS}
    return render(request, "photos/_trash_page.html" if request.htmx else "photos/trash.html", context)


@login_required
@require_GET
def trash_thumbnail(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """The thumbnail of a photo in the trash, which the API has no more."""
    photo = get_object_or_404(Photo.objects.in_trash_of(request.user), pk=photo_id)
    try:
        return serving.answer(request, renditions(), media_keys.rendition_item(photo, "thumbnail"))
    except FileNotFoundError:
        raise Http404("There is no thumbnail.") from None


@login_required
@require_GET
@ensure_csrf_cookie
def upload(request: HttpRequest) -> HttpResponse:
    """Where files are dropped; the API takes them."""
    libraries = libraries_to_choose_from(request.user)
    return render(request, "photos/upload.html", {"libraries": libraries})


@login_required
@require_POST
def set_time_zone(request: HttpRequest, library_id: int) -> HttpResponse:
    """Choose the zone of photos that do not tell theirs."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    try:
        count = use_time_zone(library=library, zone=request.POST.get("time_zone", ""))
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"The zone is set; {count} photos are read again.")
    return redirect("settings")

"""The page's part in which people correct what is known about a photo."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from jobs.requests import HtmxHttpRequest
from photos import editing
from photos.details import details_context
from photos.models import Photo, PhotoEdit
from photos.views.forms import DetailsForm


@login_required
@require_http_methods(["GET", "POST"])
def details(request: HtmxHttpRequest, photo_id: int) -> HttpResponse:
    """What is known about a photo; POST corrects it."""
    if request.method == "GET":
        shown = get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_id)
        return render_details(request, shown) if request.htmx else redirect(shown)
    photo = get_object_or_404(Photo.objects.editable_by(request.user).select_related("library"), pk=photo_id)
    form = DetailsForm(photo, request.POST)
    edit = None
    if form.is_valid() and (values := form.changes()):
        try:
            edit = editing.edit_photo(photo=photo, actor=request.user, values=values)
        except editing.BadEdit as error:
            form.add_error("wall_clock" if error.field == "time" else error.field, str(error))
    if not request.htmx and not form.errors:
        return redirect(photo)
    if form.errors:
        return render_details(request, photo, form=form)
    photo.refresh_from_db()
    return render_details(request, photo, edit=edit)


def render_details(request: HtmxHttpRequest, photo: Photo, **more: Any) -> HttpResponse:
    return render(request, "photos/_details.html", details_context(request.user, photo) | more)


@login_required
@require_POST
def unlock(request: HtmxHttpRequest, photo_id: int, field: str) -> HttpResponse:
    """Read a field from the file again."""
    if field not in Photo.Editable.values:
        raise Http404("There is no such field.")
    photo = get_object_or_404(Photo.objects.editable_by(request.user), pk=photo_id)
    editing.unlock(photo=photo, field=field)
    photo.refresh_from_db()
    return render_details(request, photo) if request.htmx else redirect(photo)


@login_required
@require_POST
def undo(request: HtmxHttpRequest, edit_id: int) -> HttpResponse:
    """Undo a correction; shows the photo that is as before, or the page of dates."""
    edit = get_object_or_404(PhotoEdit.objects.editable_by(request.user), pk=edit_id)
    photo_ids = list(edit.photos.values_list("photo_id", flat=True)[:2])
    is_of_a_stack = edit.photos.filter(before__has_any_keys=["stack_id", "stack_position"]).exists()
    undone = editing.undo(edit)
    left = f" {undone.left} were changed since and stay as they are." if undone.left else ""
    messages.success(request, f"Undone for {undone.restored} photo{'s' * (undone.restored != 1)}.{left}")
    is_on_dates = request.headers.get("Referer", "").endswith(reverse("dates"))
    if (
        not is_on_dates
        and (len(photo_ids) == 1 or is_of_a_stack)
        and Photo.objects.visible_to(request.user).filter(pk=photo_ids[0]).exists()
    ):
        return redirect("photo", photo_ids[0])
    return redirect("dates")

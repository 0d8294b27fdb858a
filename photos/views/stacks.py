"""The strip of a stack on the page of a photo, and what people do with it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from photos.models import Photo, PhotoEdit, Stack
from photos.stacks import editing


def stack_context(photo: Photo) -> dict[str, Any]:
    """For `photos/_stack.html`: the stack and its photos, none where it has no other one to show."""
    if photo.stack is None:
        return {"stack": None, "stacked": []}
    stacked = list(photo.stack.shown_photos())
    return {
        "stack": photo.stack,
        "stacked": stacked if len(stacked) > 1 else [],
        "has_types": len({one.mime_type for one in stacked}) > 1,
    }


def stacked_photo(user: Any, photo_id: int) -> tuple[Photo, Stack]:
    """A photo that `user` may change and its stack, or 404."""
    photo = get_object_or_404(Photo.objects.editable_by(user).select_related("stack__library"), pk=photo_id)
    if photo.stack is None:
        raise Http404("The photo is in no stack.")
    return photo, photo.stack


@login_required
@require_POST
def make_cover(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Let this photo stand for its stack."""
    photo, stack = stacked_photo(request.user, photo_id)
    edit = editing.set_cover(stack=stack, photo_id=photo.pk, actor=request.user)
    return answer(request, photo, edit, "It stands for its stack.")


@login_required
@require_POST
def take_out(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Let this photo stand alone."""
    photo, stack = stacked_photo(request.user, photo_id)
    edit = editing.take_out(stack=stack, photo_ids=[photo.pk], actor=request.user)
    return answer(request, photo, edit, "Taken out of the stack.")


@login_required
@require_POST
def unstack(request: HttpRequest, photo_id: int) -> HttpResponse:
    """Let all photos of the stack stand alone."""
    photo, stack = stacked_photo(request.user, photo_id)
    edit = editing.unstack(stack=stack, actor=request.user)
    return answer(request, photo, edit, "The photos stand alone and are not stacked again.")


def answer(request: HttpRequest, photo: Photo, edit: PhotoEdit | None, text: str) -> HttpResponse:
    """Back to the photo; the message offers to undo it."""
    if edit is not None:
        messages.success(request, text, extra_tags=reverse("undo-edit", args=[edit.pk]))
    return redirect(photo)

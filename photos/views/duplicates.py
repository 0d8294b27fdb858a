"""The page of photos that look alike: keep the best, stack them, or say that they are no duplicates."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from photos import bulk
from photos.look_alikes import resemblance
from photos.models import LookAlike, Photo
from photos.stacks import editing

SHOWN = 20  # groups at once


@login_required
@require_GET
def duplicates(request: HttpRequest) -> HttpResponse:
    """The groups found last. What is decided goes, and others take its place."""
    pairs = LookAlike.objects.editable_by(request.user).open()
    groups, count = resemblance.groups(pairs, limit=SHOWN)
    return render(request, "photos/duplicates.html", {"groups": groups, "others": count - len(groups)})


def chosen(request: HttpRequest, photos: Any) -> Any:
    """Those of `photos` that the request names, `id` once for each. 404 for none."""
    texts = [*request.POST.getlist("id"), *request.GET.getlist("id")]
    ids = [int(text) for text in texts if text.isdecimal() and len(text) < 19]
    found = photos.filter(pk__in=ids[: resemblance.MOST_IN_GROUP])
    if not found.exists():
        raise Http404("There are no such photos.")
    return found


def undo_url(name: str, photo_ids: list[int]) -> str:
    return f"{reverse(name)}?{urlencode({'id': photo_ids}, doseq=True)}"


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the photo `keep` and move the others to the trash; the answer offers to undo it."""
    group = chosen(request, Photo.objects.editable_by(request.user))
    others = group.exclude(pk=kept_photo(request, group))
    ids = list(others.values_list("pk", flat=True))
    count = bulk.change_photos(Photo.objects.filter(pk__in=ids), into_trash)
    text = f"{count} photo{'s' * (count != 1)} moved to the trash."
    messages.success(request, text, extra_tags=undo_url("restore-duplicates", ids))
    return redirect("duplicates")


def into_trash(photos: Any) -> int:
    """With the films beside them, which `bulk.trash` would leave."""
    return int(photos.move_to_trash())


def out_of_trash(photos: Any) -> int:
    return int(photos.bring_back())


def kept_photo(request: HttpRequest, group: Any) -> int:
    """The id of the photo to keep, one of the group: 404 otherwise, or all would go."""
    text = request.POST.get("keep", "")
    kept = group.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None
    if kept is None:
        raise Http404("There is no such photo in the group.")
    return int(kept.pk)


@login_required
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Undo `keep`."""
    bulk.change_photos(chosen(request, Photo.objects.in_trash_of(request.user)), out_of_trash)
    messages.success(request, "The photos are back.")
    return redirect("duplicates")


@login_required
@require_POST
def tell_apart(request: HttpRequest) -> HttpResponse:
    """Remember that these are no duplicates; the answer offers to undo it."""
    group = chosen(request, Photo.objects.editable_by(request.user))
    ids = list(group.values_list("pk", flat=True))
    resemblance.tell_apart(group, actor=request.user)
    messages.success(request, "Remembered: no duplicates.", extra_tags=undo_url("take-back-duplicates", ids))
    return redirect("duplicates")


@login_required
@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    """Undo `tell_apart`."""
    resemblance.take_back(chosen(request, Photo.objects.editable_by(request.user)))
    return redirect("duplicates")


@login_required
@require_POST
def stack(request: HttpRequest) -> HttpResponse:
    """Stack the group, the photo `keep` first; the answer offers to undo it."""
    group = chosen(request, Photo.objects.editable_by(request.user))
    kept = kept_photo(request, group)
    first = group.select_related("library").get(pk=kept)
    same = group.filter(library=first.library).exclude(pk=kept).order_by("pk").values_list("pk", flat=True)
    try:
        _, edit = editing.stack_photos(library=first.library, photo_ids=[kept, *same], actor=request.user)
    except editing.BadStack as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Stacked.", extra_tags=reverse("undo-edit", args=[edit.pk]))
    return redirect("duplicates")

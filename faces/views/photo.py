"""The faces on a photo's page: who they are, where they are, and those that were missed."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from faces import curation
from faces.errors import PeopleError
from faces.models import Face
from faces.views.access import get_face_for_user, offering_undo, person_meant, refused
from jobs.requests import HtmxHttpRequest
from photos.models import Photo
from photos.services import editable_library_ids


@login_required
@require_GET
def photo_faces(request: HtmxHttpRequest, photo_id: int) -> HttpResponse:
    """The faces on a photo: names beside it, boxes over it."""
    return render_faces(request, get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_id))


def render_faces(request: HttpRequest, photo: Photo, *, is_done: bool = False) -> HttpResponse:
    """`is_done` closes the editor and shows what was done."""
    faces = list(
        Face.objects.filter(photo=photo, is_dismissed=False)
        .select_related("photo", "person")
        .order_by("x1", "pk")
    )
    context = {
        "photo": photo,
        "faces": faces,
        "can_edit": photo.library_id in editable_library_ids(request.user),
        "is_done": is_done,
    }
    return render(request, "faces/_photo_faces.html", context)


@login_required
@require_GET
def edit_face(request: HttpRequest, face_id: int) -> HttpResponse:
    """The small window in which a face is named, confirmed, moved or sent away."""
    face = get_face_for_user(request.user, face_id)
    return render(request, "faces/_face_editor.html", {"face": face, "photo": face.photo})


@login_required
@require_POST
def name_one_face(request: HtmxHttpRequest, face_id: int) -> HttpResponse:
    """Say who a face is (`name`), or that it is nobody's (`nobody=1`)."""
    face = get_face_for_user(request.user, face_id)
    name = request.POST.get("name", "")
    try:
        with offering_undo(request):
            if request.POST.get("nobody") == "1":
                curation.assign_face(face=face, person=None, actor=request.user)
            elif (known := person_meant(request.user, face.photo.library_id, "", name)) is not None:
                curation.assign_face(face=face, person=known, actor=request.user)
            else:
                curation.name_face(face=face, name=name, actor=request.user)
    except PeopleError as error:
        return refused(request, error, face.photo.get_absolute_url())
    return render_faces(request, face.photo, is_done=True) if request.htmx else redirect(face.photo)


@login_required
@require_POST
def answer_face(request: HtmxHttpRequest, face_id: int) -> HttpResponse:
    """`action`: confirm that it is who it was put to, reject that, or dismiss what is no face."""
    face = get_face_for_user(request.user, face_id)
    actions: dict[str, Any] = {
        "confirm": curation.confirm_faces,
        "reject": curation.reject_faces,
        "dismiss": curation.dismiss_faces,
    }
    try:
        if (carry_out := actions.get(request.POST.get("action", ""))) is None:
            raise PeopleError("unknown_action", "Choose what to do with this face.")
        with offering_undo(request):
            carry_out(faces=[face], actor=request.user)
    except PeopleError as error:
        return refused(request, error, face.photo.get_absolute_url())
    return render_faces(request, face.photo, is_done=True) if request.htmx else redirect(face.photo)


@login_required
@require_POST
def move_face(request: HtmxHttpRequest, face_id: int) -> HttpResponse:
    """Put the box of a face to `box`: x1,y1,x2,y2 in fractions of the upright picture."""
    face = get_face_for_user(request.user, face_id)
    try:
        with offering_undo(request):
            curation.move_face(face=face, box=parsed_box(request.POST.get("box", "")), actor=request.user)
    except PeopleError as error:
        return refused(request, error, face.photo.get_absolute_url())
    return render_faces(request, face.photo, is_done=True) if request.htmx else redirect(face.photo)


@login_required
@require_http_methods(["GET", "POST"])
def draw_face(request: HtmxHttpRequest, photo_id: int) -> HttpResponse:
    """GET: the small window that asks who a drawn face is. POST: keep its `box`; the `name` may be empty."""
    photo = get_object_or_404(Photo.objects.editable_by(request.user), pk=photo_id)
    if request.method == "GET":
        return render(request, "faces/_face_editor.html", {"photo": photo, "face": None})
    name = request.POST.get("name", "")
    try:
        known = person_meant(request.user, photo.library_id, "", name)
        box = parsed_box(request.POST.get("box", ""))
        with offering_undo(request):
            curation.draw_face(
                photo=photo, box=box, person=known, new_name="" if known else name.strip(), actor=request.user
            )
    except PeopleError as error:
        return refused(request, error, photo.get_absolute_url())
    return render_faces(request, photo, is_done=True) if request.htmx else redirect(photo)


def parsed_box(text: str) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 of “0.1,0.2,0.3,0.4”. Raises PeopleError for what is no box."""
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        raise PeopleError("invalid_box", "Draw a box around the face first.") from None
    return curation.checked_box((x1, y1, x2, y2))

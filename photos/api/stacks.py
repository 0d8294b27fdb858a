"""The REST API of stacks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos.api.errors import Unprocessable, validated
from photos.api.fields import Body, IdField
from photos.api.schemas import PhotoObject
from photos.api.serializers import PageParameters, photos_as_json
from photos.models import Photo, PhotoEdit, Stack
from photos.stacks import editing
from photos.stacks.editing import MOST_PHOTOS, BadStack


class StackListParameters(PageParameters):
    library = IdField(required=False)
    kind = serializers.ChoiceField(choices=Stack.Kind.choices, required=False)


class PhotoIdsField(serializers.ListField):
    def __init__(self, *, min_length: int = 1, **options: Any) -> None:
        super().__init__(child=IdField(), min_length=min_length, max_length=MOST_PHOTOS, **options)


class NewStack(Body):
    photo_ids = PhotoIdsField(
        min_length=2, help_text="In the order of the stack; the first one is its cover."
    )


class StackChanges(Body):
    """What is left out stays as it is."""

    add = PhotoIdsField(required=False, help_text="Photos to put behind the others.")
    remove = PhotoIdsField(required=False, help_text="Photos that stand alone from now on.")
    cover = IdField(required=False, help_text="The photo of the stack that stands for all.")


class StackObject(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    library_id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Stack.Kind.choices)
    cover_photo_id = serializers.IntegerField()
    photo_count = serializers.IntegerField(help_text="Without the trash.")
    photo_ids = serializers.ListField(
        child=serializers.IntegerField(), help_text="In order, the cover first."
    )
    created_at = serializers.DateTimeField()


class StackPage(serializers.Serializer[Any]):
    items = StackObject(many=True)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    total = serializers.IntegerField()


class StackDetail(StackObject):
    photos = PhotoObject(many=True)


class ChangedStack(serializers.Serializer[Any]):
    stack = StackObject(allow_null=True, help_text="Null when fewer than two photos are left.")
    edit_ids = serializers.ListField(
        child=serializers.IntegerField(), help_text="By which to undo, the last one first."
    )


@extend_schema(
    methods=["GET"],
    operation_id="stacks_list",
    summary="List stacks",
    parameters=[StackListParameters],
    responses=StackPage,
)
@extend_schema(methods=["POST"], summary="Stack photos", request=NewStack, responses={201: ChangedStack})
@api_view(["GET", "HEAD", "POST"])
async def stack_list(request: Request) -> Response:
    """GET: stacks, newest first. POST: one of photos of one library; the rest of their stacks comes along."""
    if request.method == "POST":
        return await sync_to_async(make_stack)(request.user, validated(NewStack, request.data)["photo_ids"])
    return await sync_to_async(list_stacks)(
        request.user, validated(StackListParameters, request.query_params)
    )


def list_stacks(user: Any, values: dict[str, Any]) -> Response:
    limit, offset = values["limit"], values["offset"]
    visible = Stack.objects.visible_to(user)
    if "library" in values:
        visible = visible.filter(library_id=values["library"])
    if "kind" in values:
        visible = visible.filter(kind=values["kind"])
    stacks = visible.in_use()
    items = [stack_json(stack) for stack in stacks.order_by("-pk")[offset : offset + limit]]
    return Response({"items": items, "limit": limit, "offset": offset, "total": stacks.count()})


def stack_json(stack: Any) -> dict[str, Any]:
    """A row of `in_use`."""
    return {
        "id": stack.pk,
        "library_id": stack.library_id,
        "kind": stack.kind,
        "cover_photo_id": stack.photo_ids[0],
        "photo_count": len(stack.photo_ids),
        "photo_ids": stack.photo_ids,
        "created_at": stack.created_at,
    }


def make_stack(user: Any, photo_ids: list[int]) -> Response:
    photo = Photo.objects.editable_by(user).filter(pk=photo_ids[0]).select_related("library").first()
    if photo is None:
        raise Unprocessable({"photo_ids": ["There are no such photos, or you may not change them."]})
    with refused("photo_ids"):
        stack, edit = editing.stack_photos(library=photo.library, photo_ids=photo_ids, actor=user)
    return Response(changed(stack.pk, [edit]), status=201)


def changed(stack_id: int, edits: list[PhotoEdit | None]) -> dict[str, Any]:
    stack = Stack.objects.filter(pk=stack_id).in_use().first()
    edit_ids = [edit.pk for edit in reversed(edits) if edit is not None]
    return {"stack": stack and stack_json(stack), "edit_ids": edit_ids}


@extend_schema(methods=["GET"], summary="One stack", responses=StackDetail)
@extend_schema(methods=["PATCH"], summary="Change a stack", request=StackChanges, responses=ChangedStack)
@extend_schema(methods=["DELETE"], summary="Unstack photos", request=None, responses={200: ChangedStack})
@api_view(["GET", "HEAD", "PATCH", "DELETE"])
async def stack_detail(request: Request, stack_id: int) -> HttpResponse:
    """GET: the stack with its photos. PATCH: other photos or another cover. DELETE: the photos stay, each for
    itself, and are not stacked again. `edits/<id>/undo` undoes each change.
    """
    if request.method == "PATCH":
        changes = validated(StackChanges, request.data)
        return Response(await sync_to_async(change_stack)(request.user, stack_id, changes))
    if request.method == "DELETE":
        return Response(await sync_to_async(delete_stack)(request.user, stack_id))
    return await sync_to_async(one_stack)(request.user, stack_id)


def one_stack(user: Any, stack_id: int) -> HttpResponse:
    stack = stack_or_404(Stack.objects.visible_to(user), stack_id)
    facts = json.dumps(StackObject(stack_json(stack)).data)
    photos = ",".join(photos_as_json(stack.shown_photos()))
    return HttpResponse(f'{facts[:-1]},"photos":[{photos}]}}', content_type="application/json")


def stack_or_404(stacks: Any, stack_id: int) -> Any:
    stack = stacks.filter(pk=stack_id).in_use().first()
    if stack is None:
        raise NotFound("There is no such stack.", code="stack_not_found")
    return stack


@transaction.atomic
def change_stack(user: Any, stack_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    stack = stack_or_404(Stack.objects.editable_by(user), stack_id)
    edits: list[PhotoEdit | None] = []
    with refused("add"):
        if "add" in changes:
            edits.append(editing.add_photos(stack=stack, photo_ids=changes["add"], actor=user))
    with refused("cover"):
        if "cover" in changes:
            edits.append(editing.set_cover(stack=stack, photo_id=changes["cover"], actor=user))
    if "remove" in changes:
        edits.append(editing.take_out(stack=stack, photo_ids=changes["remove"], actor=user))
    return changed(stack_id, edits)


@contextmanager
def refused(field: str) -> Iterator[None]:
    """What cannot be, as an error of this field."""
    try:
        yield
    except BadStack as error:
        raise Unprocessable({field: [str(error)]}) from None


def delete_stack(user: Any, stack_id: int) -> dict[str, Any]:
    stack = stack_or_404(Stack.objects.editable_by(user), stack_id)
    return changed(stack_id, [editing.unstack(stack=stack, actor=user)])

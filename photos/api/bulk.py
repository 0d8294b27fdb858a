"""The REST API of many photos at once: actions, the trash, and the question which files are there already."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos import bulk
from photos.api import schemas
from photos.api.edit_fields import BulkBody, ChecksumsBody, selection_from
from photos.api.errors import validated
from photos.api.photos import cursor_page, photo_answer, photo_not_found
from photos.api.serializers import CursorParameters
from photos.models import Album, Library, Photo
from photos.presence import known_checksums

MARKS: dict[str, dict[str, bool]] = {
    "favorite": {"is_favorite": True},
    "unfavorite": {"is_favorite": False},
    "archive": {"is_archived": True},
    "unarchive": {"is_archived": False},
}


class BulkAnswer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="How many photos were concerned.")


class KnownChecksum(serializers.Serializer[Any]):
    checksum = serializers.CharField()
    photo_id = serializers.IntegerField()
    trashed = serializers.BooleanField(help_text="It lies in the trash; sent again it comes back.")


class ChecksumAnswer(serializers.Serializer[Any]):
    existing = KnownChecksum(many=True)
    missing = serializers.ListField(child=serializers.CharField())


@extend_schema(summary="Change many photos", request=BulkBody, responses={200: BulkAnswer, 404: None})
@api_view(["POST"])
async def change_many(request: Request) -> Response:
    """One action on photos chosen by `ids` or by `filter`, as in the list; others' are left alone."""
    body = validated(BulkBody, request.data)
    return Response({"changed": await sync_to_async(carry_out)(request.user, body)})


def carry_out(user: Any, body: dict[str, Any]) -> int:
    selection, action = selection_from(body), body["action"]
    if action == "restore":
        return bulk.restore(selection.of(Photo.objects.in_trash_of(user)))
    photos = selection.of(Photo.objects.editable_by(user))
    match action:
        case "trash":
            return bulk.trash(photos)
        case "rate":
            return bulk.rate(photos, body["rating"])
        case "tag":
            return bulk.tag(photos, body["tag"])
        case "untag":
            return bulk.untag(photos, body["tag"])
        case "add_to_album":
            return bulk.add_to_album(editable_album(user, body["album"]), photos)
        case "remove_from_album":
            return bulk.remove_from_album(editable_album(user, body["album"]), photos)
    return bulk.set_values(photos, **MARKS[action])


def editable_album(user: Any, album_id: int) -> Album:
    """The album, or 404 also for one that the user may only see."""
    album: Album | None = Album.objects.editable_by(user).filter(pk=album_id).first()
    if album is None:
        raise NotFound("There is no such album.", code="album_not_found")
    return album


@extend_schema(
    operation_id="trash_list",
    summary="The trash",
    parameters=[CursorParameters],
    responses=schemas.PhotoPage,
)
@api_view(["GET", "HEAD"])
def trash(request: Request) -> HttpResponse:
    """Photos that can be brought back, newest first, a page at a time by cursor."""
    values = validated(CursorParameters, request.query_params)
    return cursor_page(Photo.objects.in_trash_of(request.user), values["cursor"], values["limit"])


@extend_schema(summary="Bring a photo back", request=None, responses=schemas.PhotoObject)
@api_view(["POST"])
async def restore_photo(request: Request, photo_id: int) -> HttpResponse:
    """Out of the trash."""
    return await sync_to_async(restore)(request.user, photo_id)


def restore(user: Any, photo_id: int) -> HttpResponse:
    if not bulk.restore(Photo.objects.in_trash_of(user).filter(pk=photo_id)):
        raise photo_not_found()
    return photo_answer(user, photo_id)


@extend_schema(summary="Which files are there already", request=ChecksumsBody, responses=ChecksumAnswer)
@api_view(["POST"])
async def check_checksums(request: Request) -> Response:
    """Of these SHA-256 or SHA-1 checksums, those of files that an upload would find in the library."""
    checksums = validated(ChecksumsBody, request.data)["checksums"]
    return Response(await sync_to_async(checked)(request.user, checksums))


def checked(user: Any, checksums: list[str]) -> dict[str, Any]:
    known = known_checksums(Library.objects.home_of(user), checksums)
    unique = list(dict.fromkeys(checksums))
    return {
        "existing": [{"checksum": text, **known[text]} for text in unique if text in known],
        "missing": [text for text in unique if text not in known],
    }

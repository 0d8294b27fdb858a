"""The REST API of albums."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos import albums, bulk
from photos.api import schemas
from photos.api.bulk import editable_album
from photos.api.edit_fields import MOST_IDS, SelectionBody, selection_from
from photos.api.errors import Conflict, validated
from photos.api.fields import Body, IdField, TextField
from photos.api.photos import json_answer
from photos.api.serializers import PageParameters
from photos.api.statements import PageStatement
from photos.models import Album, Library, Photo
from photos.statistics import wall_clock_text


class AlbumListParameters(PageParameters):
    library = IdField(required=False)


class NewAlbum(Body):
    name = TextField(max_length=200)
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    library = IdField(required=False, help_text="One's own when it is left out.")
    photo_ids = serializers.ListField(child=IdField(), required=False, max_length=MOST_IDS)


class AlbumChanges(Body):
    name = TextField(required=False, max_length=200)
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    cover = IdField(required=False, allow_null=True, help_text="A photo of the album; null for its first.")


class OrderBody(Body):
    photo_ids = serializers.ListField(child=IdField(), max_length=100_000)


class AlbumObject(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    library_id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    photo_count = serializers.IntegerField()
    cover_photo_id = serializers.IntegerField(allow_null=True)
    first_taken_at = serializers.CharField(allow_null=True)
    last_taken_at = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class AlbumPage(serializers.Serializer[Any]):
    items = AlbumObject(many=True)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    total = serializers.IntegerField()


class AddedPhotos(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="How many were not in it before.")


class RemovedPhotos(serializers.Serializer[Any]):
    removed = serializers.IntegerField()


@extend_schema(
    methods=["GET"],
    operation_id="albums_list",
    summary="List albums",
    parameters=[AlbumListParameters],
    responses=AlbumPage,
)
@extend_schema(
    methods=["POST"], summary="Make an album", request=NewAlbum, responses={201: AlbumObject, 404: None}
)
@api_view(["GET", "HEAD", "POST"])
async def album_list(request: Request) -> Response:
    """GET: albums, newest first. POST: a new one, with photos if `photo_ids` names some."""
    if request.method == "POST":
        return await sync_to_async(make_album)(request.user, validated(NewAlbum, request.data))
    return await sync_to_async(list_albums)(
        request.user, validated(AlbumListParameters, request.query_params)
    )


def list_albums(user: Any, values: dict[str, Any]) -> Response:
    visible = Album.objects.visible_to(user)
    if "library" in values:
        visible = visible.filter(library_id=values["library"])
    limit, offset = values["limit"], values["offset"]
    rows = albums.with_facts(visible).order_by("-created_at", "-pk")[offset : offset + limit]
    items = [album_json(album) for album in rows]
    return Response({"items": items, "limit": limit, "offset": offset, "total": visible.count()})


def album_json(album: Any) -> dict[str, Any]:
    """A row of `albums.with_facts`."""
    return {
        "id": album.pk,
        "library_id": album.library_id,
        "name": album.name,
        "description": album.description,
        "photo_count": album.photo_count,
        "cover_photo_id": album.cover_photo_id,
        "first_taken_at": wall_clock_text(album.first_taken_at),
        "last_taken_at": wall_clock_text(album.last_taken_at),
        "created_at": album.created_at,
    }


def make_album(user: Any, values: dict[str, Any]) -> Response:
    album = albums.create_album(
        library=library_for(user, values.get("library")),
        name=values["name"],
        description=values.get("description", ""),
    )
    if photo_ids := values.get("photo_ids"):
        bulk.add_to_album(album, Photo.objects.editable_by(user).filter(pk__in=photo_ids))
    return Response(one_album(user, album.pk), status=201)


def library_for(user: Any, library_id: int | None) -> Library:
    """The library to make something in: one's home, or this one if the user may change it."""
    if library_id is None:
        home: Library = Library.objects.home_of(user)
        return home
    library: Library | None = Library.objects.editable_by(user).filter(pk=library_id).first()
    if library is None:
        message = "There is no such library, or you may only look at it."
        raise NotFound(message, code="library_not_found")
    return library


def one_album(user: Any, album_id: int) -> dict[str, Any]:
    album = albums.with_facts(Album.objects.visible_to(user).filter(pk=album_id)).first()
    if album is None:
        raise NotFound("There is no such album.", code="album_not_found")
    return album_json(album)


@extend_schema(methods=["GET"], summary="One album", responses=AlbumObject)
@extend_schema(
    methods=["PATCH"],
    summary="Change an album",
    request=AlbumChanges,
    responses={200: AlbumObject, 409: None},
)
@extend_schema(methods=["DELETE"], summary="Delete an album", request=None, responses={204: None})
@api_view(["GET", "HEAD", "PATCH", "DELETE"])
async def album_detail(request: Request, album_id: int) -> Response:
    """GET: the album. PATCH: what is left out stays. DELETE: the album goes, its photos stay."""
    if request.method == "PATCH":
        changes = validated(AlbumChanges, request.data)
        return Response(await sync_to_async(change_album)(request.user, album_id, changes))
    if request.method == "DELETE":
        await sync_to_async(delete_album)(request.user, album_id)
        return Response(status=204)
    return Response(await sync_to_async(one_album)(request.user, album_id))


def change_album(user: Any, album_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    album = editable_album(user, album_id)
    values = dict(changes)
    cover_id = values.pop("cover", None)
    if "cover" in changes and cover_id is None:
        values["cover"] = None
    try:
        albums.update_album(album, cover_id=cover_id, **values)
    except albums.BadCover as error:
        raise Conflict(str(error), code="not_in_album") from None
    return one_album(user, album_id)


def delete_album(user: Any, album_id: int) -> None:
    albums.delete_album(editable_album(user, album_id))


@extend_schema(
    methods=["GET"],
    operation_id="album_photos_list",
    summary="Photos of an album",
    parameters=[PageParameters],
    responses=schemas.PhotoPage,
)
@extend_schema(
    methods=["POST"], summary="Add photos to an album", request=SelectionBody, responses=AddedPhotos
)
@api_view(["GET", "HEAD", "POST"])
async def album_photos(request: Request, album_id: int) -> HttpResponse:
    """GET: in the order of the album. POST: photos by `ids` or `filter`, put behind the last one."""
    if request.method == "POST":
        body = validated(SelectionBody, request.data)
        return Response({"added": await sync_to_async(add_photos)(request.user, album_id, body)})
    page = validated(PageParameters, request.query_params)
    return await sync_to_async(photos_page)(request.user, album_id, page["limit"], page["offset"])


def photos_page(user: Any, album_id: int, limit: int, offset: int) -> HttpResponse:
    album = Album.objects.visible_to(user).filter(pk=album_id).first()
    if album is None:
        raise NotFound("There is no such album.", code="album_not_found")
    statement = PageStatement.of(albums.photos_of(album))
    return json_answer(statement.fetch_here(limit=limit, offset=offset))


def add_photos(user: Any, album_id: int, body: dict[str, Any]) -> int:
    photos = selection_from(body).of(Photo.objects.editable_by(user))
    return bulk.add_to_album(editable_album(user, album_id), photos)


@extend_schema(summary="Take photos out of an album", request=SelectionBody, responses=RemovedPhotos)
@api_view(["POST"])
async def remove_photos(request: Request, album_id: int) -> Response:
    """Photos by `ids` or `filter`; they stay in the library."""
    body = validated(SelectionBody, request.data)
    return Response({"removed": await sync_to_async(take_out)(request.user, album_id, body)})


def take_out(user: Any, album_id: int, body: dict[str, Any]) -> int:
    photos = selection_from(body).of(Photo.objects.editable_by(user))
    return bulk.remove_from_album(editable_album(user, album_id), photos)


@extend_schema(summary="Order an album", request=OrderBody, responses={200: AlbumObject, 409: None})
@api_view(["PUT"])
async def album_order(request: Request, album_id: int) -> Response:
    """`photo_ids` names every photo of the album once, in the new order."""
    photo_ids = validated(OrderBody, request.data)["photo_ids"]
    return Response(await sync_to_async(put_in_order)(request.user, album_id, photo_ids))


def put_in_order(user: Any, album_id: int, photo_ids: list[int]) -> dict[str, Any]:
    try:
        albums.reorder(editable_album(user, album_id), photo_ids)
    except albums.BadOrder as error:
        raise Conflict(str(error), code="not_all_photos") from None
    return one_album(user, album_id)

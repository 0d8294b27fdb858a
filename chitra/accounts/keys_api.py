"""The REST API of one's own API keys."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from chitra.accounts.models import ApiKey
from photos.api.errors import validated
from photos.api.fields import Body, TextField
from photos.permissions import IsNamed


class NewKey(Body):
    name = TextField(max_length=100, help_text="What the key is for.")


class KeyObject(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The first characters, to tell keys apart.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the hour.")


class IssuedKey(KeyObject):
    key = serializers.CharField(help_text="The key itself, shown this once.")


class KeyList(serializers.Serializer[Any]):
    keys = KeyObject(many=True)


@extend_schema(methods=["GET"], operation_id="keys_list", summary="List API keys", responses=KeyList)
@extend_schema(methods=["POST"], summary="Make an API key", request=NewKey, responses={201: IssuedKey})
@api_view(["GET", "HEAD", "POST"])
@permission_classes([IsNamed])
async def key_list(request: Request) -> Response:
    """GET: one's own keys, newest first. POST: a new one, whose text is in this answer only."""
    if request.method == "POST":
        name = validated(NewKey, request.data)["name"]
        return await sync_to_async(issue)(request.user, name)
    return await sync_to_async(list_keys)(request.user)


def list_keys(user: Any) -> Response:
    rows = ApiKey.objects.filter(user=user).order_by("-created_at", "-pk")
    return Response({"keys": [key_json(key) for key in rows]})


def key_json(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in ("id", "name", "prefix", "created_at", "last_used_at")}


def issue(user: Any, name: str) -> Response:
    key, text = ApiKey.issue(user, name)
    return Response({**key_json(key), "key": text}, status=201, headers={"Cache-Control": "no-store"})


@extend_schema(summary="Revoke an API key", request=None, responses={204: None})
@api_view(["DELETE"])
@permission_classes([IsNamed])
async def key_detail(request: Request, key_id: int) -> Response:
    """It stops working at once."""
    await sync_to_async(revoke)(request.user, key_id)
    return Response(status=204)


def revoke(user: Any, key_id: int) -> None:
    deleted, _ = ApiKey.objects.filter(pk=key_id, user=user).delete()
    if not deleted:
        raise NotFound("There is no such key.", code="key_not_found")

"""The REST API in which administrators let people in and shut them out."""

from collections.abc import Callable
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from chitra.accounts import serializers as shapes
from chitra.accounts import services
from chitra.accounts.models import User
from photos.api.errors import BadRequest, validated
from photos.permissions import IsAdministrator


@extend_schema(summary="List accounts", parameters=[shapes.UserListParameters], responses=shapes.UserList)
@api_view(["GET", "HEAD"])
@permission_classes([IsAdministrator])
async def users(request: Request) -> Response:
    """Accounts, newest first; those that wait only with `include_pending`."""
    include_pending = validated(shapes.UserListParameters, request.query_params)["include_pending"]
    return await sync_to_async(list_users)(include_pending)


def list_users(include_pending: bool) -> Response:
    rows = list(User.objects.order_by("-date_joined", "-pk"))
    shown = [shapes.user_json(user) for user in rows if include_pending or not user.is_pending]
    return Response({"users": shown, "pending_count": sum(user.is_pending for user in rows)})


@extend_schema(summary="List who waits", responses=shapes.PendingUser(many=True))
@api_view(["GET", "HEAD"])
@permission_classes([IsAdministrator])
async def pending_users(request: Request) -> Response:
    """Who waits for an administrator, longest first."""
    return await sync_to_async(list_pending)()


def list_pending() -> Response:
    rows = User.objects.filter(is_active=False, approved_at=None).order_by("date_joined", "pk")
    fields = ("id", "username", "email", "created_at")
    accounts = map(shapes.user_json, rows)
    return Response(
        [{**{name: user[name] for name in fields}, "status": "pending_approval"} for user in accounts]
    )


@extend_schema(summary="Let somebody in", request=None, responses={200: shapes.OldUser, 400: None})
@api_view(["POST"])
@permission_classes([IsAdministrator])
async def whitelist(request: Request, user_id: int) -> Response:
    """Approve an account that waits, or open a closed one again."""
    return await sync_to_async(change)(request, user_id, "", services.approve)


@extend_schema(summary="Take approval back", request=None, responses={200: shapes.StatusAnswer, 400: None})
@api_view(["POST"])
@permission_classes([IsAdministrator])
async def unwhitelist(request: Request, user_id: int) -> Response:
    """The account waits for an administrator again."""
    await sync_to_async(change)(request, user_id, "Cannot unwhitelist yourself", services.withdraw_approval)
    return Response({"status": "User removed from whitelist"})


@extend_schema(summary="Close an account", request=None, responses={200: shapes.StatusAnswer, 400: None})
@api_view(["POST"])
@permission_classes([IsAdministrator])
async def deactivate(request: Request, user_id: int) -> Response:
    """Nobody can use the account any more; its photos stay. `whitelist` opens it again."""
    await sync_to_async(change)(request, user_id, "Cannot deactivate yourself", services.deactivate)
    return Response({"status": "User deactivated"})


@extend_schema(summary="Set a role", request=shapes.RoleBody, responses=shapes.OldUser)
@api_view(["PUT"])
@permission_classes([IsAdministrator])
async def role(request: Request, user_id: int) -> Response:
    """`admin` or `user`."""
    chosen = validated(shapes.RoleBody, request.data)["role"]
    return await sync_to_async(change)(
        request, user_id, "Cannot change your own role", lambda user: services.set_role(user, chosen)
    )


def change(request: Request, user_id: int, not_oneself: str, action: Callable[[User], Any]) -> Response:
    """Do something to an account; `not_oneself` is the error for one's own, "" when that is allowed."""
    if not_oneself and user_id == request.user.pk:
        raise BadRequest(f"{not_oneself}.", code=not_oneself)
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such account.", code="User not found")
    try:
        action(user)
    except services.AccountError as error:
        raise BadRequest(f"{error}.", code=str(error)) from None
    return Response(shapes.user_json(user))

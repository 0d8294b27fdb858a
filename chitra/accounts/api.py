"""The REST API of one's own account: register, log in and out, tokens."""

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.contrib.auth.models import update_last_login
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import (
    authentication_classes,
    parser_classes,
    permission_classes,
    throttle_classes,
)
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from chitra.accounts import serializers as shapes
from chitra.accounts import services, tokens
from chitra.accounts.authentication import OpenAccess
from jobs.rate_limits import LoginLimit
from photos.api.errors import BadRequest, Unauthorized, Unprocessable, validated


@extend_schema(summary="Register", request=shapes.RegisterBody, responses=shapes.RegisterAnswer)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([LoginLimit])
async def register(request: Request) -> Response:
    """Make an account that waits for an administrator."""
    return await sync_to_async(register_sync)(request)


def register_sync(request: Request) -> Response:
    body = validated(shapes.RegisterBody, request.data)
    name, email, password = body["username"], body["email"], body["password"]
    try:
        services.register(name=name, email=email, password=password)
    except services.AccountError as error:
        raise BadRequest(f"{error}.", code=str(error)) from None
    except ValidationError as error:
        raise Unprocessable({"password": error.messages}) from None
    message = "Registration successful. Your account is pending admin approval."
    return Response({"message": message, "username": name, "status": "pending_approval"})


@extend_schema(
    summary="Log in",
    request={"application/x-www-form-urlencoded": shapes.LoginBody},
    responses=shapes.LoginAnswer,
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([LoginLimit])
@parser_classes([FormParser, MultiPartParser])
async def login(request: Request) -> Response:
    """A bearer token for `username` (the e-mail address) and `password`, sent as a form."""
    return await sync_to_async(login_sync)(request)


def login_sync(request: Request) -> Response:
    body = validated(shapes.LoginBody, request.data)
    try:
        user = services.check_login(body["username"], body["password"])
    except services.AccountError as error:
        raise login_error(error) from None
    answer = {
        "access_token": tokens.login_token(user),
        "token_type": "bearer",
        "user": shapes.user_json(user),
    }
    update_last_login(None, user)  # type: ignore[arg-type]
    return Response(answer)


def login_error(error: services.AccountError) -> APIException:
    code = str(error)
    if not code.startswith("Incorrect"):
        return PermissionDenied(code, code=code)
    return Unauthorized(code, code=code)


@extend_schema(summary="Who am I", responses=shapes.OldUser)
@api_view(["GET", "HEAD"])
async def me(request: Request) -> Response:
    """The account of the caller."""
    return Response(shapes.user_json(request.user))  # type: ignore[arg-type]


@extend_schema(summary="Log out", request=None, responses=shapes.MessageAnswer)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
async def logout(request: Request) -> Response:
    """Does nothing: a token ends by itself after a day, or with the password."""
    return Response({"message": "Logged out successfully"})


@extend_schema(summary="A token for media", responses=shapes.TokenAnswer)
@api_view(["GET", "HEAD"])
async def media_token(request: Request) -> Response:
    """For `?token=` of a video; opens nothing else and ends after an hour."""
    is_open = isinstance(request.auth, OpenAccess)
    return Response({"token": tokens.media_token(request.user, is_open=is_open)})  # type: ignore[arg-type]

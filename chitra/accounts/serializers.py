"""Bodies of the account endpoints, and accounts as the old API shows them."""

from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from chitra.accounts.models import User
from photos.api.fields import Body, EmailField, FlagField, TextField

ADDRESS = r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]+\.)+[A-Za-z]{2,20}$"


class LoginBody(Body):
    username = TextField(max_length=254)
    password = TextField(max_length=4096, trim_whitespace=False)


class RegisterBody(Body):
    username = TextField(min_length=3, max_length=50)
    password = TextField(min_length=8, max_length=4096, trim_whitespace=False, schema_format="password")
    email = EmailField(required=False, allow_null=True, default=None, max_length=254)

    rules = {
        "anyOf": [
            {"required": ["email"], "properties": {"email": {"not": {"type": "null"}}}},
            {"properties": {"username": {"pattern": ADDRESS}}},
        ]
    }

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Accounts are known by e-mail address: without one the name has to be one."""
        if not values["email"]:
            try:
                validate_email(values["username"])
            except DjangoValidationError:
                message = "Give an e-mail address: it is what accounts log in with here."
                raise serializers.ValidationError({"email": [message]}) from None
            values["email"] = values["username"]
        return values


class RoleBody(Body):
    role = serializers.ChoiceField(choices=["admin", "user"])


class UserListParameters(Body):
    include_pending = FlagField(required=False, default=False)


class OldUser(serializers.Serializer[Any]):
    """An account in the words of the old API."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    role = serializers.ChoiceField(choices=["admin", "user"])
    is_active = serializers.BooleanField()
    is_whitelisted = serializers.BooleanField()
    whitelisted_at = serializers.CharField(allow_null=True)
    created_at = serializers.CharField(allow_null=True)
    last_login = serializers.CharField(allow_null=True)


class LoginAnswer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    user = OldUser()


class UserList(serializers.Serializer[Any]):
    users = OldUser(many=True)
    pending_count = serializers.IntegerField()


class PendingUser(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    created_at = serializers.CharField()
    status = serializers.CharField()


class StatusAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()


class MessageAnswer(serializers.Serializer[Any]):
    message = serializers.CharField()


class RegisterAnswer(MessageAnswer):
    username = serializers.CharField()
    status = serializers.CharField()


class TokenAnswer(serializers.Serializer[Any]):
    token = serializers.CharField()


def user_json(user: User) -> dict[str, Any]:
    """Somebody who waits counts as active but not whitelisted, as before."""
    return {
        "id": user.pk,
        "username": user.first_name or user.email,
        "email": user.email,
        "role": "admin" if user.is_staff else "user",
        "is_active": user.is_active or user.is_pending,
        "is_whitelisted": not user.is_pending,
        "whitelisted_at": utc_text(user.approved_at, "T"),
        "created_at": utc_text(user.date_joined, " "),
        "last_login": utc_text(user.last_login, "T"),
    }


def utc_text(moment: Any, separator: str) -> str | None:
    """UTC without its zone: with microseconds after a T, without after a blank."""
    if moment is None:
        return None
    precision = "microseconds" if separator == "T" else "seconds"
    text: str = moment.astimezone(UTC).replace(tzinfo=None).isoformat(separator, precision)
    return text

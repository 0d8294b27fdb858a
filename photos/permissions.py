"""Who may call an endpoint at all; what is seen through it is the business of `visible_to`."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class IsAdministrator(BasePermission):
    """Administrators of the installation who said who they are; 403 with the old API's words for others.

    Nobody is one through CHITRA_LEGACY_OPEN_API, whoever its user is.
    """

    message = "Only administrators of this installation may do this."
    code = "Admin access required"

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        is_open = getattr(request.auth, "is_open", False)
        return bool(user and user.is_authenticated and user.is_staff and not is_open)


class IsNamed(BasePermission):
    """Who said who they are: not those let in by CHITRA_LEGACY_OPEN_API without any credentials."""

    message = "Send a key or log in: this is not open to requests without one."
    code = "credentials_needed"

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user and user.is_authenticated and not getattr(request.auth, "is_open", False))

    @classmethod
    def demand(cls, request: Request) -> None:
        """For one method of several. Raises PermissionDenied."""
        if not cls().has_permission(request, None):
            raise PermissionDenied(cls.message, code=cls.code)

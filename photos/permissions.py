"""Who may call an endpoint at all; what is seen through it is the business of `visible_to`."""

from typing import Any

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

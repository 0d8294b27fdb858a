"""How often somebody may do something: counted in PostgreSQL, hence once for all web processes.

RATE_LIMITS says how often a minute for each scope; 0 is no limit. Windows are fixed and begin with the first
request. The table is unlogged: a request waits for no disk, and after a crash everybody starts anew.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.shortcuts import render
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

from jobs.models import RateWindow

WINDOW_SECONDS = 60

COUNT = """
    INSERT INTO jobs_ratewindow AS known ("key", began_at, count) VALUES (%(key)s, clock_timestamp(), 1)
    ON CONFLICT ("key") DO UPDATE SET
        count = CASE WHEN known.began_at > clock_timestamp() - %(window)s THEN known.count + 1 ELSE 1 END,
        began_at = CASE WHEN known.began_at > clock_timestamp() - %(window)s
            THEN known.began_at ELSE clock_timestamp() END
    RETURNING count, extract(epoch FROM began_at + %(window)s - clock_timestamp())::float
"""


def seconds_to_wait(scope: str, who: str) -> int:
    """Count one more; 0 when it is allowed, else after how many seconds the next one is."""
    allowed = settings.RATE_LIMITS[scope]
    if not allowed:
        return 0
    parameters: Any = {"key": f"{scope} {who}"[:200], "window": timedelta(seconds=WINDOW_SECONDS)}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, parameters)
        count, seconds = cursor.fetchone()
    return max(1, math.ceil(seconds)) if count > allowed else 0


def address_of(request: HttpRequest) -> str:
    """Where the request comes from: the peer, or what the last of PROXIES trusted proxies said."""
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if settings.PROXIES and len(hops) >= settings.PROXIES and (hop := hops[-settings.PROXIES].strip()):
        return str(hop)
    return str(request.META.get("REMOTE_ADDR", ""))


class RateLimit(BaseThrottle):
    """A limit of an endpoint: per account, or per address of those who have not said who they are."""

    scope = ""

    def allow_request(self, request: Any, view: Any) -> bool:
        user = request.user
        who = f"user {user.pk}" if user and user.is_authenticated else f"at {address_of(request)}"
        self.seconds = seconds_to_wait(self.scope, who)
        return not self.seconds

    def wait(self) -> float:
        return self.seconds


class LoginLimit(RateLimit):
    """Passwords are guessed slowly: log in, registration and setup together."""

    scope = "login"


class UploadLimit(RateLimit):
    scope = "upload"


class SearchLimit(RateLimit):
    scope = "search"


def limit_posts(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a page: forms sent too often from one address get 429, before anything is looked up."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            seconds = seconds_to_wait(scope, f"at {address_of(request)}") if request.method == "POST" else 0
            if not seconds:
                return view(request, *args, **kwargs)
            response = render(request, "429.html", {"seconds": seconds}, status=429)
            response.headers["Retry-After"] = str(seconds)
            return response

        return limited

    return decorate


def forget_windows() -> int:
    """Remove windows that are over. Returns how many."""
    over = timezone.now() - timedelta(seconds=WINDOW_SECONDS)
    return RateWindow.objects.filter(began_at__lt=over).delete()[0]

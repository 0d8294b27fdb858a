"""Which websockets are let in at all: those of pages of our own, and those of programs that send a key."""

from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator

CREDENTIALS = {b"authorization", b"x-api-key"}  # a page cannot add them to a websocket


async def no_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """At an address that has none: closed before it is open, which is 403."""
    await send({"type": "websocket.close"})


class OwnOrigin:
    """ASGI wrapper: the origin is looked at where a browser may have added its cookies."""

    def __init__(self, application: Any) -> None:
        self.of_programs = application
        self.of_pages = AllowedHostsOriginValidator(application)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        names = {name for name, _ in scope["headers"]}
        # A browser that logged in to a proxy adds what it knows to websockets too, and cookies along with it.
        sends_key = not CREDENTIALS.isdisjoint(names) and b"cookie" not in names
        await (self.of_programs if sends_key else self.of_pages)(scope, receive, send)

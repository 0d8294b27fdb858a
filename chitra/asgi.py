"""The ASGI application: pages and API by Django, live events by channels."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chitra.settings")
django.setup(set_prefix=False)  # before the imports below, which need the apps

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from chitra.body_limit import BodyLimit  # noqa: E402
from chitra.live_body import LiveBodyHandler  # noqa: E402
from chitra.sockets import OwnOrigin, no_socket  # noqa: E402
from jobs.consumers import EventsConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(LiveBodyHandler()),
        "websocket": OwnOrigin(
            # The types of Django know no application here, where channels takes one.
            URLRouter(
                [
                    path("ws/events", EventsConsumer.as_asgi()),
                    re_path("", no_socket),  # type: ignore[arg-type]
                ]
            )
        ),
    }
)

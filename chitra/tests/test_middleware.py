"""The hooks of Django's middlewares run on the event loop, and still do what they do elsewhere."""

import threading
from typing import Any

from django.contrib.messages import success
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, TestCase, override_settings
from django.urls import path

from chitra import middleware
from chitra.accounts.models import User


async def keep_in_session(request: HttpRequest) -> HttpResponse:
    request.session["kept"] = "value"
    return HttpResponse("kept")


async def leave_message(request: HttpRequest) -> HttpResponse:
    success(request, "Saved.")
    return HttpResponse("saved")


async def quiet(request: HttpRequest) -> HttpResponse:
    return HttpResponse("quiet")


urlpatterns = [path("keep", keep_in_session), path("message", leave_message), path("quiet", quiet)]


class Threads(middleware.OnEventLoop):
    """Notes the thread of each hook."""

    def process_request(self, request: HttpRequest) -> None:
        request.threads = [threading.get_ident()]  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        request.threads.append(threading.get_ident())  # type: ignore[attr-defined]
        return response


@override_settings(ROOT_URLCONF=__name__)
class MiddlewareTests(TestCase):
    async_client: AsyncClient

    async def test_hooks_run_on_the_thread_of_the_event_loop(self) -> None:
        request: Any = AsyncRequestFactory().get("/")
        await Threads(quiet)(request)  # type: ignore[misc]
        assert request.threads == [threading.get_ident()] * 2

    async def test_a_request_that_keeps_nothing_sets_no_cookie(self) -> None:
        response = await self.async_client.get("/quiet")
        assert response.content == b"quiet"
        assert not response.cookies
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Length"] == "5"

    async def test_a_changed_session_is_kept_in_the_database(self) -> None:
        response = await self.async_client.get("/keep")
        session = await Session.objects.aget(pk=response.cookies["sessionid"].value)
        assert session.get_decoded() == {"kept": "value"}

    async def test_a_message_is_kept_for_the_next_page(self) -> None:
        response = await self.async_client.get("/message")
        assert response.cookies["messages"].value

    async def test_a_post_without_a_token_is_refused(self) -> None:
        strict = AsyncClient(enforce_csrf_checks=True)
        assert (await strict.post("/keep")).status_code == 403

    async def test_a_post_with_the_token_in_its_form_is_taken(self) -> None:
        strict = AsyncClient(enforce_csrf_checks=True)
        token = "a" * 32
        strict.cookies["csrftoken"] = token
        assert (await strict.post("/keep", {"csrfmiddlewaretoken": token})).status_code == 200

    async def test_a_session_of_a_user_is_recognised(self) -> None:
        user = await User.objects.acreate(email="alice@example.org")
        await self.async_client.aforce_login(user)
        response = await self.async_client.get("/quiet")
        assert (await response.asgi_request.auser()).pk == user.pk

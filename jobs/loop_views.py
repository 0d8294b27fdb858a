"""Async views that stay on the event loop unless something blocks."""

from collections.abc import Callable
from typing import Any

from adrf.requests import AsyncRequest
from adrf.views import APIView
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import APIException

from jobs.looks import Look
from jobs.unchanged import KeptAnswers, WholeAnswer

kept: KeptAnswers[WholeAnswer] = KeptAnswers()
# Headers on which such an answer may depend.
SAYING = ("HTTP_ACCEPT", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MODIFIED_SINCE")


class OnEventLoop(APIView):  # type: ignore[misc] # adrf has no types
    """Dispatches as adrf does, but goes to a thread for what comes before a view only if it has to.

    It need not when the first authenticator knows who asks (`authenticate_on_loop`) and nothing is counted.

    That authenticator may say who asks before it has looked, so that its question and the view's go to the
    database together (`begin_look`). It sets `request.taken_for`, what the look should show. No answer, not
    even an error, goes out before; for somebody else the view is asked again. An answer of nothing but rows
    is kept until somebody commits something.
    """

    async def async_dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if (answer := await kept_answer(self, request)) is not None:
            return answer
        self.args = args
        self.kwargs = kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        response = await self.respond(asked)
        look: Look | None = getattr(asked, "look", None)
        try:
            is_somebody_else = look is not None and (await look.end()).who != asked.taken_for
        except DatabaseError as error:
            response = self.handle_exception(error)
        else:
            if is_somebody_else:
                response.close()
                return await self.async_dispatch(request, *args, **kwargs)
        final: HttpResponseBase = self.finalize_response(asked, response, *args, **kwargs)
        self.response = final
        if look is not None and final.status_code == 200 and request.method == "GET":
            keep_answer(request, asked.taken_for, final)
        return final

    async def respond(self, asked: AsyncRequest) -> HttpResponseBase:
        """The view's answer, or that of the error handler."""
        try:
            if await is_known(asked) and not self.throttle_classes:
                self.initial(asked, *self.args, **self.kwargs)
            else:
                await sync_to_async(self.initial)(asked, *self.args, **self.kwargs)
            name = (asked.method or "").lower()
            handler: Any = getattr(self, name, None) if name in self.http_method_names else None
            handler = handler or self.http_method_not_allowed
            if not iscoroutinefunction(handler):
                handler = sync_to_async(handler)
            response: HttpResponseBase = await handler(asked, *self.args, **self.kwargs)
        except Exception as error:  # noqa: BLE001 - as in DRF, whose handler knows what is whose
            response = self.handle_exception(error)
        return response


async def kept_answer(view: Any, request: HttpRequest) -> HttpResponseBase | None:
    """What was answered to the same question, if nothing was committed since."""
    look: Look | None = begin_look(view, request)
    if look is None or what_is_asked(request, look.said) not in kept:
        return None
    try:
        sight = await look.end()
    except DatabaseError:  # the way without what is kept ends in the same, and answers it
        return None
    answer = kept.find(sight.snapshot, what_is_asked(request, sight.who))
    return None if answer is None else answer.again()


def begin_look(view: Any, request: HttpRequest) -> Look | None:
    """Look at who asks, if the first authenticator can do that here."""
    begin = getattr(next(iter(view.authentication_classes), None), "begin_look", None)
    look: Look | None = None if begin is None else begin(request)
    request.look = look  # type: ignore[attr-defined]
    return look


def keep_answer(request: HttpRequest, who: object, answer: Any) -> None:
    """Only one that says what it was read under (`jobs.unchanged.unchanged_since`)."""
    if (snapshot := getattr(answer, "read_under", None)) is not None:
        whole = WholeAnswer(dict(answer.headers), answer.content)
        kept.keep(snapshot, what_is_asked(request, who), whole)


def what_is_asked(request: HttpRequest, who: object) -> tuple[Any, ...]:
    return (who, request.method, request.get_full_path(), *(request.META.get(name) for name in SAYING))


async def is_known(request: AsyncRequest) -> bool:
    """Authenticate, if the first authenticator can do that here; what it does not know is left to the others.

    Raises AuthenticationFailed.
    """
    first = request.authenticators[0] if request.authenticators else None
    authenticate = getattr(first, "authenticate_on_loop", None)
    if authenticate is None:
        return False
    try:
        found = await authenticate(request)
    except APIException:
        request._not_authenticated()
        raise
    if found is None:
        return False
    request._authenticator = first
    request.user, request.auth = found
    return True


def on_event_loop(view: Any) -> Callable[..., Any]:
    """For a view made by adrf's `api_view` of an async function."""
    mixed: Any = type(view.cls.__name__, (OnEventLoop, view.cls), {"__doc__": view.cls.__doc__})
    mixed.__module__ = view.cls.__module__
    mixed.view_is_async = True  # Django looks at each of its methods otherwise, with each request
    made: Callable[..., Any] = mixed.as_view()
    return made

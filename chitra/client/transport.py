"""Requests over HTTP/1.1 with the standard library: one connection a thread, kept open."""

import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 60.0
BLOCK_BYTES = 1024 * 1024
PAUSES_SECONDS = (0.5, 2.0, 8.0)  # before a request is sent again
LONGEST_WAIT_SECONDS = 120.0
SAFE_TO_REPEAT = frozenset(["GET", "HEAD", "PUT", "DELETE"])
BUSY = frozenset([429, 502, 503, 504])


class ApiError(Exception):
    """The server said no: its status, its code for programs and its sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Unreachable(Exception):
    """No server answers there, or the connection broke and did not come back."""


@dataclass(frozen=True)
class Answer:
    """A whole answer. `headers` are looked up in any case."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Transport:
    """Sends requests to one server, from any number of threads."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server, such as https://photos.example.com.")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._parts = parts
        self._prefix = parts.path.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {key}"} if key else {}
        self._local = threading.local()
        self._open: list[HTTPConnection] = []

    def close(self) -> None:
        for connection in self._open:
            connection.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool | None = None,
    ) -> Answer:
        """Send JSON (`body`) or a form. Raises ApiError for 4xx and 5xx, Unreachable.

        When the server is busy it is asked again; when the connection breaks, only if that does no harm
        (`repeat`, by default for methods that change nothing the second time).
        """
        sent = dict(headers or {})
        data: bytes | None = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif form is not None:
            data, sent["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        may_repeat = method in SAFE_TO_REPEAT if repeat is None else repeat
        for pause in (*PAUSES_SECONDS, None):
            try:
                answer = self.send(method, target, data, sent)
            except Unreachable:
                if pause is None or not may_repeat:
                    raise
                time.sleep(pause)
                continue
            if answer.status not in BUSY or pause is None:
                break
            time.sleep(wait_seconds(answer, pause))
        return checked(answer)

    def send(
        self, method: str, target: str, data: bytes | BinaryIO | None, headers: Mapping[str, str]
    ) -> Answer:
        """One request, once. Any status is an answer; Unreachable when there is none."""
        connection = self._connection()
        try:
            connection.request(method, self._prefix + target, data, {**self._authorization, **headers})
            response: HTTPResponse = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unreachable(f"{self.url} does not answer: {error or type(error).__name__}") from error

    def _connection(self) -> HTTPConnection:
        """This thread's own; http.client opens it again when the server closed it."""
        known: HTTPConnection | None = getattr(self._local, "connection", None)
        if known is not None:
            return known
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            made: HTTPConnection = HTTPSConnection(
                host,
                port,
                timeout=TIMEOUT_SECONDS,
                blocksize=BLOCK_BYTES,
                context=ssl.create_default_context(),
            )
        else:
            made = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS, blocksize=BLOCK_BYTES)
        self._local.connection = made
        self._open.append(made)
        return made


def wait_seconds(answer: Answer, pause: float) -> float:
    """What Retry-After asks for, within reason; else `pause`."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_SECONDS) if text.isdecimal() else pause


def checked(answer: Answer) -> Answer:
    """The answer, or ApiError when it says no."""
    if answer.status < 400:
        return answer
    try:
        said = answer.json()
        code, message = str(said["error"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "unknown", f"The server answered {answer.status}."
    else:
        fields = said.get("fields")
        message += f" {json.dumps(fields, ensure_ascii=False)}" if fields else ""
    raise ApiError(answer.status, code, message)

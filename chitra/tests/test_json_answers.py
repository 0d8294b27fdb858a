"""ETags, compression and request ids of answers."""

import gzip
import json
import logging
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client

from chitra import request_ids
from chitra.accounts.models import ApiKey
from chitra.json_answers import chosen_encoding, json_answers


@pytest.fixture
def client(client_of: Callable[[Any], Client], alice: Any, photo_rows: Any) -> Client:
    photo_rows(20)
    return client_of(alice)


def test_a_list_that_has_not_changed_is_not_sent_again(client: Client, photo_rows: Any) -> None:
    first = client.get("/api/photos")
    etag = first["ETag"]
    again = client.get("/api/photos", headers={"if-none-match": f'"x", {etag}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    photo_rows(1)
    assert client.get("/api/photos", headers={"if-none-match": etag}).status_code == 200
    assert first["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie", "Accept-Encoding"} <= set(first["Vary"].split(", "))


@pytest.mark.parametrize(
    ("encoding", "decode"), [("gzip", gzip.decompress), ("br", brotli.decompress)], ids=["gzip", "br"]
)
def test_a_list_is_compressed(client: Client, encoding: str, decode: Callable[[bytes], bytes]) -> None:
    plain = client.get("/api/photos")
    packed = client.get("/api/photos", headers={"accept-encoding": encoding})
    assert packed["Content-Encoding"] == encoding
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 4
    assert json.loads(decode(packed.content)) == plain.json()
    assert packed["ETag"] == plain["ETag"]


@pytest.mark.parametrize("method", ["DISPATCH", "INITIAL", "AS_VIEW", "POST"])
def test_only_the_methods_of_an_endpoint_are_methods(client: Client, method: str) -> None:
    answer = client.generic(method, "/api/photos")
    assert (answer.status_code, set(answer["Allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})


def test_large_answers_are_compressed_off_the_event_loop(client: Client, alice: Any, photo_rows: Any) -> None:
    photo_rows(80)
    headers = {"x-api-key": ApiKey.issue(alice, "async")[1], "accept-encoding": "gzip"}
    packed = async_to_sync(AsyncClient().get)("/api/photos", headers=headers)
    assert len(json.loads(gzip.decompress(packed.content))["items"]) == 100


def test_pages_and_small_answers_are_not_compressed(client: Client, alice: Any) -> None:
    assert "Content-Encoding" not in client.get("/api/keys", headers={"accept-encoding": "gzip"})
    pages = Client()
    pages.force_login(alice)
    page = pages.get("/", headers={"accept-encoding": "gzip, br"})
    assert "Content-Encoding" not in page
    assert "ETag" not in page


def test_what_must_not_be_stored_is_left_alone() -> None:
    def secret(request: HttpRequest) -> HttpResponse:
        headers = {"Cache-Control": "no-store"}
        return HttpResponse("x" * 5000, content_type="application/json", headers=headers)

    request = HttpRequest()
    request.method, request.META["HTTP_ACCEPT_ENCODING"] = "GET", "gzip"
    response = json_answers(secret)(request)
    assert response.content == b"x" * 5000
    assert "ETag" not in response


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        *(("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", "")),
        *(("", ""), ("gzip;q=0.0", ""), ("GZIP", "gzip"), ("*", ""), (";;;,é", "")),
    ],
)
def test_the_client_says_which_compression_it_takes(header: str, encoding: str) -> None:
    assert chosen_encoding(header) == encoding


# Request ids


def test_every_answer_has_an_id_of_its_own(db: None) -> None:
    ids = {
        Client().get(path)[request_ids.HEADER]
        for path in ("/api/health", "/api/photos", "/nothing", "/login")
    }
    assert len(ids) == 4


def test_an_id_from_a_proxy_is_kept_if_it_is_one(db: None) -> None:
    assert Client(headers={"x-request-id": "a-1.b_2"}).get("/api/ready")["X-Request-ID"] == "a-1.b_2"
    for odd in ("a b", "x" * 65, "é", ""):
        assert Client(headers={"x-request-id": odd}).get("/api/ready")["X-Request-ID"] != odd


def test_log_lines_of_a_request_name_it() -> None:
    record = logging.makeLogRecord({"msg": "x"})
    token = request_ids.current.set("abc")
    request_ids.RequestIdFilter().filter(record)
    assert record.request == " [abc]"  # type: ignore[attr-defined]
    request_ids.current.reset(token)

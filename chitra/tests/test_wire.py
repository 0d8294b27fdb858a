"""The exchanges of `wire_exchanges`, with a server of today."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.test import Client

from chitra.accounts.models import User
from chitra.tests.small_world import unit
from chitra.tests.wire_exchanges import EXCHANGES, Exchange
from faces.models import Face, Person
from photos.models import Library, Photo, PhotoStep
from photos.services import ingest
from photos.steps import make_renditions
from photos.storages import originals, renditions
from photos.tests.pictures import jpeg, png, webp
from search.models import PhotoEmbedding, TextEmbedding
from search.services import encoder_choice, encoder_version

DOCS = (django_settings.BASE_DIR / "docs" / "api-compatibility.md").read_text()


@pytest.fixture
def ids(admin: User, media: Any, tmp_path: Any, settings: Any) -> dict[str, Any]:
    """A library like the one that the old servers were asked about, and its ids."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    (folder := tmp_path / "scan").mkdir()
    (folder / "a.jpg").write_bytes(jpeg(64, 48, seed=21))
    settings.SCAN_ROOTS = [folder]
    library: Library = Library.objects.home_of(admin)

    def add(name: str, data: bytes) -> Photo:
        return ingest(library=library, stream=io.BytesIO(data), name=name).photo

    photo, other = add("IMG_0001.jpg", jpeg(64, 48, seed=1)), add("Größe#1 100%.JPG", png(seed=2))
    missing, broken = add("gone.jpg", jpeg(64, 48, seed=3)), add("broken.jpg", jpeg(64, 48, seed=4))
    make_renditions([photo.pk, other.pk])
    originals().delete(missing.original_key)
    PhotoStep.objects.filter(photo=broken, step="renditions").update(status="failed", error="broken")
    migrated(photo, "photos/2023/01/IMG_0001.jpg")
    migrated(other, "photos/2023/01/Größe#1 100%.JPG")
    embed(photo)
    names = ("Åsa Ö'Neil", "anna", "Person 3", "Person 4")
    people = [Person.objects.create(library=library, name=name) for name in names]
    box = {"x1": 0, "y1": 0, "x2": 1, "y2": 1, "detection_score": 1}
    face = Face.objects.create(photo=photo, person=people[1], crop_key="crops/1.webp", **box)
    renditions().save("crops/1.webp", ContentFile(webp(16, 16)))
    waiting = User.objects.create_user("pending@example.org", None, is_active=False)
    User.objects.filter(pk=waiting.pk).update(approved_at=None)
    return {
        **{"photo": photo.pk, "png": other.pk, "missing": missing.pk, "broken": broken.pk},
        **{"anna": people[1].pk, "third": people[2].pk, "fourth": people[3].pk},
        **{"face": face.pk, "bare": Face.objects.create(photo=other, **box).pk},
        **{"me": admin.pk, "waiting": waiting.pk},
        "friend": User.objects.create_user("friend@example.org", None).pk,
        "folder": str(folder),
    }


def migrated(photo: Photo, key: str) -> None:
    """The original has the key that it had on the old server."""
    with originals().open(photo.original_key) as file:
        originals().save(key, ContentFile(file.read()))
    Photo.objects.filter(pk=photo.pk).update(original_key=key)


def embed(photo: Photo) -> None:
    """The photo shows a beach."""
    encoder = encoder_version(encoder_choice())
    vector = unit(encoder.dimensions)
    PhotoEmbedding.objects.create(photo=photo, encoder=encoder, vector=vector)
    TextEmbedding.objects.create(encoder=encoder, text="beach", vector=vector, cutoff=0.1)


def test_old_requests_get_the_answers_that_their_clients_know(
    ids: dict[str, Any], client_of: Callable[[User], Client], admin: User
) -> None:
    client, wrong = client_of(admin), []
    for exchange in EXCHANGES:
        answer = send(client, exchange, ids)
        if problem := difference(exchange, answer):
            wrong.append((exchange.request, exchange.body, problem))
        if answer.status_code == 200 and "job_id" in str(exchange.answer):
            ids["job"] = answer.json()["job_id"]
    assert wrong == []


def send(client: Client, exchange: Exchange, ids: dict[str, Any]) -> Any:
    method, _, path = exchange.request.partition(" ")
    url = path.format(**ids)
    if exchange.form is not None:
        return client.post(url, exchange.form())
    if method in ("GET", "HEAD"):
        return getattr(client, method.lower())(url, headers={"accept": "image/jpeg"})
    body = exchange.body
    if isinstance(body, dict):
        body = {name: as_sent(value, ids) for name, value in body.items()}
    return getattr(client, method.lower())(
        url, b"" if body is None else body, content_type="application/json"
    )


def as_sent(value: Any, ids: dict[str, Any]) -> Any:
    return ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value


def difference(exchange: Exchange, answer: Any) -> str:
    """What is not as it has to be, or "" when all is well."""
    if answer.status_code != exchange.now:
        return f"{answer.status_code}: {answer.content[:300]!r}"
    if exchange.now >= 400 and exchange.answer is not None:
        body = answer.json()
        return "" if body["error"] == body["detail"] == exchange.answer and body["message"] else str(body)
    if isinstance(exchange.answer, str):
        return "" if answer["Content-Type"] == exchange.answer else answer["Content-Type"]
    if exchange.answer is None:
        return ""
    return "" if fits(answer.json(), exchange.answer) else str(answer.json())


def fits(value: Any, shape: Any) -> bool:
    """Whether a JSON value has at least what the shape has: types, values, objects, lists of one kind."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            name in value and fits(value[name], shape[name]) for name in shape
        )
    if isinstance(shape, list):
        return (
            isinstance(value, list)
            and bool(value) == bool(shape)
            and all(fits(item, shape[0]) for item in value)
        )
    if isinstance(shape, type | tuple):
        return isinstance(value, shape)
    return bool(value == shape)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.request)
def test_what_is_answered_otherwise_than_before_is_said_in_the_docs(exchange: Exchange) -> None:
    as_ever = exchange.now in exchange.old
    was_a_crash = 500 in exchange.old and 400 <= exchange.now < 500
    assert as_ever or was_a_crash or (exchange.why and exchange.why in DOCS)

"""A list that is kept in memory is never older than the database: on the web server, over real sockets."""

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chitra.accounts.models import ApiKey, User
from chitra.tests.fixtures import make_user
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess
from jobs import unchanged
from jobs.unchanged import KeptAnswers, Snapshot
from photos.models import Library, Membership, Photo

Ask = Callable[[User, str], tuple[int, Any]]


@pytest.fixture
def webs(tmp_path: Path, transactional_db: None) -> Iterator[list[WebProcess]]:
    """Two web servers on one database."""
    processes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        environment = {"CHITRA_DATABASE_URL": database_url(), "CHITRA_DATA_DIR": str(tmp_path / name)}
        processes.append(WebProcess(tmp_path / name, **environment))
        processes[-1].start()
    yield processes
    for process in processes:
        process.kill()


@pytest.fixture
def alice(webs: list[WebProcess]) -> User:
    return make_user("alice@example.org")


@pytest.fixture
def bob(webs: list[WebProcess]) -> User:
    return make_user("bob@example.org")


@pytest.fixture
def ask(webs: list[WebProcess]) -> Ask:
    """GET as somebody, of both servers twice; all four answers are the same."""
    keys: dict[int, str] = {}

    def asked(user: User, path: str) -> tuple[int, Any]:
        if user.pk not in keys:
            keys[user.pk] = ApiKey.issue(user, "test")[1]
        answers = [get(web.port, keys[user.pk], path) for web in webs for _ in range(2)]
        assert all(answer == answers[0] for answer in answers)
        return answers[0]

    return asked


def get(port: int, key: str, path: str) -> tuple[int, Any]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", path, headers={"x-api-key": key})
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        link.close()


def status_of(port: int, key: str, path: str) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", path, headers={"x-api-key": key})
        answer = link.getresponse()
        answer.read()
        return answer.status
    finally:
        link.close()


def names(answer: tuple[int, Any]) -> set[str]:
    assert answer[0] == 200
    return {item["name"] for item in answer[1]["items"]}


def test_every_kind_of_change_shows_at_once(
    ask: Ask, alice: User, photo_rows: Callable[[int], list[int]]
) -> None:
    ids = photo_rows(3)
    assert names(ask(alice, "/api/photos")) == {"0.jpg", "1.jpg", "2.jpg"}
    Photo.objects.filter(pk=ids[0]).update(original_name="renamed.jpg")
    assert names(ask(alice, "/api/photos")) == {"renamed.jpg", "1.jpg", "2.jpg"}
    Photo.objects.filter(pk=ids[1]).move_to_trash()
    assert names(ask(alice, "/api/photos")) == {"renamed.jpg", "2.jpg"}
    assert ask(alice, f"/api/photos/{ids[1]}")[0] == 404
    assert ask(alice, f"/api/photos/{ids[1]}/thumbnail")[0] == 404
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("DELETE FROM photos_photo WHERE id = %s", [ids[2]])
        assert names(ask(alice, "/api/photos")) == {"renamed.jpg"}
        other.execute("BEGIN")
        other.execute("UPDATE photos_photo SET original_name = 'later.jpg' WHERE id = %s", [ids[0]])
        assert names(ask(alice, "/api/photos")) == {"renamed.jpg"}
        other.execute("COMMIT")
        assert names(ask(alice, "/api/photos")) == {"later.jpg"}


def test_who_is_shown_the_door_sees_nothing_any_more(
    ask: Ask, alice: User, bob: User, photo_rows: Callable[[int], list[int]], share_with: Any
) -> None:
    (photo_id,) = photo_rows(1)
    share_with(bob, "viewer")
    assert names(ask(bob, "/api/photos")) == names(ask(alice, "/api/photos")) == {"0.jpg"}
    assert ask(bob, f"/api/photos/{photo_id}")[0] == 200
    Membership.objects.filter(user=bob).delete()
    assert names(ask(bob, "/api/photos")) == set()
    assert ask(bob, f"/api/photos/{photo_id}")[0] == 404
    assert ask(bob, f"/api/photos/{photo_id}/image")[0] == 404
    assert names(ask(alice, "/api/photos")) == {"0.jpg"}


def test_a_key_that_is_revoked_and_an_account_that_is_closed_open_nothing(
    ask: Ask, alice: User, bob: User, photo_rows: Callable[[int], list[int]]
) -> None:
    (photo_id,) = photo_rows(1)
    paths = ["/api/photos", "/api/photos?limit=1", f"/api/photos/{photo_id}", "/api/photos/999999"]
    paths += [f"/api/photos/{photo_id}/{kind}" for kind in ("image", "thumbnail", "preview")]
    assert ask(alice, "/api/photos")[0] == ask(bob, "/api/photos")[0] == 200
    ApiKey.objects.filter(user=alice).delete()
    User.objects.filter(pk=bob.pk).update(is_active=False)
    for user in (alice, bob):
        assert [ask(user, path)[0] for path in paths] == [401] * len(paths)


def test_what_a_key_may_do_changes_at_once(
    webs: list[WebProcess], alice: User, bob: User, photo_rows: Callable[[int], list[int]]
) -> None:
    """Also where the view is asked before the key is looked at again: the answer is the new owner's."""
    (photo_id,) = photo_rows(1)
    row, key = ApiKey.issue(alice, "test")
    port, path = webs[0].port, f"/api/photos/{photo_id}"
    for owner, status in ((alice, 200), (bob, 404), (alice, 200)):
        ApiKey.objects.filter(pk=row.pk).update(user=owner)
        assert [get(port, key, path)[0] for _ in range(2)] == [status] * 2


def test_while_others_write_answers_are_those_of_who_asks(
    webs: list[WebProcess], alice: User, bob: User, photo_rows: Callable[[int], list[int]]
) -> None:
    (photo_id,) = photo_rows(1)
    keys = {user.pk: ApiKey.issue(user, "test")[1] for user in (alice, bob)}
    for number in range(20):
        Photo.objects.filter(pk=photo_id).update(description=str(number))
        assert get(webs[0].port, keys[alice.pk], f"/api/photos/{photo_id}")[1]["description"] == str(number)
        assert get(webs[0].port, keys[bob.pk], f"/api/photos/{photo_id}")[0] == 404


def test_a_picture_left_to_the_proxy_is_gone_at_once(
    tmp_path: Path, transactional_db: None, photo_rows: Callable[[int], list[int]], share_with: Any
) -> None:
    bob = make_user("bob@example.org")
    environment = {"CHITRA_DATABASE_URL": database_url(), "CHITRA_DATA_DIR": str(tmp_path)}
    web = WebProcess(tmp_path, CHITRA_ACCEL="nginx", **environment)
    web.start()
    try:
        (photo_id,) = photo_rows(1)
        photo = Photo.objects.filter(pk=photo_id)
        share_with(bob, "viewer")
        photo.update(has_renditions=True)
        row, key = ApiKey.issue(bob, "test")

        def status() -> set[int]:
            kinds = ("thumbnail", "preview", "image")
            paths = [f"/api/photos/{photo_id}/{kind}" for kind in kinds]
            return {status_of(web.port, key, path) for path in paths for _ in range(3)}

        assert status() == {200}
        photo.move_to_trash()
        assert status() == {404}
        photo.update(deleted_at=None)
        assert status() == {200}
        Membership.objects.filter(user=bob).update(library=Library.objects.create(name="another"))
        assert status() == {404}
        Membership.objects.filter(user=bob).update(library=photo.get().library)
        assert status() == {200}
        row.delete()
        assert status() == {401}
    finally:
        web.kill()


def test_an_answer_is_kept_for_what_the_client_accepts_and_has(
    webs: list[WebProcess], alice: User, photo_rows: Callable[[int], list[int]]
) -> None:
    photo_rows(1)
    key = ApiKey.issue(alice, "test")[1]
    link = http.client.HTTPConnection("127.0.0.1", webs[0].port, timeout=30)
    answers = []
    for headers in ({}, {}, {"accept-encoding": "br"}, {}):
        link.request("GET", "/api/photos", headers={"x-api-key": key, **headers})
        answer = link.getresponse()
        answers.append((answer.status, answer.getheader("ETag"), answer.getheader("Content-Encoding")))
        answer.read()
    etag = answers[0][1]
    assert [status for status, *_ in answers] == [200] * 4
    assert {etag for _, etag, _ in answers} == {etag}
    for _ in range(2):
        link.request("GET", "/api/photos", headers={"x-api-key": key, "if-none-match": etag or ""})
        answer = link.getresponse()
        assert (answer.status, answer.read()) == (304, b"")
    link.close()


def test_lists_are_told_apart_by_who_asks_and_for_what(
    ask: Ask, alice: User, bob: User, photo_rows: Callable[[int], list[int]]
) -> None:
    photo_rows(3)
    assert len(names(ask(alice, "/api/photos"))) == 3
    assert len(names(ask(alice, "/api/photos?limit=2"))) == 2
    assert names(ask(bob, "/api/photos")) == set()
    assert ask(alice, "/api/photos?limit=nonsense")[0] == 422


def test_what_is_kept_belongs_to_one_snapshot_and_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "MOST_BYTES", 10)
    kept: KeptAnswers[bytes] = KeptAnswers()
    now, later, after_a_crash = Snapshot(1, "5:5:"), Snapshot(1, "5:6:"), Snapshot(2, "5:5:")
    kept.keep(now, "a", b"12345")
    kept.keep(now, "b", b"12345")
    assert (kept.find(now, "a"), kept.find(later, "a"), kept.find(after_a_crash, "a")) == (
        b"12345",
        None,
        None,
    )
    kept.keep(now, "c", b"1")
    assert (kept.find(now, "a"), kept.find(now, "c")) == (None, b"1")
    kept.keep(later, "d", b"1")
    assert (kept.find(now, "c"), kept.find(later, "d"), kept.find(None, "d")) == (None, b"1", None)
    kept.keep(None, "e", b"1")
    assert kept.find(None, "e") is None

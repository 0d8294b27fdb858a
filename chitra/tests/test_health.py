"""Health: ok or not for everybody, what and why for administrators."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from chitra import __version__, health
from chitra.tests.processes import files_of
from jobs.queue import ensure_schedule
from photos.storages import originals


@pytest.fixture
def see(client_of: Callable[[Any], Client], admin: Any) -> Callable[[], Any]:
    """What an administrator sees while workers run."""
    client = client_of(admin)
    ensure_schedule()
    schedules().update(next_run=timezone.now())
    return lambda: client.get("/api/health").json()


def schedules() -> Any:
    return apps.get_model("django_q.Schedule")._default_manager.all()


def break_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> dict[str, Any]:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setitem(health.PARTS, "database", refuse)


def test_everybody_sees_status_and_version_and_no_more(media: Path, db: None) -> None:
    response = Client().get("/api/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "version": __version__,
        "db_path": "postgresql",
        "db_status": "ok",
        "storage_status": "ok",
        "storage_type": "filesystem",
        "embed_status": "ok",
        "warnings": [],
    }


def test_a_member_without_rights_sees_no_more(
    client_of: Callable[[Any], Client], alice: Any, media: Path
) -> None:
    assert "parts" not in client_of(alice).get("/api/health").json()


def test_an_administrator_sees_every_part_with_its_latency(see: Callable[[], Any], media: Path) -> None:
    answer = see()
    assert set(answer["parts"]) == {"database", "storage", "queue", "events", "models", "migrations"}
    assert {part["status"] for part in answer["parts"].values()} == {"ok"}
    assert all(part["latency_ms"] >= 0 for part in answer["parts"].values())
    assert answer["parts"]["database"]["server"].startswith("PostgreSQL 1")
    assert answer["parts"]["database"]["pgvector"]


def test_the_probe_of_the_storage_leaves_nothing(see: Callable[[], Any], media: Path) -> None:
    see()
    assert files_of(media) == []


def test_two_probes_at_once_do_not_disturb_each_other(
    media: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = type(originals())
    save = storage.save
    nested: list[bool] = []

    def probe_meanwhile(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = save(self, *args, **kwargs)
        if not nested:
            nested.append(True)
            health.check_storage()
        return name

    monkeypatch.setattr(storage, "save", probe_meanwhile)
    assert health.check_storage()["backend"] == "DurableFileSystemStorage"


def test_a_storage_that_refuses_is_named_without_its_path(see: Callable[[], Any], media: Path) -> None:
    media.write_text("a file is in the way")
    answer = see()
    assert (answer["status"], answer["storage_status"]) == ("degraded", "error")
    assert answer["parts"]["storage"]["reason"].startswith("The storage did not take the file.")
    assert Client().get("/api/ready").status_code == 503


def test_a_database_that_is_away_is_said(
    see: Callable[[], Any],
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    break_database(monkeypatch)
    answer = see()
    assert (answer["status"], answer["db_status"]) == ("degraded", "error")
    assert answer["parts"]["database"]["reason"] == "connection refused"
    assert Client().get("/api/health").status_code == 200
    ready = Client().get("/api/ready")
    assert (ready.status_code, ready.json()) == (503, {"status": "waiting"})
    assert "Not ready: database: connection refused" in caplog.text


def test_a_queue_without_workers_is_named_with_what_to_do(see: Callable[[], Any], media: Path) -> None:
    schedules().filter(cluster="ml").update(next_run=timezone.now() - timedelta(minutes=5))
    reason = see()["parts"]["queue"]["reason"]
    assert reason == "No worker takes tasks of the queue ml. Start one: manage.py qcluster -n ml."


def test_a_missing_migration_is_said(see: Callable[[], Any], media: Path) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="jobs").delete()
    assert "migrations are not applied. Run manage.py migrate." in see()["parts"]["migrations"]["reason"]


def test_ready_says_that_requests_can_come(media: Path, db: None) -> None:
    response = Client().get("/api/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready"}


def test_a_storage_that_gives_other_bytes_back_is_unhealthy(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(originals()), "open", lambda *args: (media / "other").open("rb"))
    media.mkdir()
    (media / "other").write_bytes(b"other")
    assert health.examine("storage")["reason"] == "The storage gave back other bytes than were written."
    shutil.rmtree(media)

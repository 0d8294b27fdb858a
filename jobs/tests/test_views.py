"""The jobs page and the strip of progress."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from jobs.ledger import ledger
from jobs.models import Job, StepStatus

Rows = Callable[[int], list[int]]
Share = Callable[[Any, str], None]


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def failed(photo_rows: Rows) -> list[Any]:
    """Two photos whose metadata failed."""
    return [
        ledger().create(photo_id=pk, step="metadata", status=StepStatus.FAILED, error=f"reason {pk}")
        for pk in photo_rows(2)
    ]


def status_of(row: Any) -> str:
    return str(ledger().get(pk=row.pk).status)


def test_page_counts_by_step_and_tells_reasons(
    page: Client, failed: list[Any], photo_rows: Rows, django_assert_max_num_queries: Any
) -> None:
    for pk in photo_rows(3):
        ledger().create(photo_id=pk, step="metadata", status=StepStatus.DONE)
    with django_assert_max_num_queries(9):
        html = page.get("/jobs").content.decode()
    assert "3 done" in html
    assert "2 failed" in html
    assert f"reason {failed[0].photo_id}" in html
    assert f'href="/photos/{failed[0].photo_id}"' in html


def test_skipped_steps_are_listed_by_reason(page: Client, photo_rows: Rows) -> None:
    for pk in photo_rows(3):
        ledger().create(
            photo_id=pk,
            step="faces",
            status=StepStatus.SKIPPED,
            error="no weights",
            ready_at="2024-05-03T12:00Z",
        )
    html = page.get("/jobs").content.decode()
    assert html.count("no weights") == 1
    assert "3 × Faces" in html
    page.post("/jobs/retry", {"step": "faces", "status": "skipped"})
    assert not ledger().filter(status=StepStatus.SKIPPED).exists()


def test_live_updates_get_a_fragment(page: Client, failed: list[Any]) -> None:
    answer = page.get("/jobs", headers={"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b"reason" in answer.content


def test_one_failure_is_retried(page: Client, failed: list[Any]) -> None:
    page.post("/jobs/retry", {"step": "metadata", "row": failed[0].pk})
    assert [status_of(row) for row in failed] == ["pending", "failed"]


def test_all_failures_of_a_step_are_retried(page: Client, failed: list[Any]) -> None:
    assert page.post("/jobs/retry", {"step": "metadata"})["Location"] == "/jobs"
    assert [status_of(row) for row in failed] == ["pending", "pending"]
    assert Job.objects.get().total == 2


def test_done_steps_are_not_retried(page: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    row = ledger().create(photo_id=pk, step="metadata", status=StepStatus.DONE)
    answer = page.post("/jobs/retry", {"step": "metadata", "status": "done"}, follow=True)
    assert status_of(row) == "done"
    assert "nothing left to retry" in answer.content.decode()


def test_strip_tells_what_is_left_and_vanishes(page: Client, photo_rows: Rows) -> None:
    rows = ledger().filter(step="metadata")
    for pk in photo_rows(3):
        ledger().create(photo_id=pk, step="metadata")
    assert "Metadata: 3 left" in page.get("/jobs/progress").content.decode()
    rows.update(status=StepStatus.DONE)
    assert page.get("/jobs/progress").content.strip() == b""


def test_job_shows_its_progress(page: Client, library: Any) -> None:
    Job.objects.create(kind="import", library_id=library.pk, total=10, done=4, status=Job.Status.STARTED)
    html = page.get("/jobs").content.decode()
    assert "4 of 10" in html
    assert 'value="40"' in html


def test_cancelled_job_says_so(page: Client, alice: Any, library: Any) -> None:
    job = Job.objects.create(
        kind="import", library_id=library.pk, created_by=alice, status=Job.Status.STARTED
    )
    answer = page.post(f"/jobs/{job.pk}/cancel", follow=True)
    assert "The job is cancelled." in answer.content.decode()
    assert Job.objects.get().status == Job.Status.CANCELED
    again = page.post(f"/jobs/{job.pk}/cancel", follow=True)
    assert "had ended already" in again.content.decode()


def test_charlie_sees_and_changes_nothing_of_alices(
    charlie: Any, alice: Any, client: Client, library: Any, failed: list[Any]
) -> None:
    job = Job.objects.create(kind="import", library_id=library.pk, created_by=alice)
    client.force_login(charlie)
    html = client.get("/jobs").content.decode()
    assert "reason" not in html
    assert "Import" not in html
    assert client.post(f"/jobs/{job.pk}/cancel").status_code == 404
    client.post("/jobs/retry", {"step": "metadata"})
    assert status_of(failed[0]) == "failed"


def test_viewer_can_neither_retry_nor_cancel(
    bob: Any, alice: Any, client: Client, library: Any, failed: list[Any], share_with: Share
) -> None:
    job = Job.objects.create(kind="import", library_id=library.pk, created_by=alice)
    share_with(bob, "viewer")
    client.force_login(bob)
    html = client.get("/jobs").content.decode()
    assert "reason" in html
    assert "Retry" not in html
    assert client.post(f"/jobs/{job.pk}/cancel").status_code == 404
    client.post("/jobs/retry", {"step": "metadata"})
    assert status_of(failed[0]) == "failed"

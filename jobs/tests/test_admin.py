"""Jobs in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Job, StepWake

pytestmark = pytest.mark.django_db


def test_jobs_are_listed_with_their_progress(admin_client: Client) -> None:
    Job.objects.create(kind="faces", status=Job.Status.STARTED, total=8, done=2)
    page = admin_client.get(reverse("admin:jobs_job_changelist")).text
    assert "2 of 8 (25 %)" in page


def test_a_job_is_looked_at_but_not_edited(admin_client: Client) -> None:
    job = Job.objects.create(kind="faces", message="Comparing faces")
    url = reverse("admin:jobs_job_change", args=[job.pk])
    assert "Comparing faces" in admin_client.get(url).text
    assert admin_client.post(url, {"kind": "other"}).status_code == 403
    assert admin_client.get(reverse("admin:jobs_job_add")).status_code == 403


def test_the_cancel_action_ends_jobs_that_run_and_leaves_ended_ones(admin_client: Client) -> None:
    running = Job.objects.create(kind="faces", status=Job.Status.STARTED, total=8)
    ended = Job.objects.create(kind="faces", status=Job.Status.FINISHED, ended_at="2024-01-01T00:00:00Z")
    data = {"action": "cancel", "_selected_action": [running.pk, ended.pk]}
    page = admin_client.post(reverse("admin:jobs_job_changelist"), data, follow=True).text
    assert "1 cancelled" in page
    assert set(Job.objects.values_list("pk", "status")) == {(running.pk, "canceled"), (ended.pk, "finished")}


def test_waiting_wake_ups_are_listed(admin_client: Client) -> None:
    StepWake.objects.create(step="metadata")
    assert "metadata" in admin_client.get(reverse("admin:jobs_stepwake_changelist")).text

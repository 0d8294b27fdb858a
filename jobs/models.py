"""The ledger's row, longer jobs with progress, and the wake-ups of the queue."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class StepStatus(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class Job(models.Model):
    """Work somebody asked for, with progress: a re-index, an import, a clustering.

    Statuses are those the old clients know. `result` is an integer or an object, as the old API answers it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        STARTED = "started"
        FINISHED = "finished"
        FAILED = "failed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    library_id = models.BigIntegerField(null=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="Finished in any way, failures included.")
    failed = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    arguments = models.JSONField(default=dict, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["-created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def has_ended(self) -> bool:
        return self.status in {self.Status.FINISHED, self.Status.FAILED, self.Status.CANCELED}

    @property
    def percent(self) -> int:
        """Progress from 0 to 100."""
        if self.status == self.Status.FINISHED:
            return 100
        return min(100, 100 * self.done // self.total) if self.total else 0


class StepRun(models.Model):
    """One step of one photo: what is to be done, who is at it, how it ended. LEDGER_MODEL is its table.

    `ready_at` is null while the step waits for the one before it; `lease_until` says until when a running row
    belongs to its worker; `attempt` counts how often it was begun.
    """

    step = models.CharField(max_length=40)
    version = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=StepStatus, default=StepStatus.PENDING)
    attempt = models.PositiveSmallIntegerField(default=0)
    ready_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    subject_field = "photo"

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["step", "ready_at", "id"],
                condition=Q(status="pending", ready_at__isnull=False),
                name="%(class)s_ready",
            ),
            models.Index(fields=["lease_until"], condition=Q(status="running"), name="%(class)s_running"),
            models.Index(fields=["step", "status"], name="%(class)s_step_status"),
        ]


class StepWake(models.Model):
    """A drain of this step is queued and has not begun; so another wake-up is not needed."""

    step = models.CharField(max_length=40, primary_key=True)
    requested_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.step


class RateWindow(models.Model):
    """How often somebody did something since `began_at`; `jobs.rate_limits` writes it. An unlogged table."""

    key = models.CharField(max_length=200, primary_key=True)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"

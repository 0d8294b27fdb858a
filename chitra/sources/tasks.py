"""What the queue calls for folders: a scan in slices, and the start of those that are due."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, Value
from django.utils import timezone

from chitra.sources.models import Folder
from chitra.sources.scanning import Scan, ScanReport
from jobs.models import Job
from jobs.runner import Cancelled
from jobs.services import go_on_later, report, start_job

SLICE_SECONDS = 240  # a task of the queue may take ten minutes
REPORT_EVERY_SECONDS = 1.0
DUE_AT_ONCE = 20


def start_scan(folder: Folder, *, user: Any = None, is_right_disk: bool = False) -> Job:
    """Queue a scan; the one that is under way, when there is one."""
    if folder.last_job is not None and not folder.last_job.has_ended:
        return folder.last_job
    job = start_job(
        kind="scan",
        function="chitra.sources.tasks.scan_folder",
        arguments={"folder_id": folder.pk, "is_right_disk": is_right_disk},
        library_id=folder.library_id,
        user=user,
        cluster="default",
    )
    Folder.objects.filter(pk=folder.pk).update(last_job=job, interim={})
    return job


def scan_folder(job: Job, *, folder_id: int, is_right_disk: bool = False) -> dict[str, Any]:
    """Scan until done or until the slice is over; then the job is queued again and goes on.

    The next slice finds what this one took as unchanged, so nothing is done twice.
    """
    folder = Folder.objects.select_related("library").filter(pk=folder_id).first()
    if folder is None:
        return {"counts": {}, "problems": []}
    progress = SliceProgress(job, folder)
    scan = Scan(folder, user=job.created_by, is_right_disk=is_right_disk, on_progress=progress)
    result = scan.run()
    progress.report_now(result)
    return progress.sum_with_earlier(result)


class SliceProgress:
    """Reports about once a second; ends the slice by raising Cancelled, as for a job that is given away."""

    def __init__(self, job: Job, folder: Folder) -> None:
        self.job = job
        self.folder = folder
        self.earlier = Counter(folder.interim)
        self.ends_at = time.monotonic() + SLICE_SECONDS
        self.reported_at = 0.0

    def __call__(self, result: ScanReport) -> None:
        now = time.monotonic()
        if now - self.reported_at > REPORT_EVERY_SECONDS:
            self.report_now(result)
        if now > self.ends_at:
            Folder.objects.filter(pk=self.folder.pk).update(interim=self._sum(result))
            go_on_later(self.job)
            raise Cancelled

    def report_now(self, result: ScanReport) -> None:
        self.reported_at = time.monotonic()
        before = self.earlier["worked"]
        report(
            self.job,
            done=before + result.worked,
            total=before + result.work,
            failed=result.counts["failed"] + self.earlier["failed"],
            message=result.summary()[:300],
        )

    def _sum(self, result: ScanReport) -> Counter[str]:
        """What files ended as, over all slices."""
        ended = ("added", "duplicate", "changed", "moved", "back", "touched", "refused", "failed")
        summed = Counter({kind: self.earlier[kind] + result.counts[kind] for kind in ended})
        summed["missing"] = self.earlier["missing"] + result.counts["missing"]
        summed["worked"] = self.earlier["worked"] + result.worked
        return summed

    def sum_with_earlier(self, result: ScanReport) -> dict[str, Any]:
        """The job's result: what ended over all slices, the rest as it is now."""
        summed = self._sum(result)
        summed["unchanged"] = max(0, result.counts["unchanged"] - self.earlier["worked"])
        result.counts.update({kind: summed[kind] - result.counts[kind] for kind in summed})
        return result.as_json() | {"summary": result.summary()}


def scan_due_folders() -> int:
    """Each minute: start the scans whose time has come since the last one ended, well or not; how many."""
    pause = F("schedule_minutes") * timedelta(minutes=1)
    due = Folder.objects.filter(schedule_minutes__gt=0).filter(
        Q(last_job__isnull=True) | Q(last_job__ended_at__lt=Value(timezone.now()) - pause)
    )
    folders = list(due.order_by("scanned_at")[:DUE_AT_ONCE])
    for folder in folders:
        start_scan(folder)
    return len(folders)

"""The jobs page: what the steps have done and still have to do, and jobs somebody asked for."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from jobs.access import editable_rows, jobs_visible_to, ledger_subject, may_change, visible_rows
from jobs.models import StepStatus
from jobs.requests import HtmxHttpRequest
from jobs.services import cancel_job, run_step_again, step_counts
from jobs.steps import all_steps

MOST_FAILURES = 50
MOST_JOBS = 20
UNFINISHED = (StepStatus.PENDING, StepStatus.RUNNING)


@login_required
@require_GET
@vary_on_headers("HX-Request")
def jobs(request: HtmxHttpRequest) -> HttpResponse:
    """Counts, failures with reasons, and jobs; for htmx only what changes."""
    rows = visible_rows(request.user)
    counts = step_counts(rows)
    failures = rows.filter(status=StepStatus.FAILED).select_related(ledger_subject()).order_by("-finished_at")
    titles = {step.name: step.title for step in all_steps()}
    context = {
        "steps": [bar(titles[name], counts[name]) | {"name": name} for name in titles],
        "failures": [
            {"row": row, "title": titles.get(row.step, row.step)} for row in failures[:MOST_FAILURES]
        ],
        "skips": skip_reasons(rows, titles),
        "jobs": jobs_visible_to(request.user).order_by("-created_at")[:MOST_JOBS],
        "can_edit": editable_rows(request.user).exists(),
    }
    return render(request, "jobs/_jobs.html" if request.htmx else "jobs/jobs.html", context)


def bar(title: str, counts: dict[str, int]) -> dict[str, Any]:
    """One step as a bar: counts of the statuses that occur, the finished ones first."""
    order = ("done", "skipped", "failed", "running", "pending")
    parts = [{"status": status, "count": counts[status]} for status in order if counts[status]]
    total = sum(counts.values())
    return {
        "title": title,
        "parts": parts,
        "total": total,
        "failed": counts["failed"],
        "skipped": counts["skipped"],
    }


def skip_reasons(rows: QuerySet[Any], titles: dict[str, str]) -> list[dict[str, Any]]:
    """Why steps were skipped, with how often; not those that only wait for one that failed."""
    skipped = rows.filter(status=StepStatus.SKIPPED, ready_at__isnull=False)
    skipped = skipped.values("step", "error").annotate(count=Count("pk"))
    return [row | {"title": titles.get(row["step"], row["step"])} for row in skipped.order_by("-count")[:10]]


@login_required
@require_GET
def progress(request: HttpRequest) -> HttpResponse:
    """The strip on top of every page: what is still to be done, nothing when nothing is."""
    names = [step.name for step in all_steps()]
    rows = visible_rows(request.user).filter(step__in=names, status__in=UNFINISHED)
    counts = dict(rows.values_list("step").annotate(count=Count("pk")).order_by())
    steps = [{"title": step.title, "count": counts[step.name]} for step in all_steps() if step.name in counts]
    return render(request, "jobs/_progress.html", {"steps": steps})


@login_required
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Do again what failed or was skipped: one row (`row`), or all rows of `step` with `status`."""
    status = request.POST.get("status", StepStatus.FAILED)
    rows = editable_rows(request.user).filter(
        step=request.POST.get("step", ""), status__in={status} & {StepStatus.FAILED, StepStatus.SKIPPED}
    )
    if (row := request.POST.get("row", "")).isdecimal():
        rows = rows.filter(pk=row)
    library = f"{ledger_subject()}__library_id"
    jobs_made = [
        run_step_again(kind="retry", rows=rows.filter(**{library: pk}), library_id=pk, user=request.user)
        for pk in rows.order_by(library).values_list(library, flat=True).distinct()
    ]
    if not any(jobs_made):
        messages.info(request, "There is nothing left to retry.")
    return redirect("jobs")


@login_required
@require_POST
def cancel(request: HttpRequest, job_id: str) -> HttpResponse:
    """Stop a job; what has not begun is not begun."""
    job = get_object_or_404(jobs_visible_to(request.user), pk=job_id)
    if not may_change(request.user, job):
        raise Http404("There is no such job to cancel.")
    messages.info(request, "The job is cancelled." if cancel_job(job) else "The job had ended already.")
    return redirect("jobs")

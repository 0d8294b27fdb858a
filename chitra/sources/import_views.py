"""The page of imports, for administrators: exports of other services that lie on the server."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from chitra.sources.forms import ImportForm
from chitra.sources.import_report import read_rows, report_file
from chitra.sources.import_tasks import report_path, start_import
from chitra.sources.resembling import completed
from jobs.access import jobs_visible_to
from jobs.models import Job
from jobs.requests import HtmxHttpRequest

MOST_IMPORTS = 10


def imports_of(user: Any) -> Any:
    """Imports that `user` may look at. Raises PermissionDenied for who is no administrator."""
    if not user.is_staff:
        raise PermissionDenied("Folders of the server are the administrator’s to choose.")
    return jobs_visible_to(user).filter(kind="import")


@login_required
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def imports(request: HtmxHttpRequest) -> HttpResponse:
    """Start an import, and how the last ones went; for htmx only these."""
    jobs = [with_report(job) for job in imports_of(request.user).order_by("-created_at")[:MOST_IMPORTS]]
    if request.htmx:
        return render(request, "sources/_imports.html", {"imports": jobs})
    form = ImportForm(request.POST or None, user=request.user)
    if form.is_valid():
        start_import(user=request.user, **form.cleaned_data)
        messages.success(request, "The import is queued. Its report names every file.")
        return redirect("imports")
    context = {"form": form, "imports": jobs, "scan_roots": settings.SCAN_ROOTS}
    return render(request, "sources/imports.html", context)


def with_report(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "has_report": report_path(job).exists(),
        "path": job.arguments.get("with", {}).get("path"),
    }


@login_required
@require_GET
def import_report(request: HttpRequest, job_id: str) -> FileResponse:
    """The report of an import with what looks alike by now, as a table (CSV) or as JSON lines."""
    job = get_object_or_404(imports_of(request.user), pk=job_id)
    path: Path = report_path(job)
    if not path.exists():
        raise Http404("This import has no report.")
    is_json = request.GET.get("format") == "json"
    with TemporaryDirectory() as folder:
        copy = Path(folder) / ("report.jsonl" if is_json else "report.csv")
        with report_file(copy) as file:
            for row in completed(read_rows(path)):
                file.add(row)
        opened = copy.open("rb")  # stays readable when the folder is gone
    return FileResponse(
        opened,
        as_attachment=True,
        filename=f"import-{copy.name}",
        content_type="application/jsonl" if is_json else "text/csv",
    )

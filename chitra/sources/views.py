"""The page of folders, for administrators: they decide what of the server's disks is read."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from chitra.sources.forms import FolderForm
from chitra.sources.models import Folder
from chitra.sources.services import remove_folder, with_facts
from chitra.sources.tasks import start_scan
from jobs.requests import HtmxHttpRequest
from jobs.services import cancel_job


def folders_of(user: Any) -> Any:
    """The folders `user` may see and change. Raises PermissionDenied for who is no administrator."""
    if not user.is_staff:
        raise PermissionDenied("Folders of the server are the administrator’s to choose.")
    return Folder.objects.editable_by(user).select_related("library", "last_job")


@login_required
@require_GET
@vary_on_headers("HX-Request")
def folders(request: HtmxHttpRequest) -> HttpResponse:
    """All folders with how their last scan ended; for htmx only the list."""
    shown = with_facts(folders_of(request.user)).order_by("path")
    template = "sources/_folders.html" if request.htmx else "sources/folders.html"
    return render(request, template, {"folders": shown, "scan_roots": settings.SCAN_ROOTS})


@login_required
@require_http_methods(["GET", "POST"])
def add_folder(request: HttpRequest) -> HttpResponse:
    """A new folder, which is scanned at once."""
    folders_of(request.user)
    form = FolderForm(request.POST or None, user=request.user)
    if form.is_valid():
        folder = form.save()
        start_scan(folder, user=request.user)
        messages.success(request, "The folder is added and being scanned.")
        return redirect("folders")
    return render(request, "sources/folder.html", {"form": form, "scan_roots": settings.SCAN_ROOTS})


@login_required
@require_http_methods(["GET", "POST"])
def edit_folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """What a folder leaves out, when it is scanned, and its marker."""
    folder = get_object_or_404(folders_of(request.user), pk=folder_id)
    form = FolderForm(request.POST or None, instance=folder, user=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Saved; the next scan follows it.")
        return redirect("folders")
    return render(request, "sources/folder.html", {"form": form, "folder": folder})


@login_required
@require_POST
def scan_now(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Start a scan; `is_right_disk` when the folder lies on another disk on purpose."""
    folder = get_object_or_404(folders_of(request.user), pk=folder_id)
    start_scan(folder, user=request.user, is_right_disk=request.POST.get("is_right_disk") == "1")
    return redirect("folders")


@login_required
@require_POST
def stop_scan(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Stop the scan that is under way; the next one goes on where it stopped."""
    folder = get_object_or_404(folders_of(request.user), pk=folder_id)
    if folder.last_job is not None:
        cancel_job(folder.last_job)
    return redirect("folders")


@login_required
@require_POST
def delete_folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Forget a folder; its files stay where they are."""
    folder = get_object_or_404(folders_of(request.user), pk=folder_id)
    if folder.last_job is not None:
        cancel_job(folder.last_job)
    trashed = remove_folder(folder)
    messages.success(
        request, f"The folder is forgotten; {trashed} photos that lie only there are in the trash."
    )
    return redirect("folders")

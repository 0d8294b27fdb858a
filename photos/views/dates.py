"""The date doctor's page."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from photos import date_doctor
from photos.dates.date_finder import Move, Proposal
from photos.models import Library, Photo, PhotoEdit
from photos.timeline import as_tiles

SHOWN = 6  # photos of a proposal
MOST_PROPOSALS = 50
MOST_EDITS = 20


@dataclass(frozen=True)
class Preview:
    """A proposal with the first of its photos."""

    library: Library
    proposal: Proposal
    samples: list[tuple[Photo, Move]]

    @property
    def others(self) -> int:
        return len(self.proposal.moves) - len(self.samples)


@login_required
@require_GET
def dates(request: HttpRequest) -> HttpResponse:
    """Dates that look wrong, what they would become, and what was corrected."""
    libraries = Library.objects.editable_by(request.user).order_by("pk")
    found = [preview for library in libraries for preview in previews(library)]
    edits = PhotoEdit.objects.editable_by(request.user).filter(undone_at__isnull=True)
    context = {
        "previews": found[:MOST_PROPOSALS],
        "edits": edits.select_related("actor").order_by("-pk")[:MOST_EDITS],
    }
    return render(request, "photos/dates.html", context)


def previews(library: Library) -> list[Preview]:
    found = date_doctor.proposals(library)[:MOST_PROPOSALS]
    ids = [move.pk for proposal in found for move in proposal.moves[:SHOWN]]
    photos: dict[int, Any] = {photo.pk: photo for photo in as_tiles(Photo.objects.filter(pk__in=ids))}
    return [Preview(library, proposal, samples(proposal, photos)) for proposal in found]


def samples(proposal: Proposal, photos: dict[int, Any]) -> list[tuple[Photo, Move]]:
    """The first photos of a proposal with what becomes of their times."""
    return [(photos[move.pk], move) for move in proposal.moves[:SHOWN] if move.pk in photos]


@login_required
@require_POST
def apply(request: HttpRequest, library_id: int, key: str) -> HttpResponse:
    """Carry out a proposal; the answer offers to undo it."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    try:
        edit = date_doctor.apply(library=library, key=key, actor=request.user)
    except date_doctor.NoSuchProposal:
        messages.error(request, "The photos have changed meanwhile. Look at the proposal again.")
    else:
        messages.success(request, "The dates are corrected.", extra_tags=reverse("undo-edit", args=[edit.pk]))
    return redirect("dates")

"""“Is this the same person?”: the page of questions. The answers go to the API."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from faces import suggestions
from faces.models import Face, Person
from faces.nearness import best_faces
from faces.services import model_version, pack_choice
from faces.suggestions import Suggestion
from faces.views.access import page_context
from jobs.requests import HtmxHttpRequest

CARDS = 12  # held by a page; it asks for more before they run out
MOST_QUESTIONS = 1000
SAMPLES = 4


@login_required
@require_GET
@vary_on_headers("HX-Request")
def review(request: HtmxHttpRequest) -> HttpResponse:
    """The next questions as cards, and how many there are; for a script only the cards."""
    context = page_context(request.user, "review")
    questions = [
        question for library_id in sorted(context["editable"]) for question in ask(request.user, library_id)
    ]
    questions.sort(key=lambda question: -question.usefulness)
    context |= {"cards": cards(questions[:CARDS]), "count": len(questions)}
    return render(request, "faces/_questions.html" if request.htmx else "faces/review.html", context)


def ask(user: Any, library_id: int) -> list[Suggestion]:
    choice = pack_choice()
    version = model_version(choice)
    return suggestions.queue(
        user, library_id, version, threshold=choice.match_threshold, limit=MOST_QUESTIONS
    )


def cards(questions: list[Suggestion]) -> list[dict[str, Any]]:
    """What a card shows: both sides with their best faces."""
    ids = {who.pk for question in questions for who in (question.person, question.other) if who is not None}
    samples = best_faces(ids, SAMPLES)
    covers: dict[int, Person] = Person.objects.filter(pk__in=ids).with_photo_counts().in_bulk()
    return [card(question, covers, samples) for question in questions]


def card(question: Suggestion, people: dict[int, Person], samples: dict[int, list[Face]]) -> dict[str, Any]:
    face, other = question.face, question.other
    subject = f"face-{face.pk}" if face else f"other-{other.pk if other else 0}"
    return {
        "key": f"{question.person.pk}-{subject}",
        "person": people[question.person.pk],
        "samples": samples.get(question.person.pk, []),
        "face": face,
        "other": people[other.pk] if other else None,
        "other_samples": samples.get(other.pk, []) if other else [],
        "percent": round(100 * max(0.0, question.similarity)),
    }

"""Filters of the lists of people and faces. None reads a whole table to offer its choices."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Case, CharField, Exists, FloatField, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest

from faces.agglomeration import Settings
from faces.models import Face
from faces.services import model_version, pack_choice
from faces.suspicion import Kind, suspicions
from photos.models import Library

GOOD = Settings().good_quality


class ChoiceFilter(admin.SimpleListFilter):
    """A filter whose choices are conditions by name."""

    conditions: dict[str, tuple[str, Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.conditions.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class WhoseFilter(ChoiceFilter):
    title = "whose"
    parameter_name = "whose"
    conditions = {
        "nobody": ("Nobody's", Q(person=None)),
        "unnamed": ("Of an unnamed group", Q(person__name="")),
        "named": ("Of somebody named", Q(person__isnull=False) & ~Q(person__name="")),
        "hidden": ("Of somebody hidden", Q(person__is_hidden=True)),
    }


class QualityFilter(ChoiceFilter):
    title = "quality"
    parameter_name = "quality"
    conditions = {
        "low": ("Low: starts no group", Q(quality__lt=GOOD)),
        "good": ("Good", Q(quality__gte=GOOD)),
    }


class NameFilter(ChoiceFilter):
    title = "name"
    parameter_name = "named"
    conditions = {"no": ("Unnamed", Q(name="")), "yes": ("Named", ~Q(name=""))}


class FacesFilter(ChoiceFilter):
    title = "faces"
    parameter_name = "faces"
    conditions = {
        "poor": (
            "Of low quality only",
            Exists(Face.objects.filter(person=OuterRef("pk")))
            & ~Exists(Face.objects.filter(person=OuterRef("pk"), quality__gte=GOOD)),
        ),
        "none": ("None", ~Exists(Face.objects.filter(person=OuterRef("pk")))),
    }


class SuspicionFilter(admin.SimpleListFilter):
    """The largest people of each library, or of the chosen one, that look wrong; the worst first."""

    title = "suspicion"
    parameter_name = "suspicious"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mixture", "Two far groups in one person"), ("near", "Two people very near")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if self.value() not in ("mixture", "near"):
            return queryset
        choice = pack_choice()
        version = model_version(choice)
        chosen = request.GET.get("library__id__exact", "")
        libraries = Library.objects.filter(pk=chosen) if chosen.isdecimal() else Library.objects.all()
        found = [
            suspicion
            for library_id in libraries.order_by("pk").values_list("pk", flat=True)
            for suspicion in suspicions(cast(Kind, self.value()), library_id, version, choice.match_threshold)
        ]
        if not found:
            return queryset.none()
        reasons = [When(pk=one.person_id, then=Value(one.reason)) for one in found]
        ranks = [When(pk=one.person_id, then=Value(one.rank)) for one in found]
        return (
            queryset.filter(pk__in=[one.person_id for one in found])
            .annotate(
                reason=Case(*reasons, output_field=CharField()),
                rank=Case(*ranks, output_field=FloatField()),
            )
            .order_by("rank")
        )

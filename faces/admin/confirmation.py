"""Actions that ask first: a page shows what will happen, and only what it showed is done.

A `Curation` says what it is about to do as a `Plan`, from the rows as they are; its page is sent back with a
digest of the facts it showed. When they are not the same any more, the page is shown again.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from faces.admin.pictures import crop_of
from faces.errors import PeopleError
from jobs.admin import AnyModelAdmin

MOST_AT_ONCE = 500
CONFIRMED = "shown"  # the field of the page that holds the digest
CHANGED = "Somebody changed this meanwhile. Look again."


@dataclass(frozen=True)
class Tile:
    """A face on the page; one that can be chosen has a checkbox named `faces`."""

    face: Any  # with `is_pictured`
    is_choice: bool = False
    is_chosen: bool = False

    @property
    def picture(self) -> SafeString:
        return crop_of(self.face, 96)


@dataclass(frozen=True)
class Section:
    """A person or a group on the page. `more` counts the faces that are not shown."""

    title: str
    detail: str
    tiles: Sequence[Tile] = ()
    more: int = 0


@dataclass(frozen=True)
class Plan:
    """What is about to happen. `facts` is all that the page's sentences depend on."""

    sentences: Sequence[str]
    sections: Sequence[Section]
    facts: object
    warnings: Sequence[str] = field(default=())

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self.facts).encode()).hexdigest()


class Curation(ABC):
    """One action of the admin. Rows come with the list's annotations."""

    name: ClassVar[str]
    label: ClassVar[str]  # in the list of actions
    button: ClassVar[str]
    permission: ClassVar[str] = "curate"
    most: ClassVar[int] = MOST_AT_ONCE

    @abstractmethod
    def plan(self, chosen: Sequence[Any], user: Any) -> Plan:
        """What would happen to these rows. Raises PeopleError when it cannot be done."""

    def form(self, chosen: Sequence[Any], data: Mapping[str, Any] | None) -> forms.Form:
        """What is asked beside yes or no."""
        return forms.Form(data)

    @abstractmethod
    def carry_out(self, chosen: Sequence[Any], answers: Mapping[str, Any], user: Any) -> str:
        """Do it by the services; one line about it. Raises PeopleError, and then nothing is done."""

    def as_action(self) -> Callable[..., HttpResponse | None]:
        """The function that a ModelAdmin lists in its actions."""

        def action(
            model_admin: AnyModelAdmin, request: HttpRequest, queryset: QuerySet[Any]
        ) -> HttpResponse | None:
            return ask_or_do(self, model_admin, request, queryset)

        action.__name__ = self.name
        return admin.action(action, description=self.label, permissions=[self.permission])


def ask_or_do(
    curation: Curation, model_admin: AnyModelAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """The page that asks; None (back to the list, with a message) once it is done or cannot be."""
    try:
        chosen = at_most(queryset, curation.most)
        plan = curation.plan(chosen, request.user)
        is_answer = CONFIRMED in request.POST
        form = curation.form(chosen, request.POST if is_answer else None)
        is_as_shown = request.POST.get(CONFIRMED) == plan.digest
        if is_answer and is_as_shown and form.is_valid():
            with transaction.atomic():
                answers = {**form.cleaned_data, "faces": set(request.POST.getlist("faces"))}
                done = curation.carry_out(chosen, answers, request.user)
            model_admin.message_user(request, done, messages.SUCCESS)
            return None
    except PeopleError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return None
    if is_answer and not is_as_shown:
        model_admin.message_user(request, CHANGED, messages.WARNING)
    return page(curation, model_admin, request, chosen, plan, form)


def at_most(queryset: QuerySet[Any], most: int) -> list[Any]:
    chosen = list(queryset.order_by("pk")[: most + 1])
    if len(chosen) > most:
        raise PeopleError("too_many", f"Choose at most {most} at once.")
    return chosen


def page(
    curation: Curation,
    model_admin: AnyModelAdmin,
    request: HttpRequest,
    chosen: Sequence[Any],
    plan: Plan,
    form: forms.Form,
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": curation.label,
        "opts": model_admin.model._meta,
        "media": model_admin.media + form.media,
        "curation": curation,
        "chosen": chosen,
        "plan": plan,
        "form": form,
    }
    return TemplateResponse(request, "admin/faces/confirm.html", context)


class MayCurate:
    """Who may act on people and faces."""

    def has_curate_permission(self, request: HttpRequest) -> bool:
        """Merging, splitting and assigning change both people and faces."""
        return request.user.has_perms(["faces.change_person", "faces.change_face"])

    def has_redetect_permission(self, request: HttpRequest) -> bool:
        """Looking again resets steps of photos in the ledger."""
        return request.user.has_perms(["faces.change_face", "photos.change_photostep"])


class CurationAdmin(MayCurate, AnyModelAdmin):
    """People and faces: changed by services only, whose refusals become messages."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would be a count over all rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """What a service refuses while the form is saved rolls all of it back and is said on the page."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PeopleError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

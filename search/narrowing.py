"""The filters beside the words of a search: read from the page, said in words, and taken away again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dateformat import format as format_date

from faces.models import Person
from photos.filters import PhotoFilter
from photos.locations import taken_in
from search.understanding import Asked, read_query

DAY = "j F Y"
KINDS = {"photo": ("image", "no videos"), "video": ("video", "videos only")}
OF_SEARCH = {"form": "search-form"}  # the fields stand elsewhere in the page than the words


class FilterForm(forms.Form):
    """What narrows a search beside its words; people come as ids in `person`."""

    place = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={**OF_SEARCH, "list": "places", "autocomplete": "off"}),
    )
    taken_from = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={**OF_SEARCH, "type": "date"})
    )
    taken_to = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={**OF_SEARCH, "type": "date"})
    )
    kind = forms.ChoiceField(
        required=False,
        choices=[("", "Photos and videos"), ("photo", "Photos"), ("video", "Videos")],
        widget=forms.Select(attrs=OF_SEARCH),
    )
    camera = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={**OF_SEARCH, "list": "cameras", "autocomplete": "off"}),
    )
    favorite = forms.BooleanField(
        label="Favourites only", required=False, widget=forms.CheckboxInput(attrs=OF_SEARCH)
    )

    def clean_place(self) -> str:
        return " ".join(self.cleaned_data["place"].split())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("taken_from"), values.get("taken_to")
        if first and last and first > last:
            self.add_error("taken_to", "The end lies before the beginning.")
        return values


@dataclass(frozen=True)
class Chip:
    """One thing that narrows the search, and the query string without it."""

    text: str
    without: str


@dataclass(frozen=True)
class Narrowed:
    """What is looked for within the filters, and the filters: as a form, in words, and to be taken away."""

    asked: Asked
    form: FilterForm
    facts: tuple[str, ...]
    chips: list[Chip]


def read_request(user: Any, values: QueryDict) -> Narrowed:
    """Query and filters, understood; a filter that cannot be is said beside its field, and ignored."""
    ids = [int(text) for text in values.getlist("person") if text.isdecimal() and len(text) < 19]
    people = list(Person.objects.visible_to(user).filter(pk__in=ids).with_cover_faces()) if ids else []
    asked = read_query(user, values.get("q", ""), people=people)
    form = FilterForm(values)
    form.is_valid()
    kept = form.cleaned_data
    if place := kept.get("place"):
        asked = replace(asked, photos=taken_in(asked.photos, place), places=(*asked.places, place))
    if (narrower := wanted(kept)) != PhotoFilter():
        asked = asked.within(narrower)
    return Narrowed(asked, form, facts_in_words(kept), chips_of(values, people, kept))


def wanted(kept: dict[str, Any]) -> PhotoFilter:
    first, last = kept.get("taken_from"), kept.get("taken_to")
    return PhotoFilter(
        taken_from=datetime.combine(first, time.min, UTC) if first else None,
        taken_before=datetime.combine(last, time.max, UTC) if last else None,
        camera=kept.get("camera", ""),
        mime_type=KINDS[kept["kind"]][0] if kept.get("kind") else "",
        is_favorite=True if kept.get("favorite") else None,
    )


def facts_in_words(kept: dict[str, Any]) -> tuple[str, ...]:
    """The filters as they stand in a sentence."""
    found = [
        days_in_words(kept.get("taken_from"), kept.get("taken_to")),
        f"with {kept['camera']}" if kept.get("camera") else "",
        KINDS[kept["kind"]][1] if kept.get("kind") else "",
        "favourites only" if kept.get("favorite") else "",
    ]
    return tuple(filter(None, found))


def days_in_words(first: date | None, last: date | None) -> str:
    if first and first == last:
        return f"on {format_date(first, DAY)}"
    if first and last:
        return f"{format_date(first, DAY)} – {format_date(last, DAY)}"
    if first:
        return f"since {format_date(first, DAY)}"
    return f"until {format_date(last, DAY)}" if last else ""


def chips_of(values: QueryDict, people: Iterable[Person], kept: dict[str, Any]) -> list[Chip]:
    chips = []
    for person in people:
        others = [text for text in values.getlist("person") if text != str(person.pk)]
        chips.append(Chip(person.display_name, changed(values, person=others)))
    if days := days_in_words(kept.get("taken_from"), kept.get("taken_to")):
        chips.append(Chip(days, changed(values, taken_from=[], taken_to=[])))
    texts = {
        "place": kept.get("place"),
        "camera": kept.get("camera"),
        "kind": KINDS[kept["kind"]][1] if kept.get("kind") else "",
        "favorite": "favourites" if kept.get("favorite") else "",
    }
    return chips + [Chip(text, changed(values, **{name: []})) for name, text in texts.items() if text]


def changed(values: QueryDict, **changes: list[str]) -> str:
    """The query string with other values, from the first page on."""
    copy = values.copy()
    for name, texts in {"before": [], "after": [], **changes}.items():
        copy.setlist(name, texts)
    for name in [name for name in copy if not any(copy.getlist(name))]:
        del copy[name]
    return copy.urlencode()

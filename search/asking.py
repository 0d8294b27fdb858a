"""What a request for photos asks: words, people, places and filters, understood and said in words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dateformat import format as format_date

from faces.models import Face, Person
from photos.filters import PhotoFilter
from photos.locations import place_names_in, taken_in
from photos.models import Photo
from search.query import understand

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
    """One thing that narrows the search, and the query without it."""

    text: str
    without: str


@dataclass(frozen=True)
class Asked:
    """What a request looks for; `photos` are those in question at all, `facts` the other filters in words."""

    query: str
    words: str
    people: list[Person]
    places: tuple[str, ...]
    photos: Any
    form: FilterForm
    facts: tuple[str, ...] = ()
    chips: list[Chip] = field(default_factory=list)

    @property
    def is_narrowed(self) -> bool:
        """Whether something but words leaves only some photos in question."""
        return bool(self.people or self.places or self.facts)


def read_request(user: Any, values: QueryDict) -> Asked:
    """Understand the query with the names of people and places that the user may see, and the filters."""
    query = " ".join(values.get("q", "").replace("\0", " ").split())
    visible = Person.objects.visible_to(user)
    parsed = understand(query, visible.exclude(name="").values_list("name", flat=True))
    people = list(visible.filter(name__in=parsed.names).with_cover_faces()) if parsed.names else []
    ids = [int(text) for text in values.getlist("person") if text.isdecimal() and len(text) < 19]
    chosen = list(visible.filter(pk__in=ids).with_cover_faces()) if ids else []
    people += [person for person in chosen if person not in people]
    photos = of_people(Photo.objects.visible_to(user).without_clips(), people)
    located = understand(parsed.words, place_names_in(user, parsed.words))
    form = FilterForm(values)
    form.is_valid()  # what is wrong is said beside its field and asks for nothing
    place = form.cleaned_data.get("place", "")
    places = (*located.names, *([place] if place else []))
    for name in places:
        photos = taken_in(photos, name)
    photos = wanted(form.cleaned_data).apply(photos)
    facts = facts_in_words(form.cleaned_data)
    chips = chips_of(values, chosen, form)
    return Asked(query, located.words, people, places, photos, form, facts, chips)


def of_people(photos: Any, people: Iterable[Person]) -> Any:
    """Those with all of these people; the same name in two libraries is one."""
    people = list(people)
    for name in {person.name or person.pk for person in people}:
        same = [person.pk for person in people if (person.name or person.pk) == name]
        photos = photos.filter(pk__in=Face.objects.filter(person__in=same).values("photo_id"))
    return photos


def wanted(values: dict[str, Any]) -> PhotoFilter:
    first, last = values.get("taken_from"), values.get("taken_to")
    return PhotoFilter(
        taken_from=datetime.combine(first, time.min, UTC) if first else None,
        taken_before=datetime.combine(last, time.max, UTC) if last else None,
        camera=values.get("camera", ""),
        mime_type=KINDS[values["kind"]][0] if values.get("kind") else "",
        is_favorite=True if values.get("favorite") else None,
    )


def facts_in_words(values: dict[str, Any]) -> tuple[str, ...]:
    """The filters as they stand in a sentence."""
    found = [days_in_words(values.get("taken_from"), values.get("taken_to"))]
    if values.get("camera"):
        found.append(f"with {values['camera']}")
    if values.get("kind"):
        found.append(KINDS[values["kind"]][1])
    if values.get("favorite"):
        found.append("favourites only")
    return tuple(filter(None, found))


def days_in_words(first: date | None, last: date | None) -> str:
    if first and first == last:
        return f"on {format_date(first, DAY)}"
    if first and last:
        return f"{format_date(first, DAY)} – {format_date(last, DAY)}"
    if first:
        return f"since {format_date(first, DAY)}"
    return f"until {format_date(last, DAY)}" if last else ""


def chips_of(values: QueryDict, people: Iterable[Person], form: FilterForm) -> list[Chip]:
    """What was chosen beside the words, each to be taken away again."""
    kept = form.cleaned_data
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
    chips += [Chip(text, changed(values, **{name: []})) for name, text in texts.items() if text]
    return chips


def changed(values: QueryDict, **changes: list[str]) -> str:
    """The query string with other values, from the first page on."""
    copy = values.copy()
    for name, texts in {"before": [], "after": [], **changes}.items():
        copy.setlist(name, texts)
    for name in [name for name in copy if not any(copy.getlist(name))]:
        del copy[name]
    return copy.urlencode()

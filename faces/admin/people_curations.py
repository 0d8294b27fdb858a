"""What the admin does to people: merge, split, hide, show again, look at their photos again."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from faces import people
from faces.admin.confirmation import Curation, Plan, Section, Tile
from faces.admin.pictures import best_faces, sizes_of, with_pictures
from faces.curation import some_faces
from faces.errors import PeopleError
from faces.models import Face, Person
from faces.nearness import doubts_about, mixture_of, sample_vectors
from faces.services import describe_again, model_version, pack_choice
from photos.models import PhotoStep

FACES_EACH = 10
PEOPLE_SHOWN = 30
FACES_TO_CHOOSE = 200
KEEPS_FACES = "Undo in the journal brings everything back."


def sections_of(chosen: Sequence[Person], sizes: Mapping[int, int], user: Any) -> list[Section]:
    """A section for each person, of the first PEOPLE_SHOWN with pictures."""
    best = best_faces([person.pk for person in chosen[:PEOPLE_SHOWN]], user, FACES_EACH)
    return [
        Section(
            person.display_name,
            describe(person, sizes.get(person.pk, 0)),
            tiles := [Tile(face) for face in best.get(person.pk, ())],
            more=sizes.get(person.pk, 0) - len(tiles),
        )
        for person in chosen
    ]


def describe(person: Person, size: int) -> str:
    """What is known about a person, in one line."""
    parts = [some_faces(size), f"library {person.library.name}"]
    if person.birth_date:
        parts.append(f"born {person.birth_date:%Y-%m-%d}")
    if person.aliases:
        parts.append(f"also called {', '.join(person.aliases)}")
    marks = {"hidden": person.is_hidden, "favourite": person.is_favorite}
    parts += [mark for mark, is_so in marks.items() if is_so]
    return " · ".join(parts)


def facts_of(chosen: Sequence[Person], sizes: Mapping[int, int]) -> list[Any]:
    return [(person.pk, describe(person, sizes.get(person.pk, 0)), person.name) for person in chosen]


def some_people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


class Merge(Curation):
    """Several people become one, who is chosen on the page. All or nothing."""

    name = "merge"
    label = "Merge selected people into one"
    button = "Merge"
    most = 50

    def plan(self, chosen: Sequence[Person], user: Any) -> Plan:
        if len(chosen) < 2:
            raise PeopleError("too_few", "Select two people or more.")
        if len({person.library_id for person in chosen}) > 1:
            raise PeopleError("person_not_found", "These people are not in one library, so they stay apart.")
        ranked = self.ranked(chosen)
        sizes = sizes_of([person.pk for person in chosen])
        return Plan(
            sentences=[
                f"{some_faces(sum(sizes.values()))} of {some_people(len(chosen))} go to the one you keep, "
                "as if assigned by hand: no machine takes them apart again.",
                "The one you keep has its name, birth date and cover; what it lacks comes from the others.",
                f"The others are gone, their names become its other names. {KEEPS_FACES}",
            ],
            sections=sections_of(ranked, sizes, user),
            facts=facts_of(ranked, sizes),
            warnings=doubts_about(ranked),
        )

    def form(self, chosen: Sequence[Person], data: Mapping[str, Any] | None) -> forms.Form:
        ranked = self.ranked(chosen)
        keep = forms.ChoiceField(
            label="Keep",
            choices=[(person.pk, self.outcome(person, ranked)) for person in ranked],
            widget=forms.RadioSelect,
            initial=ranked[0].pk,
        )
        form = forms.Form(data)
        form.fields["keep"] = keep
        return form

    def carry_out(self, chosen: Sequence[Person], answers: Mapping[str, Any], user: Any) -> str:
        keep = next(person for person in chosen if str(person.pk) == answers["keep"])
        drops = [person for person in self.ranked(chosen) if person != keep]
        people.merge_all(keep=keep, drops=drops, actor=user)
        return f"Merged {some_people(len(drops))} into {keep.display_name}."

    @staticmethod
    def ranked(chosen: Sequence[Any]) -> list[Any]:
        """Named people first, then those with most faces."""
        return sorted(chosen, key=lambda person: (not person.name, -person.faces_counted, person.pk))

    @staticmethod
    def outcome(keep: Person, ranked: Sequence[Person]) -> str:
        """What would be left if this one were kept."""
        left = people.what_remains(keep, [person for person in ranked if person != keep])
        renamed = left["name"] != keep.name
        parts = [f"{keep.display_name}: will be called {left['name']}" if renamed else keep.display_name]
        if left["aliases"]:
            parts.append(f"other names {', '.join(left['aliases'])}")
        if left["birth_date"]:
            parts.append(f"born {left['birth_date']:%Y-%m-%d}")
        return ", ".join(parts)


class Split(Curation):
    """The faces ticked on the page leave a person. Those of the smaller far groups are ticked already."""

    name = "split"
    label = "Split the selected person"
    button = "Split the ticked faces off"
    most = 1

    def plan(self, chosen: Sequence[Person], user: Any) -> Plan:
        if not chosen:
            raise PeopleError("too_few", "Select a person.")
        [person] = chosen
        ranked = Face.objects.filter(person=person).order_by("-quality", "pk")[:FACES_TO_CHOOSE]
        faces = {face.pk: face for face in with_pictures(ranked, user)}
        size = sizes_of([person.pk]).get(person.pk, 0)
        sections = [
            Section(
                f"Group {number}" if number else "Others",
                f"{some_faces(len(group))}{', far from the first group' if number > 1 else ''}",
                [Tile(faces[pk], is_choice=True, is_chosen=number > 1) for pk in group],
            )
            for number, group in groups_of(person, list(faces))
        ]
        sentences = [
            f"The ticked faces leave {person.display_name} and become another person, for good: "
            "the two are told apart.",
            f"{person.display_name} keeps name, birth date and all other faces. {KEEPS_FACES}",
        ]
        if size > len(faces):
            sentences.append(f"The best {len(faces)} of {size} are shown; the list of faces has them all.")
        return Plan(sentences, sections, facts=[facts_of(chosen, {person.pk: size}), sorted(faces)])

    def form(self, chosen: Sequence[Person], data: Mapping[str, Any] | None) -> forms.Form:
        form = forms.Form(data)
        form.fields["name"] = name_field()
        return form

    def carry_out(self, chosen: Sequence[Person], answers: Mapping[str, Any], user: Any) -> str:
        own = Face.objects.filter(person=chosen[0]).order_by("-quality", "pk")[:FACES_TO_CHOOSE]
        faces = [face for face in own if str(face.pk) in answers["faces"]]
        made = people.split_person(person=chosen[0], faces=faces, actor=user, name=answers["name"])
        return f"Split {some_faces(len(faces))} off to {made.display_name}."


def name_field() -> forms.CharField:
    return forms.CharField(
        label="Name of the new person",
        required=False,
        max_length=people.MAX_NAME_CHARACTERS,
        help_text="Empty for an unnamed group.",
    )


def groups_of(person: Person, face_ids: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Far groups among these faces, numbered from 1, largest first, and under 0 all other faces."""
    choice = pack_choice()
    samples = sample_vectors(model_version(choice), [person.pk], len(face_ids))
    mixture = mixture_of(person, *samples[person.pk], choice.match_threshold) if samples else None
    groups = [[pk for pk in group if pk in set(face_ids)] for group in mixture.groups] if mixture else []
    grouped = {pk for group in groups for pk in group}
    others = [pk for pk in face_ids if pk not in grouped]
    return [*enumerate(groups, 1), *([(0, others)] if others else [])]


class Hide(Curation):
    name = "hide"
    label = "Hide selected people"
    button = "Hide"
    is_hidden = True
    permission = "change"

    def plan(self, chosen: Sequence[Person], user: Any) -> Plan:
        changing = [person for person in chosen if person.is_hidden != self.is_hidden]
        if not changing:
            raise PeopleError("nothing_to_do", f"All of them are {self.said} already.")
        sizes = sizes_of([person.pk for person in changing])
        return Plan(
            sentences=[
                f"{some_people(len(changing))} will be {self.said} on the pages of people.",
                f"Names, faces and photos stay as they are. {KEEPS_FACES}",
            ],
            sections=sections_of(changing, sizes, user),
            facts=facts_of(changing, sizes),
        )

    def carry_out(self, chosen: Sequence[Person], answers: Mapping[str, Any], user: Any) -> str:
        changing = [person for person in chosen if person.is_hidden != self.is_hidden]
        for person in sorted(changing, key=lambda person: person.library_id):  # one order of locks for all
            people.hide_person(person=person, is_hidden=self.is_hidden, actor=user)
        return f"{some_people(len(changing))} {'is' if len(changing) == 1 else 'are'} {self.said} now."

    @property
    def said(self) -> str:
        return "hidden" if self.is_hidden else "shown"


class Show(Hide):
    name = "unhide"
    label = "Show selected people again"
    button = "Show again"
    is_hidden = False


class LookAgain(Curation):
    """Has the step “faces” look at photos again; for people and for faces."""

    name = "redetect"
    label = "Run detection again on the photos"
    button = "Run detection again"
    permission = "redetect"

    def plan(self, chosen: Sequence[Any], user: Any) -> Plan:
        photos = len(self.photos(chosen)) if chosen else 0
        if not photos:
            raise PeopleError("nothing_to_do", "There is no photo to look at.")
        return Plan(
            sentences=[
                f"The step “faces” runs again on {'1 photo' if photos == 1 else f'{photos} photos'}, "
                "in the background.",
                "Faces found before keep their person, by overlap; names, covers and drawn boxes stay, and "
                "what is no face stays none.",
                "New faces may be found. Faces that are nobody's and are not found again go.",
            ],
            sections=[],
            facts=[photos, [row.pk for row in chosen]],
        )

    def carry_out(self, chosen: Sequence[Any], answers: Mapping[str, Any], user: Any) -> str:
        photos = self.photos(chosen)
        describe_again(photos)
        waiting = PhotoStep.objects.filter(photo__in=photos, step="faces", status="pending").count()
        return f"Detection runs again on {waiting} of {len(photos)} photos; the others are being looked at."

    def photos(self, chosen: Sequence[Any]) -> list[int]:
        column = "pk__in" if isinstance(chosen[0], Face) else "person__in"
        rows = Face.objects.filter(**{column: [row.pk for row in chosen]})
        return sorted(set(rows.filter(photo__deleted_at=None).values_list("photo_id", flat=True)))

"""What the admin does to faces: assign, take away, confirm, reject, split off, dismiss."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from faces import curation, people
from faces.admin.confirmation import Curation, Plan, Section, Tile
from faces.admin.people_curations import KEEPS_FACES, name_field
from faces.admin.pictures import sizes_of
from faces.curation import some_faces
from faces.errors import PeopleError
from faces.models import Face, Person

BY_HAND = "They count as done by hand: no machine moves them again."


class FaceCuration(Curation):
    """On faces of one library."""

    def plan(self, chosen: Sequence[Face], user: Any) -> Plan:
        if not chosen:
            raise PeopleError("too_few", "Select a face.")
        if len({face.photo.library_id for face in chosen}) > 1:
            raise PeopleError("face_not_found", "Choose faces of one library: people of two never meet.")
        self.refuse(chosen)
        changing = self.changing(chosen)
        if not changing:
            raise PeopleError("nothing_to_do", "There is nothing to do for these faces.")
        left_out = len(chosen) - len(changing)
        sentences = [*self.sentences(changing), KEEPS_FACES]
        if left_out:
            sentences.append(f"{some_faces(left_out)} of those selected: nothing to do.")
        return Plan(
            sentences,
            sections_of(changing),
            facts=[(face.pk, face.person_id, face.assigned_by, face.is_dismissed) for face in chosen],
        )

    def refuse(self, chosen: Sequence[Face]) -> None:
        """Raises PeopleError for faces that this cannot be done with."""

    def changing(self, chosen: Sequence[Face]) -> list[Face]:
        """Those that something is done to."""
        return list(chosen)

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        raise NotImplementedError


def sections_of(faces: Sequence[Face]) -> list[Section]:
    """The chosen faces by the person they have now."""
    by_person: dict[int | None, list[Face]] = {}
    for face in faces:
        by_person.setdefault(face.person_id, []).append(face)
    sizes = sizes_of([pk for pk in by_person if pk is not None])
    return [
        Section(
            group[0].person.display_name if group[0].person else "Nobody",
            f"{len(group)} of {some_faces(sizes[pk])}" if pk is not None else some_faces(len(group)),
            [Tile(face) for face in group],
        )
        for pk, group in by_person.items()
    ]


class WhoForm(forms.Form):
    """A person that is there, or the name of one."""

    person = forms.ModelChoiceField(
        Person.objects.all(),
        required=False,
        widget=AutocompleteSelect(Face._meta.get_field("person"), admin.site),
    )
    name = forms.CharField(
        label="or a name",
        required=False,
        max_length=people.MAX_NAME_CHARACTERS,
        help_text="Of somebody in this library, or of somebody new.",
    )

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or {}
        if bool(answers.get("person")) == bool(answers.get("name")) and not self.errors:
            raise forms.ValidationError("Choose a person or give a name.")
        return answers


class Reassign(FaceCuration):
    name = "reassign"
    label = "Assign selected faces to a person"
    button = "Assign"

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        return [f"{some_faces(len(changing))} will be the person you choose below. {BY_HAND}"]

    def form(self, chosen: Sequence[Face], data: Mapping[str, Any] | None) -> forms.Form:
        return WhoForm(data)

    def carry_out(self, chosen: Sequence[Face], answers: Mapping[str, Any], user: Any) -> str:
        library, name = chosen[0].photo.library, answers["name"]
        person = answers["person"] or people.person_called(library.pk, name)
        person = person or people.create_person(library=library, name=name, actor=user)
        count = curation.assign_faces(faces=chosen, person=person, actor=user)
        return f"Assigned {some_faces(count)} to {person.display_name}."


class SplitOff(FaceCuration):
    name = "split_off"
    label = "Split selected faces off to a new person"
    button = "Split off"

    def refuse(self, chosen: Sequence[Face]) -> None:
        if len({face.person_id for face in chosen}) > 1 or chosen[0].person_id is None:
            raise PeopleError("face_not_found", "Choose faces of one person.")

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        name = changing[0].person.display_name if changing[0].person else ""
        return [
            f"{some_faces(len(changing))} leave {name} for a new person; the two are told apart for good.",
            f"{name} keeps its name and all other faces.",
        ]

    def form(self, chosen: Sequence[Face], data: Mapping[str, Any] | None) -> forms.Form:
        form = forms.Form(data)
        form.fields["name"] = name_field()
        return form

    def carry_out(self, chosen: Sequence[Face], answers: Mapping[str, Any], user: Any) -> str:
        person = chosen[0].person
        assert person is not None  # see refuse
        made = people.split_person(person=person, faces=chosen, actor=user, name=answers["name"])
        return f"Split {some_faces(len(chosen))} off to {made.display_name}."


class Confirm(FaceCuration):
    name = "confirm"
    label = "Confirm the person of selected faces"
    button = "Confirm"

    def changing(self, chosen: Sequence[Face]) -> list[Face]:
        return [face for face in chosen if face.person_id and face.assigned_by != curation.BY_HAND]

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        return [f"{some_faces(len(changing))} stay with the person they have now. {BY_HAND}"]

    def carry_out(self, chosen: Sequence[Face], answers: Mapping[str, Any], user: Any) -> str:
        count = curation.confirm_faces(faces=self.changing(chosen), actor=user)
        return f"Confirmed {some_faces(count)}."


class Reject(FaceCuration):
    name = "reject"
    label = "Selected faces are not this person"
    button = "They are somebody else"

    def changing(self, chosen: Sequence[Face]) -> list[Face]:
        return [face for face in chosen if face.person_id]

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        return [
            f"{some_faces(len(changing))} leave the person they have now; no machine puts them back.",
            "They may be grouped with others.",
        ]

    def carry_out(self, chosen: Sequence[Face], answers: Mapping[str, Any], user: Any) -> str:
        count = curation.reject_faces(faces=self.changing(chosen), actor=user)
        return f"Took {some_faces(count)} away from their people."


class Unassign(FaceCuration):
    name = "unassign"
    label = "Selected faces are nobody's"
    button = "Make them nobody's"

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        return [f"{some_faces(len(changing))} will be nobody's, and stay so. {BY_HAND}"]

    def carry_out(self, chosen: Sequence[Face], answers: Mapping[str, Any], user: Any) -> str:
        return f"{some_faces(curation.unassign_faces(faces=chosen, actor=user))} nobody's now."


class Dismiss(FaceCuration):
    name = "dismiss"
    label = "Selected faces are no faces"
    button = "They are none"

    def changing(self, chosen: Sequence[Face]) -> list[Face]:
        return [face for face in chosen if not face.is_dismissed]

    def sentences(self, changing: Sequence[Face]) -> list[str]:
        return [f"{some_faces(len(changing))} will be shown nowhere; the detector does not bring them back."]

    def carry_out(self, chosen: Sequence[Face], answers: Mapping[str, Any], user: Any) -> str:
        return f"Dismissed {some_faces(curation.dismiss_faces(faces=self.changing(chosen), actor=user))}."

"""What is worth asking, and what the answers do."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from faces import people, suggestions
from faces.models import Face, FaceEmbedding, FaceRejection, JournalEntry, Person, PersonDistinction
from faces.nearness import mixtures, near_people
from faces.suggestions import Suggestion
from faces.tests.albums import THRESHOLD, Album, unit
from faces.undo import undo
from photos.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(album: Album) -> Any:
    user = get_user_model()._default_manager.create(email="alice@example.org")
    Membership.objects.create(library=album.library, user=user, role="owner")
    return user


def questions(album: Album, user: Any) -> list[Suggestion]:
    return suggestions.queue(user, album.library.pk, album.version, threshold=THRESHOLD)


def likeness(album: Album, name: str, cosine: float) -> str:
    """A new identity whose faces are at about this cosine from those of `name`."""
    size = album.version.dimensions
    centre = album.identities[name]
    other = unit(album.random.normal(size=size))
    other = unit(other - (other @ centre) * centre)
    # Faces are at cosine 0.89 from their centre, so two identities look 0.8 times as alike as their centres.
    near = min(1.0, cosine / 0.8)
    album.identities[f"like {name}"] = unit(near * centre + np.sqrt(1 - near**2) * other)
    return f"like {name}"


def test_a_face_that_is_nearly_somebody_is_asked_about(album: Album, alice: Any) -> None:
    asha = album.person("Asha")
    [face] = album.add_photo(likeness(album, "Asha", 0.29))
    [question] = questions(album, alice)
    assert (question.face, question.person, question.other) == (face, asha, None)
    suggestions.answer_face(face=face, person=asha, answer="yes", actor=alice)
    face.refresh_from_db()
    assert (face.person, face.assigned_by) == (asha, "person")
    assert questions(album, alice) == []


def test_no_is_for_good_and_not_sure_for_a_month(album: Album, alice: Any) -> None:
    asha = album.person("Asha")
    [face] = album.add_photo(likeness(album, "Asha", 0.29))
    suggestions.answer_face(face=face, person=asha, answer="unsure", actor=alice)
    assert questions(album, alice) == []
    FaceRejection.objects.update(answered_at=timezone.now() - timedelta(days=31))
    assert len(questions(album, alice)) == 1
    suggestions.answer_face(face=face, person=asha, answer="no", actor=alice)
    FaceRejection.objects.update(answered_at=timezone.now() - timedelta(days=999))
    assert questions(album, alice) == []


def test_a_group_that_is_nearly_somebody_comes_before_a_single_face(album: Album, alice: Any) -> None:
    asha = album.person("Asha", 4)
    name = likeness(album, "Asha", 0.29)
    group = [album.add_photo(name)[0] for _ in range(3)]
    album.add_photo(likeness(album, "Asha", 0.29))
    group[0].refresh_from_db()
    first = questions(album, alice)[0]
    assert (first.person, first.other, first.faces) == (asha, group[0].person, 3)
    assert first.other is not None
    suggestions.answer_people(person=asha, other=first.other, answer="yes", actor=alice)
    assert Face.objects.filter(person=asha).count() == 7
    undo(JournalEntry.objects.newest_first()[0], actor=alice)
    assert Person.objects.count() == 2


@pytest.mark.parametrize(("answer", "is_sure"), [("no", True), ("unsure", False)])
def test_two_people_are_told_apart(album: Album, alice: Any, answer: Any, is_sure: bool) -> None:
    asha = album.person("Asha", 4)
    name = likeness(album, "Asha", 0.29)
    for _ in range(3):
        album.add_photo(name)
    other = questions(album, alice)[0].other
    assert other
    suggestions.answer_people(person=asha, other=other, answer=answer, actor=alice)
    assert PersonDistinction.objects.get().is_sure is is_sure
    assert questions(album, alice) == []
    undo(JournalEntry.objects.newest_first()[0], actor=alice)
    assert len(questions(album, alice)) == 1


def test_two_people_on_one_photo_are_not_asked_about(album: Album, alice: Any) -> None:
    album.person("Asha", 4)
    name = likeness(album, "Asha", 0.29)
    for _ in range(3):
        album.add_photo("Asha", name)
    assert questions(album, alice) == []


def test_strangers_are_asked_nothing(album: Album) -> None:
    album.person("Asha")
    album.add_photo(likeness(album, "Asha", 0.29))
    charlie = get_user_model()._default_manager.create(email="charlie@example.org")
    assert list(suggestions.unassigned_faces(charlie)) == []


def test_a_person_of_two_far_groups_is_suspicious(album: Album) -> None:
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    assert mixtures(album.library.pk, album.version, threshold=THRESHOLD) == []
    people.merge_people(keep=asha, drop=bela, actor=None)
    [mixture] = mixtures(album.library.pk, album.version, threshold=THRESHOLD)
    assert mixture.person == asha
    assert [len(group) for group in mixture.groups] == [4, 4]


def test_two_people_very_near_are_suspicious(album: Album) -> None:
    asha = album.person("Asha", 4)
    bela = people.create_person(library=album.library, name="Bela", actor=None)
    moved = Face.objects.filter(pk__in=list(Face.objects.order_by("pk").values_list("pk", flat=True)[:2]))
    moved.update(person=bela)
    [pair] = near_people(album.library.pk, album.version, at_least=THRESHOLD)
    assert {pair.first, pair.second} == {asha, bela}
    assert FaceEmbedding.objects.count() == 4

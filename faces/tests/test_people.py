"""Names, merges and assignments."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from faces import curation, people
from faces.models import Face, Person
from photos.models import Library, Photo


@pytest.fixture
def library(db: None) -> Library:
    library: Library = Library.objects.create(name="Photos")
    return library


def make_face(library: Library, person: Person | None = None) -> Face:
    number = Photo.objects.count()
    photo = Photo.objects.create(
        library=library,
        original_name="a.jpg",
        original_key=f"{library.pk}/{number}",
        checksum=f"{number:064}",
        sha1="0" * 40,
        size=1,
        mime_type="image/jpeg",
        taken_at=timezone.now(),
    )
    face: Face = Face.objects.create(photo=photo, person=person, x1=0, y1=0, x2=1, y2=1, detection_score=1)
    return face


def test_a_name_is_kept_as_text_whatever_it_is(library: Library) -> None:
    person = people.create_person(library=library, name="  <b>Zoë</b>\n 👩‍👧 🏴󠁧󠁢󠁷󠁬󠁳󠁿  ", actor=None)
    assert person.name == "<b>Zoë</b> 👩‍👧 🏴󠁧󠁢󠁷󠁬󠁳󠁿"


def test_a_name_spelt_in_two_ways_is_one(library: Library) -> None:
    people.create_person(library=library, name="Ren\u00e9", actor=None)
    with pytest.raises(people.PeopleError, match="Merge the two"):
        people.create_person(library=library, name="Rene\u0301", actor=None)


@pytest.mark.parametrize(
    ("name", "code"), [("", "missing_name"), (" \0\t", "missing_name"), ("x" * 500, "name_too_long")]
)
def test_a_name_that_cannot_be_used_is_refused_with_a_reason(library: Library, name: str, code: str) -> None:
    with pytest.raises(people.PeopleError) as caught:
        people.create_person(library=library, name=name, actor=None)
    assert caught.value.code == code


def test_a_name_is_given_once_a_library(library: Library) -> None:
    people.create_person(library=library, name="Asha", actor=None)
    second = people.create_person(library=library, name="Bela", actor=None)
    with pytest.raises(people.PeopleError, match="Merge the two"):
        people.rename_person(person=second, name="Asha", actor=None)
    elsewhere: Library = Library.objects.create(name="Other")
    assert people.create_person(library=elsewhere, name="Asha", actor=None).name == "Asha"


def test_a_person_may_be_given_its_own_name_again(library: Library) -> None:
    person = people.create_person(library=library, name="Asha", actor=None)
    assert people.rename_person(person=person, name="Asha", actor=None).name == "Asha"


def test_merging_moves_all_faces_and_keeps_a_name(library: Library) -> None:
    unnamed = Person.objects.create(library=library)
    named = people.create_person(library=library, name="Asha", actor=None)
    faces = [make_face(library, unnamed), make_face(library, named)]
    people.merge_people(keep=unnamed, drop=named, actor=None)
    assert set(Face.objects.filter(person=unnamed)) == set(faces)
    assert Person.objects.get().name == "Asha"


def test_a_person_is_not_merged_with_itself(library: Library) -> None:
    person = people.create_person(library=library, name="Asha", actor=None)
    with pytest.raises(people.PeopleError) as caught:
        people.merge_people(keep=person, drop=person, actor=None)
    assert caught.value.code == "cannot_merge_same_person"


def test_people_of_two_libraries_are_not_merged(library: Library) -> None:
    other: Library = Library.objects.create(name="Other")
    with pytest.raises(people.PeopleError):
        people.merge_people(
            keep=people.create_person(library=library, name="Asha", actor=None),
            drop=people.create_person(library=other, name="Bela", actor=None),
            actor=None,
        )
    assert Person.objects.count() == 2


def test_a_face_is_not_assigned_to_a_person_of_another_library(library: Library) -> None:
    other: Library = Library.objects.create(name="Other")
    face = make_face(library)
    with pytest.raises(people.PeopleError):
        curation.assign_face(
            face=face, person=people.create_person(library=other, name="Asha", actor=None), actor=None
        )
    face.refresh_from_db()
    assert face.person is None


@pytest.mark.django_db(transaction=True)
def test_two_merges_against_each_other_at_once_lose_no_face() -> None:
    library: Library = Library.objects.create(name="Photos")
    a = people.create_person(library=library, name="Asha", actor=None)
    b = people.create_person(library=library, name="Bela", actor=None)
    faces = {make_face(library, a).pk, make_face(library, b).pk}
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def merge(keep: Person, drop: Person) -> None:
        barrier.wait()
        try:
            people.merge_people(keep=keep, drop=drop, actor=None)
            outcomes.append("merged")
        except people.PeopleError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["merged", "person_not_found"]
    survivor = Person.objects.get()
    assert set(Face.objects.filter(person=survivor).values_list("pk", flat=True)) == faces

"""Questions, unassigned faces, the faces on a photo, the journal, grouping anew."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from faces import people, reclustering
from faces.models import Face, JournalEntry, Person
from faces.tests.albums import THRESHOLD, Album
from faces.tests.test_suggestions import likeness
from faces.tests.test_views import HTMX, face_of
from jobs.models import Job
from photos.models import Library, Membership, PhotoStep

Rows = Callable[[int], list[int]]
Share = Callable[[Any, str], None]


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def album_page(album: Album, client: Client) -> Client:
    """The pages of somebody who owns the album's library."""
    user = get_user_model()._default_manager.create(email="alice@example.org")
    Membership.objects.create(library=album.library, user=user, role="owner")
    client.force_login(user)
    return client


def newest_entry() -> JournalEntry:
    entry: JournalEntry = JournalEntry.objects.latest("pk")
    return entry


# --- questions ----------------------------------------------------------------------------------------------


def test_questions_are_cards_with_both_sides(album: Album, album_page: Client) -> None:
    bob = album.person("Bob")
    [face] = album.add_photo(likeness(album, "Bob", 0.29))
    html = album_page.get("/people/review").content.decode()
    assert f'data-key="{bob.pk}-face-{face.pk}"' in html
    assert "Is this face Bob?" in html
    assert '<span id="left">1</span>' in html
    cards = album_page.get("/people/review", headers=HTMX).content.decode()
    assert "<html" not in cards
    assert 'data-count="1"' in cards


def test_answer_tells_its_entry_so_that_it_can_be_undone(album: Album, album_page: Client) -> None:
    bob = album.person("Bob")
    [face] = album.add_photo(likeness(album, "Bob", 0.29))
    body = {"person_id": bob.pk, "face_id": face.pk, "answer": "no"}
    answer = album_page.post("/api/people/suggestions/answer", body, content_type="application/json").json()
    assert answer["entry"] == newest_entry().pk
    assert "No more questions" in album_page.get("/people/review").content.decode()
    album_page.post(f"/api/people/journal/{answer['entry']}/undo")
    assert "Is this face Bob?" in album_page.get("/people/review").content.decode()


def test_viewer_is_asked_nothing(bob: Any, client: Client, library: Library, share_with: Share) -> None:
    share_with(bob, "viewer")
    client.force_login(bob)
    html = client.get("/people/review").content.decode()
    assert "data-answer=" not in html
    assert "Same person?" not in client.get("/people").content.decode()


# --- unassigned ---------------------------------------------------------------------------------------------


def test_unassigned_faces_get_a_new_or_a_known_name(page: Client, library: Library, photo_rows: Rows) -> None:
    first, second, third = (face_of(None, pk) for pk in photo_rows(3))
    html = page.get("/people/unassigned").content.decode()
    assert html.count("face-tile") == 3
    body = {"faces": [first.pk, second.pk], "name": "Bob"}
    answer = page.post("/people/unassigned/change", body, headers=HTMX).content.decode()
    assert answer.count('hx-swap-oob="delete"') == 2
    assert "Assigned 2 faces to Bob, who is new." in answer
    page.post("/people/unassigned/change", {"faces": [third.pk], "name": "bob"}, headers=HTMX)
    assert Person.objects.get(name="Bob").faces.count() == 3


def test_undo_of_a_new_name_takes_the_person_back(page: Client, library: Library, photo_rows: Rows) -> None:
    faces = [face_of(None, pk) for pk in photo_rows(2)]
    page.post("/people/unassigned/change", {"faces": [face.pk for face in faces], "name": "Bob"})
    entry = JournalEntry.objects.get()
    page.post(f"/people/journal/{entry.pk}/undo")
    assert not Person.objects.exists()
    assert page.get("/people/unassigned").content.decode().count("face-tile") == 2


def test_not_a_face_leaves_the_unassigned(page: Client, library: Library, photo_rows: Rows) -> None:
    face = face_of(None, *photo_rows(1))
    page.post("/people/unassigned/change", {"faces": [face.pk], "action": "dismiss"}, headers=HTMX)
    face.refresh_from_db()
    assert face.is_dismissed


@pytest.mark.parametrize("name", ["", "x" * 500, "Person 99999999"])
def test_bad_name_or_face_changes_no_unassigned_face(
    page: Client, library: Library, photo_rows: Rows, charlie: Any, name: str
) -> None:
    face = face_of(None, *photo_rows(1))
    for faces in ([face.pk, 10**17], [], ["x"]):
        body = {"faces": faces, "name": name}
        answer = page.post("/people/unassigned/change", body, headers=HTMX)
        assert answer["HX-Reswap"] == "none"
    assert JournalEntry.objects.count() == 0


def test_unassigned_faces_cost_the_same_for_many(
    page: Client, library: Library, photo_rows: Rows, django_assert_num_queries: Any
) -> None:
    page.get("/people/unassigned")
    for _ in range(2):
        for pk in photo_rows(10):
            face_of(None, pk)
        with django_assert_num_queries(6):
            page.get("/people/unassigned")


# --- on a photo ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("library")
def test_face_is_confirmed_rejected_or_none(page: Client, library: Library, photo_rows: Rows) -> None:
    person = Person.objects.create(library=library, name="Bob")
    face = face_of(person, *photo_rows(1))
    editor = page.get(f"/faces/{face.pk}/edit").content.decode()
    assert "Not Bob" in editor
    answer = page.post(f"/faces/{face.pk}/answer", {"action": "confirm"}, headers=HTMX).content.decode()
    assert 'id="face-editor" hx-swap-oob' in answer
    face.refresh_from_db()
    assert face.assigned_by == "person"
    assert "Confirm<" not in page.get(f"/faces/{face.pk}/edit").content.decode()
    page.post(f"/faces/{face.pk}/answer", {"action": "reject"}, headers=HTMX)
    face.refresh_from_db()
    assert face.person is None
    page.post(f"/faces/{face.pk}/answer", {"action": "dismiss"}, headers=HTMX)
    assert page.get(f"/faces/{face.pk}/edit").status_code == 404


def test_face_is_drawn_and_named_as_one_entry(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    PhotoStep.objects.create(photo_id=pk, step="faces", status="done")
    assert "Who is this?" in page.get(f"/photos/{pk}/faces/draw").content.decode()
    body = {"box": "0.1,0.2,0.3,0.4", "name": "Bob"}
    answer = page.post(f"/photos/{pk}/faces/draw", body, headers=HTMX).content.decode()
    assert "--x1:0.1000" in answer
    face = Face.objects.get()
    assert (str(face.person), face.is_drawn) == ("Bob", True)
    assert PhotoStep.objects.get().status == "pending"
    page.post(f"/people/journal/{JournalEntry.objects.get().pk}/undo")
    assert not Person.objects.exists()
    assert "face-box" not in page.get(f"/photos/{pk}/faces").content.decode().replace("face-boxes", "")


@pytest.mark.parametrize("box", ["", "1,2", "a,b,c,d", "0.5,0.5,0.1,0.1", "nan,nan,nan,nan", "0,0,inf,-inf"])
def test_bad_box_is_refused_near_the_control(
    page: Client, library: Library, photo_rows: Rows, box: str
) -> None:
    (pk,) = photo_rows(1)
    face = face_of(None, pk)
    for path in (f"/photos/{pk}/faces/draw", f"/faces/{face.pk}/move"):
        answer = page.post(path, {"box": box, "name": "Bob"}, headers=HTMX)
        assert "box" in answer.content.decode()
        assert answer["HX-Reswap"] == "none"
    assert JournalEntry.objects.count() == 0


def test_box_is_moved(page: Client, library: Library, photo_rows: Rows) -> None:
    face = face_of(None, *photo_rows(1))
    answer = page.post(f"/faces/{face.pk}/move", {"box": "0.5,0.5,0.75,0.875"}, headers=HTMX)
    assert "--y2:0.8750" in answer.content.decode()
    face.refresh_from_db()
    assert face.box == (0.5, 0.5, 0.75, 0.875)


def test_faces_of_a_photo_cost_the_same_for_many(
    page: Client, library: Library, photo_rows: Rows, django_assert_num_queries: Any
) -> None:
    (pk,) = photo_rows(1)
    page.get(f"/photos/{pk}/faces")
    for _ in range(2):
        face_of(Person.objects.create(library=library), pk)
        with django_assert_num_queries(5):
            page.get(f"/photos/{pk}/faces")


def test_strangers_and_viewers_cannot_touch_faces(
    bob: Any, charlie: Any, client: Client, library: Library, photo_rows: Rows, share_with: Share
) -> None:
    (pk,) = photo_rows(1)
    face = face_of(None, pk)
    share_with(bob, "viewer")
    for user in (bob, charlie):
        client.force_login(user)
        for path in (f"faces/{face.pk}/edit", f"photos/{pk}/faces/draw"):
            assert client.get(f"/{path}").status_code == 404
        for path in (
            f"faces/{face.pk}/name",
            f"faces/{face.pk}/answer",
            f"faces/{face.pk}/move",
            f"photos/{pk}/faces/draw",
            "people/unassigned/change",
        ):
            body = {"faces": [face.pk], "name": "Bob", "action": "dismiss", "box": "0,0,1,1"}
            assert client.post(f"/{path}", body).status_code == 404, path
    client.force_login(bob)
    html = client.get(f"/photos/{pk}/faces").content.decode()
    assert "hx-get" not in html
    assert "data-draw" not in html
    assert "checkbox" not in client.get("/people/unassigned").content.decode()


# --- journal ------------------------------------------------------------------------------------------------


def test_journal_tells_who_did_what_and_offers_undo(
    page: Client, alice: Any, library: Library, photo_rows: Rows
) -> None:
    person = Person.objects.create(library=library)
    face_of(person, *photo_rows(1))
    people.rename_person(person=person, name="Bob", actor=alice)
    html = page.get("/people/journal").content.decode()
    assert f"Named Person {person.pk} Bob" in html
    assert "alice@example.org" in html
    assert "/thumbnail" in html
    assert "Nothing has been done" not in page.get(f"/people/journal?person={person.pk}").content.decode()


def test_what_cannot_be_undone_says_what_stands_in_the_way(
    page: Client, alice: Any, library: Library
) -> None:
    person = Person.objects.create(library=library)
    people.rename_person(person=person, name="Bob", actor=alice)
    people.rename_person(person=person, name="Bobby", actor=alice)
    first = JournalEntry.objects.order_by("pk").first()
    assert first is not None
    html = page.get("/people/journal").content.decode()
    assert html.count("/undo") == 1
    assert f"/people/journal/{first.pk}/obstacles" in html
    why = page.get(f"/people/journal/{first.pk}/obstacles").content.decode()
    assert "Renamed Bob to Bobby" in why
    answer = page.post(f"/people/journal/{first.pk}/undo", follow=True).content.decode()
    assert "That cannot be undone any more." in answer


def test_undone_entry_says_so_and_offers_nothing(page: Client, alice: Any, library: Library) -> None:
    person = Person.objects.create(library=library)
    people.rename_person(person=person, name="Bob", actor=alice)
    entry = JournalEntry.objects.get()
    page.post(f"/people/journal/{entry.pk}/undo")
    html = page.get("/people/journal").content.decode()
    assert "Undone by alice@example.org" in html
    assert f"/people/journal/{entry.pk}/undo" not in html


def test_standing_agrees_with_each_single_look(album: Album, album_page: Client) -> None:
    from faces.undo import can_undo, standing

    bob = album.person("Bob")
    album_page.post(f"/people/{bob.pk}/hide", {"hidden": "1"})
    faces = list(bob.faces.all())
    body = {"action": "split", "faces": [faces[0].pk], "name": "Charlie"}
    album_page.post(f"/people/{bob.pk}/faces/change", body)
    charlie = Person.objects.get(name="Charlie")
    Face.objects.filter(pk=faces[1].pk).update(person=charlie)
    album_page.post(f"/people/{bob.pk}/delete")
    people.create_person(library=album.library, name="Bob", actor=None)
    entries = list(JournalEntry.objects.newest_first())
    assert len(entries) == 5
    assert standing(entries) == {entry.pk for entry in entries if can_undo(entry)}
    assert len(standing(entries)) < len(entries)


def test_journal_costs_the_same_for_many(
    page: Client, alice: Any, library: Library, photo_rows: Rows, django_assert_max_num_queries: Any
) -> None:
    for pk in photo_rows(15):
        person = Person.objects.create(library=library)
        face_of(person, pk)
        people.rename_person(person=person, name=f"Bob {pk}", actor=alice)
        people.delete_person(person=person, actor=alice)
    with django_assert_max_num_queries(18):
        page.get("/people/journal")


def test_strangers_see_no_journal(charlie: Any, client: Client, alice: Any, library: Library) -> None:
    people.create_person(library=library, name="Bob", actor=alice)
    entry = JournalEntry.objects.get()
    client.force_login(charlie)
    assert "Bob" not in client.get("/people/journal").content.decode()
    assert client.post(f"/people/journal/{entry.pk}/undo").status_code == 404
    assert client.get(f"/people/journal/{entry.pk}/obstacles").status_code == 404


# --- grouping anew ------------------------------------------------------------------------------------------


def plan(album: Album) -> Job:
    """A plan as the worker makes it."""
    job = reclustering.start_planning(library_id=album.library.pk, threshold=None, user=None)
    result = reclustering.plan_recluster(album.library.pk, album.version, THRESHOLD)
    Job.objects.filter(pk=job.pk).update(result=result, status="finished", ended_at=job.created_at)
    job.refresh_from_db()
    return job


def mixed_album(album: Album) -> Person:
    """Bob's group also has faces of somebody else."""
    bob, stranger = album.person("Bob", photos=4), album.person("Charlie", photos=3)
    Face.objects.filter(person=stranger).update(person=bob, assigned_by="machine")
    Face.objects.filter(person=bob).update(assigned_by="machine")
    stranger.delete()
    return bob


def test_plan_is_started_once_and_shows_its_progress(album: Album, album_page: Client) -> None:
    for _ in range(2):
        album_page.post("/people/recluster/start", {"library": album.library.pk, "strictness": "looser"})
    assert Job.objects.count() == 1
    assert "Comparing faces" in album_page.get("/people/recluster", headers=HTMX).content.decode()


def test_plan_is_shown_and_applied_with_undo(album: Album, album_page: Client) -> None:
    bob = mixed_album(album)
    job = plan(album)
    html = album_page.get("/people/recluster").content.decode()
    assert "1 person would split" in html
    assert "would be a new group" in html
    answer = album_page.post(f"/people/recluster/{job.pk}/end", {"action": "apply"}, follow=True)
    assert "Grouped anew" in answer.content.decode()
    assert bob.faces.count() == 4
    album_page.post(f"/people/journal/{newest_entry().pk}/undo")
    assert bob.faces.count() == 7


def test_outdated_plan_is_not_applied(album: Album, album_page: Client) -> None:
    bob = mixed_album(album)
    job = plan(album)
    people.set_favorite(person=bob, favorite=True, actor=None)
    assert "changed since the last plan" in album_page.get("/people/recluster").content.decode()
    answer = album_page.post(f"/people/recluster/{job.pk}/end", {"action": "apply"}, follow=True)
    assert "Plan again." in answer.content.decode()
    assert bob.faces.count() == 7


def test_plan_is_discarded(album: Album, album_page: Client) -> None:
    bob = mixed_album(album)
    job = plan(album)
    album_page.post(f"/people/recluster/{job.pk}/end", {"action": "discard"})
    assert "Make a plan" in album_page.get("/people/recluster").content.decode()
    assert bob.faces.count() == 7


def test_strangers_cannot_plan_or_apply(album: Album, client: Client, charlie: Any) -> None:
    job = plan(album)
    client.force_login(charlie)
    assert client.get("/people/recluster").status_code == 404
    Library.objects.home_of(charlie)
    assert client.post("/people/recluster/start", {"library": album.library.pk}).status_code == 404
    assert client.post("/people/recluster/start", {"library": "<b>"}).status_code == 404
    assert client.post(f"/people/recluster/{job.pk}/end", {"action": "apply"}).status_code == 404

"""Curation over REST. Alice owns, Bob views, Charlie sees nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from faces import reclustering
from faces.models import Face, JournalEntry, Person
from faces.tests.albums import THRESHOLD, Album
from jobs.models import Job
from photos.models import Library, PhotoStep

User = Any  # of an app above this one
ClientOf = Callable[[User], Client]


@pytest.fixture
def asha(album: Album, library: Library) -> Person:
    album.library = library
    return album.person("Asha", 4)


@pytest.fixture
def client(client_of: ClientOf, alice: User) -> Client:
    return client_of(alice)


def send(client: Client, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
    answer = getattr(client, method)(f"/api/{path}", body, content_type="application/json")
    assert answer.status_code == expect, answer.content
    return answer.json()


def test_a_person_is_changed_and_every_change_undone(client: Client, asha: Person) -> None:
    face = Face.objects.filter(person=asha).order_by("pk")[2]
    changed = send(
        client,
        "patch",
        f"persons/{asha.pk}",
        {
            "birth_date": "1990-05-01",
            "aliases": ["Ash"],
            "hidden": True,
            "favorite": True,
            "cover": face.pk,
            "name": "Aisha",
        },
    )
    assert changed == {
        "id": asha.pk,
        "name": "Aisha",
        "aliases": ["Ash"],
        "birth_date": "1990-05-01",
        "hidden": True,
        "favorite": True,
        "cover": face.pk,
    }
    page = send(client, "get", "people/journal?limit=6")
    assert [item["verb"] for item in page["items"]] == [
        "cover",
        "favorite",
        "hide",
        "aliases",
        "birth_date",
        "rename",
    ]
    for item in page["items"]:
        send(client, "post", f"people/journal/{item['id']}/undo")
    assert send(client, "get", f"persons/{asha.pk}")["name"] == "Asha"


def test_a_person_is_changed_wholly_or_not_at_all(client: Client, asha: Person) -> None:
    changes = {"name": "Aisha", "aliases": ["Ash"], "birth_date": "2999-01-01"}
    entries = JournalEntry.objects.count()
    answer = send(client, "patch", f"persons/{asha.pk}", changes, expect=400)
    assert answer["error"] == "impossible_birth_date"
    asha.refresh_from_db()
    assert (asha.name, asha.aliases) == ("Asha", [])
    assert JournalEntry.objects.count() == entries


def test_a_deleted_person_comes_back(client: Client, asha: Person) -> None:
    send(client, "delete", f"persons/{asha.pk}")
    send(client, "get", f"persons/{asha.pk}", expect=404)
    entry = send(client, "get", "people/journal")["items"][0]
    send(client, "post", f"people/journal/{entry['id']}/undo")
    assert send(client, "get", "persons")["persons"] == [{"id": asha.pk, "name": "Asha", "photo_count": 4}]
    assert send(client, "post", f"people/journal/{entry['id']}/undo", expect=409)["error"] == "undo_blocked"


def test_faces_are_confirmed_rejected_taken_away_and_dismissed(client: Client, asha: Person) -> None:
    ids = list(Face.objects.filter(person=asha).order_by("pk").values_list("pk", flat=True))
    send(client, "post", f"faces/{ids[0]}/confirm")
    send(client, "post", f"faces/{ids[1]}/reject")
    send(client, "post", f"faces/{ids[2]}/unassign")
    send(client, "delete", f"faces/{ids[3]}")
    rows = Face.objects.order_by("pk").values_list("person_id", "assigned_by", "is_dismissed")
    assert list(rows) == [
        (asha.pk, "person", False),
        (None, "", False),
        (None, "person", False),
        (None, "person", True),
    ]
    assert [item["face_id"] for item in send(client, "get", "faces")["items"]] == ids[:3]
    send(client, "delete", f"faces/{ids[3]}", expect=404)
    assert send(client, "post", "faces/assign", {"face_ids": ids[:3], "person_id": asha.pk})["assigned"] == 3


def test_a_person_is_split(client: Client, asha: Person) -> None:
    ids = list(Face.objects.filter(person=asha).order_by("pk").values_list("pk", flat=True))
    made = send(client, "post", f"persons/{asha.pk}/split", {"face_ids": ids[:2], "name": "Bela"})
    assert made["name"] == "Bela"
    assert Face.objects.filter(person=made["id"]).count() == 2
    problem = send(client, "post", f"persons/{asha.pk}/split", {"face_ids": ids[2:]}, expect=409)
    assert problem["error"] == "nothing_left"


def test_a_face_is_drawn_and_moved(client: Client, asha: Person) -> None:
    face = Face.objects.order_by("pk")[0]
    PhotoStep.objects.create(photo=face.photo, step="renditions", status="done")
    step = PhotoStep.objects.create(photo=face.photo, step="faces", status="done")
    body = {"box": [0.5, 0.5, 0.7, 0.8], "person_id": asha.pk}
    drawn = send(client, "post", f"photos/{face.photo_id}/faces", body)
    assert (drawn["box"], drawn["person_id"], drawn["assigned_by"]) == (
        [0.5, 0.5, 0.7, 0.8],
        asha.pk,
        "person",
    )
    step.refresh_from_db()
    assert step.status == "pending"
    moved = send(client, "patch", f"faces/{drawn['face_id']}", {"box": [0.4, 0.5, 0.7, 0.8]})
    assert moved["box"] == [0.4, 0.5, 0.7, 0.8]
    flat = {"box": [0.5, 0.5, 0.5, 0.8]}
    assert send(client, "post", f"photos/{face.photo_id}/faces", flat, expect=400)["error"] == "invalid_box"


def test_questions_are_asked_and_answered(client: Client, asha: Person, album: Album) -> None:
    face = Face.objects.filter(person=asha).order_by("pk")[0]
    Face.objects.filter(pk=face.pk).update(person=None, assigned_by="")
    [question] = send(client, "get", "people/suggestions")["items"]
    assert (question["person_id"], question["face_id"]) == (asha.pk, face.pk)
    body = {"person_id": asha.pk, "face_id": face.pk, "answer": "yes"}
    send(client, "post", "people/suggestions/answer", body)
    assert send(client, "get", "people/suggestions")["items"] == []
    send(client, "post", "people/suggestions/answer", {**body, "answer": "perhaps"}, expect=422)


def test_a_plan_is_shown_and_applied_once(client: Client, asha: Person, album: Album) -> None:
    queued = send(client, "post", "people/recluster")
    path = f"people/recluster/{queued['job_id']}"
    assert send(client, "get", f"{path}/diff", expect=409)["error"] == "no_plan"
    Face.objects.filter(pk=Face.objects.order_by("pk")[0].pk).update(person=None, assigned_by="")
    plan = reclustering.plan_recluster(album.library.pk, album.version, THRESHOLD)
    Job.objects.filter(pk=queued["job_id"]).update(result=plan, status="finished")
    assert send(client, "get", f"{path}/diff")["summary"]["text"] == "1 face would join Asha"
    assert send(client, "post", f"{path}/apply")["entry"]["verb"] == "recluster"
    assert send(client, "post", f"{path}/apply", expect=409)["error"] == "plan_outdated"


def test_who_may_only_look_changes_nothing(
    client_of: ClientOf, bob: User, charlie: User, asha: Person, share_with: Any, library: Library
) -> None:
    share_with(bob, "viewer")
    face = Face.objects.order_by("pk")[0]
    entry = JournalEntry.objects.newest_first()[0]
    writes = [
        ("patch", f"persons/{asha.pk}", {"hidden": True}),
        ("delete", f"persons/{asha.pk}", None),
        ("post", f"persons/{asha.pk}/split", {"face_ids": [face.pk]}),
        ("post", f"faces/{face.pk}/confirm", None),
        ("post", f"faces/{face.pk}/reject", None),
        ("post", f"faces/{face.pk}/unassign", None),
        ("delete", f"faces/{face.pk}", None),
        ("post", "faces/assign", {"face_ids": [face.pk], "person_id": None}),
        ("post", f"photos/{face.photo_id}/faces", {"box": [0, 0, 1, 1]}),
        ("post", f"people/journal/{entry.pk}/undo", None),
        ("post", "people/suggestions/answer", {"person_id": asha.pk, "face_id": face.pk, "answer": "no"}),
    ]
    for user in (bob, charlie):
        for method, path, body in writes:
            send(client_of(user), method, path, body, expect=404)
    assert len(send(client_of(bob), "get", "people/journal")["items"]) == JournalEntry.objects.count()
    assert send(client_of(charlie), "get", "people/journal")["items"] == []

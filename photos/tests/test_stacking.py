"""Stacks that are found: in any order of arrival, by neighbourhood, and never against what people said."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from jobs import tasks
from photos import trash
from photos.models import Library, Photo, PhotoStep, Stack
from photos.stacks import editing, stacking
from photos.stacks.stacking import place
from photos.tests.pictures import exif, jpeg, taken
from photos.tests.shots import LOOK, shot, stacks

AddPhoto = Callable[..., Photo]
RAW_PAIR = [("raw", ["A.JPG", "A.NEF"])]


def test_a_pair_of_raw_and_picture_becomes_a_stack_whichever_comes_last(library: Library) -> None:
    raw = shot(library, "A.NEF")
    place([raw.pk])
    assert stacks() == []
    picture = shot(library, "A.JPG", 0.4)
    place([picture.pk])
    assert stacks() == RAW_PAIR


def test_doing_it_again_changes_nothing(library: Library) -> None:
    photos = [shot(library, "A.NEF"), shot(library, "A.JPG")]
    place([photo.pk for photo in photos])
    before = list(Photo.objects.order_by("pk").values("stack", "stack_position"))
    place([photos[0].pk])
    assert list(Photo.objects.order_by("pk").values("stack", "stack_position")) == before
    assert Stack.objects.count() == 1


def test_the_order_of_arrival_changes_nothing(library: Library) -> None:
    def folder(name: str) -> dict[str, Any]:
        return {"source_path": f"/a/{name}"}

    makers: list[Callable[[], Photo]] = [
        lambda: shot(library, "A.NEF", **folder("A.NEF")),
        lambda: shot(library, "A.JPG", size=1500, **folder("A.JPG")),
        lambda: shot(
            library, "A-edited.jpg", 900, **folder("A-edited.jpg"), camera_model="", taken_at_source="file"
        ),
        lambda: shot(library, "B.JPG", 1.5),
        lambda: shot(library, "C.JPG", 3),
        lambda: shot(library, "D.JPG", 10),
        lambda: shot(library, "E_BURST20190821145343231.JPG", 3000, perceptual_hash=1),
        lambda: shot(library, "F_BURST20190821145343231.JPG", 3001, perceptual_hash=2),
    ]
    expected = [
        ("burst", ["A-edited.jpg", "A.JPG", "A.NEF", "B.JPG", "C.JPG"]),
        ("burst", ["E_BURST20190821145343231.JPG", "F_BURST20190821145343231.JPG"]),
    ]
    chance = random.Random(1)
    for _ in range(8):
        chance.shuffle(makers)
        for make in makers:
            place([make().pk])
        found = [(kind, sorted(names)) for kind, names in stacks()]
        assert found == expected
        assert stacks()[0][1][0] == "A-edited.jpg"
        Photo.objects.all().delete()


def test_what_is_known_later_decides(library: Library) -> None:
    """The second hash comes after both were looked at."""
    one, two = shot(library, "A.JPG"), shot(library, "B.JPG", 1, perceptual_hash=None)
    place([one.pk, two.pk])
    assert stacks() == []
    Photo.objects.filter(pk=two.pk).update(perceptual_hash=LOOK)
    place([two.pk])
    assert stacks() == [("burst", ["A.JPG", "B.JPG"])]


def test_a_stack_whose_reason_is_gone_goes(library: Library) -> None:
    one, two = shot(library, "A.JPG"), shot(library, "B.JPG", 1)
    place([one.pk])
    Photo.objects.filter(pk=two.pk).update(perceptual_hash=~LOOK)
    place([two.pk])
    assert stacks() == []
    assert not Stack.objects.exists()


def test_a_burst_that_turns_out_to_be_a_time_lapse_is_taken_apart(library: Library) -> None:
    for second in range(0, 60):
        place([shot(library, f"{second}.JPG", second).pk])
    assert len(stacks()[0][1]) == 60
    for second in range(60, 63):
        place([shot(library, f"{second}.JPG", second).pk])
    assert stacks() == []


def test_a_long_time_lapse_costs_no_look_at_all_of_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [shot(library, f"{second}.JPG", second) for second in range(300)]
    near = stacking.Neighbourhood(library.pk, [photos[150].pk])
    assert set(near.found) == {photos[150].pk}
    assert near.files()[0].in_time_lapse


def test_pairs_within_a_time_lapse_are_still_found(library: Library) -> None:
    photos = [shot(library, f"{second}.{type}", second) for second in range(70) for type in ("NEF", "JPG")]
    place([photo.pk for photo in photos[:20]])
    place([photo.pk for photo in photos[20:]])
    assert {kind for kind, _ in stacks()} == {"raw"}
    assert len(stacks()) == 70


def test_videos_and_the_films_of_live_photos_are_not_stacked(library: Library) -> None:
    still = shot(library, "A.JPG")
    clip = shot(library, "A.NEF", still=still)
    video = shot(library, "A-edited.mov", media_type="video")
    place([still.pk, clip.pk, video.pk])
    assert stacks() == []


def test_photos_of_other_libraries_are_not_looked_at(library: Library) -> None:
    other = Library.objects.create(name="Other")
    place([shot(library, "A.NEF").pk, shot(other, "A.JPG").pk])
    assert stacks() == []


def test_what_a_person_took_apart_stays_so(library: Library, alice: Any) -> None:
    photos = [shot(library, f"{number}.JPG", number) for number in range(3)]
    place([photos[0].pk])
    editing.unstack(stack=Stack.objects.get(), actor=alice)
    place([photo.pk for photo in photos])
    assert stacks() == []
    place([shot(library, "late.JPG", 3).pk])
    assert stacks() == []


def test_what_a_person_stacked_stays_so(library: Library, alice: Any) -> None:
    photos = [shot(library, "A.NEF"), shot(library, "A.JPG"), shot(library, "Z.JPG", 5000)]
    editing.stack_photos(library=library, photo_ids=[photos[0].pk, photos[2].pk], actor=alice)
    place([photo.pk for photo in photos])
    assert stacks() == [("manual", ["A.NEF", "Z.JPG"])]


def test_a_photo_in_the_trash_keeps_its_place(library: Library, alice: Any) -> None:
    raw, picture = shot(library, "A.NEF"), shot(library, "A.JPG")
    place([raw.pk])
    Photo.objects.filter(pk=picture.pk).move_to_trash()
    place([raw.pk])
    assert stacks() == RAW_PAIR
    shown = Photo.objects.visible_to(alice).one_of_each_stack()
    assert list(shown) == [raw]
    Photo.objects.filter(pk=picture.pk).bring_back()
    assert list(shown.all()) == [picture]


def test_a_stack_goes_with_its_last_photo(library: Library, media: Any) -> None:
    raw, picture = shot(library, "A.NEF"), shot(library, "A.JPG")
    place([raw.pk])
    trash.purge(Photo.objects.get(pk=picture.pk))
    assert Stack.objects.exists()
    trash.purge(Photo.objects.get(pk=raw.pk))
    assert not Stack.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_photo_of_another_library(library: Library) -> None:
    stack = Stack.objects.create(library=Library.objects.create(name="Other"), kind="manual")
    photo = shot(library, "A.JPG")
    with pytest.raises(IntegrityError), transaction.atomic():
        Photo.objects.filter(pk=photo.pk).update(stack=stack)


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_two_photos_in_one_place(library: Library) -> None:
    stack = Stack.objects.create(library=library, kind="manual")
    shot(library, "A.JPG", stack=stack)
    with pytest.raises(IntegrityError):
        shot(library, "B.JPG", stack=stack)


def test_a_library_can_be_deleted_with_its_stacks(library: Library) -> None:
    place([shot(library, "A.NEF").pk, shot(library, "A.JPG").pk])
    library.delete()
    assert not Stack.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_library(library: Library) -> None:
    def queries() -> int:
        photo = shot(library, "Z.JPG", 90_000)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            place([photo.pk])
        photo.delete()
        return len(captured)

    before = queries()
    for number in range(30):
        shot(library, f"{number}.JPG", number * 600)
    assert queries() == before <= 7


def test_the_steps_make_the_stacks(add_photo: AddPhoto) -> None:
    def burst(second: int) -> bytes:
        block = exif(tags={0x0110: "Z6"}, details={0x9003: f"2024:05:01 12:00:0{second}"})
        return jpeg(320, 240, exif=block, seed=7, quality=90 - second)

    for second in range(3):
        add_photo(burst(second), name=f"{second}.jpg")
    add_photo(jpeg(exif=taken()), name="other.jpg")
    for step in ("renditions", "neighbours", "metadata"):
        tasks.drain(step)
    assert [kind for kind, _ in stacks()] == ["burst"]
    assert sorted(stacks()[0][1]) == ["0.jpg", "1.jpg", "2.jpg"]
    assert not PhotoStep.objects.filter(step="neighbours").exclude(status="done").exists()

"""Photos that look alike: found by an index, shown in groups, told apart by people."""

import random
from typing import Any

import pytest
from django.db import connection

from photos.look_alikes import resemblance
from photos.look_alikes.resemblance import find_look_alikes, groups, take_back, tell_apart
from photos.models import Library, LookAlike, Photo, Stack
from photos.tests.shots import LOOK, shot


def pairs() -> list[tuple[str, str, int]]:
    rows = LookAlike.objects.order_by("pk").values_list(
        "photo__original_name", "other__original_name", "distance"
    )
    return list(rows)


def test_photos_whose_hashes_are_near_look_alike(library: Library) -> None:
    one = shot(library, "one.jpg")
    near = shot(library, "near.jpg", perceptual_hash=LOOK ^ 0b111011, width=3000, height=2000)
    far = shot(library, "far.jpg", perceptual_hash=LOOK ^ 0xFF00)
    find_look_alikes([one.pk, near.pk, far.pk])
    assert pairs() == [("one.jpg", "near.jpg", 5)]


def test_the_sign_of_a_hash_makes_no_difference(library: Library) -> None:
    one, other = (shot(library, f"{value}.jpg", perceptual_hash=value) for value in (-1, (1 << 63) - 1))
    find_look_alikes([one.pk])
    assert [pair[2] for pair in pairs()] == [1]
    assert other.pk


def test_another_shape_flat_pictures_and_videos_look_like_nothing(library: Library) -> None:
    shot(library, "one.jpg")
    shot(library, "wide.jpg", width=6000, height=3000)
    shot(library, "video.mov", media_type="video")
    for name in ("white.png", "black.png"):
        shot(library, name, perceptual_hash=0)
    shot(Library.objects.create(name="Other"), "theirs.jpg")
    find_look_alikes(Photo.objects.values_list("pk", flat=True))
    assert pairs() == []


def test_whichever_comes_last_finds_the_other_and_nothing_is_kept_twice(library: Library) -> None:
    one = shot(library, "one.jpg", perceptual_hash=None)
    two = shot(library, "two.jpg")
    find_look_alikes([two.pk])
    Photo.objects.update(perceptual_hash=LOOK)
    for _ in range(2):
        find_look_alikes([one.pk])
        find_look_alikes([two.pk])
    assert pairs() == [("one.jpg", "two.jpg", 0)]


def test_a_thousand_pictures_of_one_look_are_not_half_a_million_pairs(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resemblance, "MOST_LINKS", 2)
    ids = [shot(library, f"{number}.jpg").pk for number in range(10)]
    find_look_alikes(ids)
    assert LookAlike.objects.count() <= 20
    [group], count = groups(LookAlike.objects.open(), limit=5)
    assert (sorted(group.ids), count) == (ids, 1)


def test_the_search_uses_the_index(library: Library) -> None:
    chance = random.Random(2)
    looks = [chance.getrandbits(64) - (1 << 63) for _ in range(1500)]
    photos = [shot(library, f"{look}.jpg", perceptual_hash=look) for look in looks]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE photos_photo")
    resemblance.use_index()
    assert "photo_look" in resemblance.near(photos[0].pk, library.pk, looks[0]).explain()


def test_groups_show_the_best_first(library: Library) -> None:
    small = shot(library, "small.jpg", width=600, height=400)
    large = shot(library, "large.jpg")
    find_look_alikes([small.pk])
    [group], _ = groups(LookAlike.objects.open(), limit=5)
    assert [photo.pk for photo in group.photos] == [large.pk, small.pk]
    assert group.best.reason == "most pixels"


def test_open_are_pairs_that_nobody_has_decided(library: Library, alice: Any) -> None:
    one, two, three = (shot(library, f"{number}.jpg") for number in range(3))
    find_look_alikes([one.pk, two.pk, three.pk])
    assert LookAlike.objects.open().count() == 3
    stack = Stack.objects.create(library=library, kind="manual")
    Photo.objects.filter(pk=one.pk).update(stack=stack, stack_position=0)
    assert LookAlike.objects.open().count() == 3
    Photo.objects.filter(pk=two.pk).update(stack=stack, stack_position=1)
    assert LookAlike.objects.open().count() == 2
    Photo.objects.filter(pk=three.pk).move_to_trash()
    assert LookAlike.objects.open().count() == 0


def test_what_was_told_apart_is_remembered(library: Library, alice: Any) -> None:
    photos = [
        shot(library, f"{number}.jpg", perceptual_hash=LOOK ^ look)
        for number, look in enumerate((0, 31, 992))
    ]
    ids = [photo.pk for photo in photos]
    find_look_alikes(ids)
    assert LookAlike.objects.count() == 2
    assert tell_apart(Photo.objects.filter(pk__in=ids), actor=alice) == 3
    find_look_alikes(ids)
    assert LookAlike.objects.open().count() == 0
    take_back(Photo.objects.filter(pk__in=ids))
    assert LookAlike.objects.open().count() == 2

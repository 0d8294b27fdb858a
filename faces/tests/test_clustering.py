"""Grouping faces: who comes together, who must not, and that the order does not matter."""

from dataclasses import replace

import numpy as np
import pytest

from faces.agglomeration import Floats, Ints
from faces.clustering import NOBODY, Faces, Settings, cluster, nearest_pairs

DIMENSIONS = 128


def looks_like(identity: Floats, similarity: float, count: int, seed: int) -> Floats:
    """Vectors of one person: any two have about the given cosine."""
    noise = np.random.default_rng(1000 + seed).normal(size=(count, len(identity)))
    noise -= np.outer(noise @ identity, identity)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(np.sqrt(similarity) * identity + np.sqrt(1 - similarity) * noise, dtype=np.float32)


def identities(count: int, seed: int = 1) -> Floats:
    """Orthogonal directions, so that two people have a cosine of about 0."""
    directions, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(DIMENSIONS, count)))
    return np.asarray(directions.T, dtype=np.float32)


def related(identity: Floats, other: Floats, cosine: float) -> Floats:
    return np.asarray(cosine * identity + np.sqrt(1 - cosine**2) * other, dtype=np.float32)


def make_faces(
    vectors: Floats,
    *,
    ids: Ints | None = None,
    photos: Ints | None = None,
    quality: Floats | None = None,
    confirmed: dict[int, int] | None = None,
    apart: list[tuple[int, int]] | None = None,
    rejected: list[tuple[int, int]] | None = None,
) -> Faces:
    """Faces 0, 1, 2 … of good quality, one on each photo, unless told otherwise."""
    count = len(vectors)
    people = np.full(count, NOBODY, dtype=np.int64)
    for row, person in (confirmed or {}).items():
        people[row] = person
    return Faces(
        ids=np.arange(count) if ids is None else ids,
        vectors=vectors.astype(np.float32),
        photos=np.arange(count) if photos is None else photos,
        quality=np.full(count, 0.9, dtype=np.float32) if quality is None else quality,
        confirmed=people,
        apart=apart or [],
        rejected=rejected or [],
    )


def grouped(faces: Faces, settings: Settings | None = None) -> list[tuple[int, ...]]:
    return [group.faces for group in cluster(faces, settings)]


def test_faces_of_one_person_come_together_and_strangers_stay_alone() -> None:
    one, two, stranger = identities(3)
    vectors = np.concatenate([looks_like(one, 0.6, 4, 1), looks_like(two, 0.6, 2, 2), stranger[None]])
    assert grouped(make_faces(vectors)) == [(0, 1, 2, 3), (4, 5)]


def test_a_library_without_faces_has_no_groups() -> None:
    assert cluster(make_faces(np.empty((0, DIMENSIONS), dtype=np.float32))) == []


def test_one_face_alone_is_no_group() -> None:
    assert cluster(make_faces(identities(1))) == []


def test_the_number_of_faces_that_makes_a_person_can_be_raised() -> None:
    one, two = identities(2)
    vectors = np.concatenate([looks_like(one, 0.6, 3, 1), looks_like(two, 0.6, 2, 2)])
    assert grouped(make_faces(vectors), Settings(min_group=3)) == [(0, 1, 2)]


def test_two_faces_of_one_photo_are_never_one_person() -> None:
    (one,) = identities(1)
    vectors = looks_like(one, 0.95, 4, 1)
    groups = grouped(make_faces(vectors, photos=np.array([7, 7, 8, 8])))
    assert sorted(len(group) for group in groups) == [2, 2]
    assert all(len({face // 2 for face in group}) == 2 for group in groups)


def test_a_photo_with_three_hundred_faces_of_a_look_joins_none_of_them() -> None:
    (one,) = identities(1)
    assert grouped(make_faces(looks_like(one, 0.9, 300, 1), photos=np.zeros(300, dtype=np.int64))) == []


def test_faces_told_apart_stay_apart() -> None:
    (one,) = identities(1)
    groups = grouped(make_faces(looks_like(one, 0.8, 6, 1), apart=[(0, 1)]))
    assert not any({0, 1} <= set(group) for group in groups)
    assert sorted(face for group in groups for face in group) == [0, 1, 2, 3, 4, 5]


def test_a_face_never_joins_a_person_it_was_told_not_to_be() -> None:
    (one,) = identities(1)
    faces = make_faces(looks_like(one, 0.8, 5, 1), confirmed={0: 70, 1: 70}, rejected=[(4, 70)])
    (group,) = cluster(faces)
    assert (group.person, group.faces) == (70, (0, 1, 2, 3))


def test_two_confirmed_people_never_merge_however_alike_they_are() -> None:
    (one,) = identities(1)
    faces = make_faces(looks_like(one, 0.9, 6, 1), confirmed={0: 70, 1: 70, 2: 80, 3: 80})
    groups = cluster(faces)
    assert [group.person for group in groups] == [70, 80]
    assert {0, 1} <= set(groups[0].faces)
    assert {2, 3} <= set(groups[1].faces)


def test_the_baby_and_the_adult_stay_one_person_and_each_draws_its_own_faces() -> None:
    baby, adult = identities(2)
    vectors = np.concatenate([looks_like(baby, 0.65, 4, 1), looks_like(adult, 0.65, 4, 2)])
    (group,) = cluster(make_faces(vectors, confirmed={0: 70, 4: 70}))
    assert (group.person, group.faces) == (70, tuple(range(8)))


def test_the_looks_of_a_person_do_not_bring_two_faces_of_one_photo_together() -> None:
    baby, adult = identities(2)
    vectors = np.concatenate([looks_like(baby, 0.65, 4, 1), looks_like(adult, 0.65, 4, 2)])
    photos = np.array([0, 1, 2, 9, 4, 5, 6, 9])
    (group,) = cluster(make_faces(vectors, photos=photos, confirmed={0: 70, 4: 70}))
    assert len({3, 7} & set(group.faces)) == 1


def test_a_collage_keeps_both_faces_that_were_confirmed() -> None:
    (one,) = identities(1)
    faces = make_faces(looks_like(one, 0.7, 3, 1), photos=np.array([5, 5, 6]), confirmed={0: 70, 1: 70})
    (group,) = cluster(faces)
    assert group.faces == (0, 1, 2)


def test_somebody_else_on_a_photo_of_a_confirmed_person_is_not_that_person() -> None:
    (one,) = identities(1)
    poor = np.array([0.1, 0.9, 0.9], dtype=np.float32)
    faces = make_faces(
        looks_like(one, 0.8, 3, 1), photos=np.array([5, 6, 5]), quality=poor, confirmed={0: 70, 1: 70}
    )
    assert [group.faces for group in cluster(faces)] == [(0, 1)]


def test_a_confirmed_face_keeps_its_person_even_when_it_is_useless() -> None:
    one, other = identities(2)
    vectors = np.concatenate([looks_like(one, 0.6, 2, 1), other[None]])
    quality = np.array([0.9, 0.9, 0.0], dtype=np.float32)
    groups = cluster(make_faces(vectors, quality=quality, confirmed={2: 70}))
    assert [(group.person, group.faces) for group in groups] == [(None, (0, 1)), (70, (2,))]


def test_a_poor_face_joins_a_group_but_never_starts_one() -> None:
    one, two = identities(2)
    vectors = np.concatenate([looks_like(one, 0.6, 4, 1), looks_like(two, 0.6, 2, 2)])
    quality = np.array([0.9, 0.9, 0.9, 0.2, 0.2, 0.2], dtype=np.float32)
    assert grouped(make_faces(vectors, quality=quality)) == [(0, 1, 2, 3)]


def test_a_bridge_face_joins_no_two_groups() -> None:
    one, two = identities(2)
    bridge = ((one + two) / np.sqrt(2))[None]
    vectors = np.concatenate([looks_like(one, 0.6, 5, 1), bridge, looks_like(two, 0.6, 5, 2)])
    similar = vectors @ vectors[5]
    assert (similar > Settings().threshold).all(), "the bridge is near to every face"
    groups = grouped(make_faces(vectors))
    assert [set(group) - {5} for group in groups] == [{0, 1, 2, 3, 4}, {6, 7, 8, 9, 10}]


def test_siblings_alike_on_average_stay_two_people() -> None:
    one, direction = identities(2)
    sibling = related(one, direction, 0.30 / 0.65)
    vectors = np.concatenate([looks_like(one, 0.65, 12, 1), looks_like(sibling, 0.65, 12, 2)])
    across = vectors[:12] @ vectors[12:].T
    assert across.mean() > Settings().lowest, "a single face would join"
    assert grouped(make_faces(vectors)) == [tuple(range(12)), tuple(range(12, 24))]


def test_a_burst_does_not_hide_the_other_photos_of_a_person() -> None:
    (one,) = identities(1)
    look, *others = looks_like(one, 0.6, 5, 1)
    burst = looks_like(look, 0.97, 40, 2)
    vectors = np.concatenate([burst, np.stack(others)])
    assert grouped(make_faces(vectors), Settings(neighbours=8)) == [tuple(range(44))]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_changes_nothing(seed: int) -> None:
    people = identities(20)
    vectors = np.concatenate([looks_like(person, 0.5, 6, n) for n, person in enumerate(people)])
    quality = np.random.default_rng(0).uniform(0.2, 1, len(vectors)).astype(np.float32)
    photos = np.random.default_rng(0).integers(0, 60, len(vectors))
    expected = grouped(make_faces(vectors, photos=photos, quality=quality))

    arrival = np.random.default_rng(seed).permutation(len(vectors))
    shuffled = make_faces(vectors[arrival], photos=photos[arrival], quality=quality[arrival])
    back = sorted(tuple(sorted(int(arrival[face]) for face in group)) for group in grouped(shuffled))
    assert back == expected


def test_neighbours_found_by_an_index_give_the_same_groups() -> None:
    people = identities(10)
    vectors = np.concatenate([looks_like(person, 0.6, 5, n) for n, person in enumerate(people)])
    ids = np.arange(100, 150)[::-1].copy()
    faces = make_faces(vectors, ids=ids)
    pairs = ids[nearest_pairs(vectors, 5, at_least=0.0)]
    foreign = np.array([[1, 100], [7, 8]])  # the index may know faces this run does not look at
    assert cluster(faces, pairs=np.concatenate([pairs, foreign])) == cluster(faces)


def test_nearest_pairs_name_each_pair_once_and_only_near_ones() -> None:
    one, two = identities(2)
    vectors = np.concatenate([looks_like(one, 0.6, 3, 1), two[None]])
    assert nearest_pairs(vectors, 3, at_least=0.3).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_somebody_who_looks_different_over_the_years_stays_one_person() -> None:
    """Two looks whose faces have a mean cosine of 0.38, less than two single faces need."""
    one, direction = identities(2)
    later = related(one, direction, 0.38 / 0.58)
    vectors = np.concatenate([looks_like(one, 0.58, 12, 1), looks_like(later, 0.58, 12, 2)])
    assert [len(group.faces) for group in cluster(make_faces(vectors))] == [24]


def test_large_groups_need_more_than_two_faces_and_a_face_needs_less_for_a_large_group() -> None:
    settings = Settings()
    assert settings.required(1, 1) == pytest.approx(0.40)
    assert settings.required(1, 1000) == pytest.approx(0.30, abs=0.001)
    assert settings.required(1000, 1000) == pytest.approx(0.35, abs=0.001)
    assert settings.required_of_face(0.1, 10) > settings.required_of_face(0.9, 10)


def test_a_firm_group_grows_but_is_not_taken_apart_for_a_new_face() -> None:
    one, two = identities(2)
    vectors = np.concatenate([looks_like(one, 0.6, 5, 1), looks_like(two, 0.6, 5, 2)])
    firm = np.array([1] * 4 + [NOBODY] + [2] * 4 + [NOBODY])
    faces = replace(make_faces(vectors), together=firm)
    assert grouped(faces) == [tuple(range(5)), tuple(range(5, 10))]


def test_two_firm_groups_of_one_person_become_one() -> None:
    (one,) = identities(1)
    faces = replace(make_faces(looks_like(one, 0.6, 16, 1)), together=np.array([1] * 8 + [2] * 8))
    assert grouped(faces) == [tuple(range(16))]


def test_a_group_with_two_faces_of_one_photo_is_not_firm() -> None:
    (one,) = identities(1)
    photos = np.array([0, 0, 2, 3, 4, 5])
    faces = replace(make_faces(looks_like(one, 0.8, 6, 1), photos=photos), together=np.full(6, 1))
    assert not any({0, 1} <= set(group) for group in grouped(faces))


def test_hundreds_of_people_are_told_apart() -> None:
    generator = np.random.default_rng(5)
    directions = generator.normal(size=(400, 512))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    truth = np.repeat(np.arange(400), 6)
    vectors = np.concatenate([looks_like(one, 0.6, 6, n) for n, one in enumerate(directions)])
    groups = cluster(make_faces(vectors))
    assert all(len({int(truth[face]) for face in group.faces}) == 1 for group in groups)
    assert sum(len(group.faces) for group in groups) > 0.99 * len(truth)
    assert len(groups) == 400

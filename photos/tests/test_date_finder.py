import time
from datetime import UTC, datetime, timedelta

import pytest

from photos.dates.date_finder import Shot, find, in_words

START = datetime(2024, 7, 1, 12)
PARIS = "Europe/Paris"
CAMERA, PHONE = "Chitra Pinhole 1", "Chitra Phone"


def camera(pk: int, wall: datetime, **facts: object) -> Shot:
    return Shot(pk=pk, wall=wall, source="exif_original", device=CAMERA, **facts)  # type: ignore[arg-type]


def gps(wall: datetime, *, ahead: timedelta) -> datetime:
    """What the receiver shows in Paris when the camera's clock shows `wall` and is ahead of it."""
    return (wall - ahead - timedelta(hours=2)).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "ahead", [timedelta(hours=1), timedelta(minutes=-7), timedelta(days=366), timedelta(days=-3650)]
)
def test_a_clock_that_differs_from_gps_is_corrected_with_the_photos_in_between(ahead: timedelta) -> None:
    walls = [START + timedelta(minutes=10 * n) for n in range(5)]
    shots = [
        camera(n, wall, zone=PARIS, gps_at=None if n == 2 else gps(wall, ahead=ahead))
        for n, wall in enumerate(walls)
    ]
    [proposal] = find(shots)
    assert proposal.kind == "gps"
    assert [move.after for move in proposal.moves] == [wall - ahead for wall in walls]


def test_a_fix_two_minutes_old_and_a_receiver_that_lost_weeks_are_no_fault() -> None:
    late = camera(1, START, zone=PARIS, gps_at=gps(START, ahead=timedelta(minutes=2)))
    lost = camera(2, START, zone=PARIS, gps_at=gps(START, ahead=timedelta(weeks=1024)))
    assert find([late, lost]) == []


def test_faults_that_change_with_every_photo_take_no_time_with_the_square_of_them() -> None:
    walls = [START + timedelta(minutes=n) for n in range(20_000)]
    shots = [
        camera(n, wall, zone=PARIS, gps_at=gps(wall, ahead=timedelta(hours=1 + n % 2)))
        for n, wall in enumerate(walls)
    ]
    started = time.process_time()
    assert len(find(shots)) == 20_000
    assert time.process_time() - started < 10


def test_a_clock_put_right_on_the_way_leaves_the_later_photos_alone() -> None:
    walls = [START + timedelta(minutes=n) for n in range(3)]
    wrong = [
        camera(n, wall, zone=PARIS, gps_at=gps(wall, ahead=timedelta(hours=3)))
        for n, wall in enumerate(walls)
    ]
    right_wall = START + timedelta(hours=5)
    right = camera(9, right_wall, zone=PARIS, gps_at=gps(right_wall, ahead=timedelta()))
    [proposal] = find([*wrong, right])
    assert {move.pk for move in proposal.moves} == {0, 1, 2}


def party(*, ahead: timedelta, count: int = 8) -> list[Shot]:
    """A camera and a phone at the same party; the camera's clock is ahead."""
    times = [START + timedelta(minutes=25 * n) for n in range(count)]
    phones = [
        Shot(pk=100 + n, wall=time, source="exif_original", device=PHONE, offset_minutes=120, is_trusted=True)
        for n, time in enumerate(times)
    ]
    cameras = [camera(n, time + timedelta(minutes=2) + ahead) for n, time in enumerate(times)]
    return [*phones, *cameras]


@pytest.mark.parametrize("hours", [24, -24, -6, 365 * 24])
def test_a_camera_among_phones_is_moved_to_the_same_events(hours: int) -> None:
    ahead = timedelta(hours=hours)
    [proposal] = find(party(ahead=ahead))
    assert proposal.kind == "neighbours"
    assert all(move.after - move.before == -ahead for move in proposal.moves)


def test_films_that_show_the_wall_clock_where_utc_is_due_are_moved_too() -> None:
    ahead = timedelta(hours=-6)
    shots = [shot._replace(source="video") if shot.device == CAMERA else shot for shot in party(ahead=ahead)]
    [proposal] = find(shots)
    assert all(move.after - move.before == -ahead for move in proposal.moves)


def test_a_camera_that_agrees_with_the_phones_or_has_too_few_photos_is_left_alone() -> None:
    assert find(party(ahead=timedelta())) == []
    assert find(party(ahead=timedelta(hours=24), count=5)) == []


def test_a_clock_never_set_takes_the_time_of_name_or_file() -> None:
    unset = datetime(2000, 1, 1, 0, 3)
    named = camera(1, unset, name="20240701_120000.jpg")
    filed = camera(2, unset, file_at=START.replace(tzinfo=UTC), zone=PARIS)
    unknown = camera(3, unset)
    [proposal] = find([named, filed, unknown])
    assert proposal.kind == "unset"
    assert {move.pk: move.after for move in proposal.moves} == {1: START, 2: START + timedelta(hours=2)}


def test_a_name_with_another_day_is_believed_when_it_tells_the_time_or_is_older() -> None:
    later = START + timedelta(days=40)
    exact = camera(1, later, name="IMG_20240701_120000.jpg")
    older = camera(2, later, name="IMG-20240701-WA0001.jpg")
    sent_later = camera(3, START, name="IMG-20240801-WA0001.jpg")
    other_zone = camera(4, START + timedelta(hours=14), name="IMG_20240701_120000.jpg")
    [proposal] = find([exact, older, sent_later, other_zone])
    assert proposal.kind == "name"
    assert {move.pk: move.after for move in proposal.moves} == {1: START, 2: datetime(2024, 7, 1)}


def test_the_key_changes_with_the_photos_and_times() -> None:
    first, second = find(party(ahead=timedelta(days=1))), find(party(ahead=timedelta(days=1), count=9))
    assert first[0].key == find(party(ahead=timedelta(days=1)))[0].key != second[0].key


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(days=1, hours=2), "1 day 2 h fast"),
        (timedelta(minutes=-3), "3 min slow"),
        (timedelta(days=366), "366 days fast"),
        (timedelta(), "0 s slow"),
    ],
)
def test_a_fault_is_said_in_words(ahead: timedelta, words: str) -> None:
    assert in_words(ahead) == words

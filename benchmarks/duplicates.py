"""Look-alikes and stacks in a large library, beside comparing one with all or all with all.

    .venv/bin/python -m benchmarks.duplicates --photos 1000000

The library is rows without files, in a PostgreSQL of the benchmark's own; every tenth photo is a near copy of
another, every tenth one of a burst.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from benchmarks.stage import insert_like, interleaved, own_chitra, print_table, resident_megabytes

SAMPLES = 200
PAIRED = 50_000
ROWS_AT_ONCE = 50_000
FIRST = datetime(2000, 1, 1, tzinfo=UTC)


def looks(count: int) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    """Random hashes; each tenth is up to three bits from the one before it."""
    chance = np.random.default_rng(5)
    values = chance.integers(1, 2**64, count, dtype=np.uint64)
    copies = np.arange(9, count, 10)
    values[copies] = values[copies - 1]
    for _ in range(3):
        values[copies] ^= np.uint64(1) << chance.integers(0, 64, copies.size).astype(np.uint64)
    return values


def fill(values: "np.ndarray[Any, np.dtype[np.uint64]]") -> Any:
    """A user whose library has a photo of each hash, ten minutes apart, each tenth a second after another."""
    from chitra.accounts.models import User
    from photos.models import Library, Photo

    user = User.objects.create_user("alice@example.org", "not-used-to-log-in")
    photo = Photo(
        library=Library.objects.home_of(user),
        size=3_000_000,
        mime_type="image/jpeg",
        width=4000,
        height=3000,
        has_renditions=True,
        taken_at_source="exif_original",
        camera_make="Canon",
        camera_model="Canon EOS 80D",
        taken_at=FIRST,
    )
    with indexes_made_last(Photo._meta.db_table):
        for start in range(0, len(values), ROWS_AT_ONCE):
            insert_photos(photo, start, values[start : start + ROWS_AT_ONCE])
    analyze()
    return user


def analyze() -> None:
    """What PostgreSQL does by itself, a minute later."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def insert_photos(photo: Any, start: int, values: "np.ndarray[Any, np.dtype[np.uint64]]") -> None:
    number = f"({start} + n)"
    in_burst = f"(mod({number}, 10) = 9)::integer"
    hashes = ",".join(map(str, values.view(np.int64).tolist()))
    insert_like(
        photo,
        len(values),
        original_name=f"concat('IMG_', {number}, '.jpg')",
        original_key=f"concat('rows/', {number})",
        checksum=f"lpad({number}::text, 64, '0')",
        sha1=f"lpad({number}::text, 40, '0')",
        uuid="gen_random_uuid()",
        size=f"3000000 + mod({number}, 1000)",
        perceptual_hash=f"('{{{hashes}}}'::bigint[])[n + 1]",
        taken_at=f"'{FIRST}'::timestamptz + interval '10 minutes' * ({number} - {in_burst})"
        f" + interval '1 second' * {in_burst}",
    )


@contextmanager
def indexes_made_last(table: str) -> Iterator[None]:
    """Without the table's indexes while it is filled, but for those of constraints."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint)",
            [table],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in found:
            cursor.execute(definition)


def measure_rows(count: int, user: Any, values: "np.ndarray[Any, np.dtype[np.uint64]]") -> list[list[str]]:
    """What each new photo costs, and the pages."""
    from django.db import transaction

    from photos.look_alikes import resemblance
    from photos.models import LookAlike, Photo
    from photos.stacks import stacking
    from photos.timeline import months, timeline_page
    from photos.views.photos import in_timeline

    chosen: Any = Photo.objects.order_by("pk").values_list("pk", "library_id", "perceptual_hash")
    step = max(1, count // SAMPLES)
    first = chosen[0][0]
    rows = list(chosen.filter(pk__in=range(first + 9, first + count, step))[:SAMPLES])
    usual = [row[0] for row in rows]

    def by_index(number: int) -> None:
        pk, library_id, value = rows[number % len(rows)]
        list(resemblance.near(pk, library_id, value).values_list("pk", "bits"))

    def by_reading(number: int) -> None:
        hashes = Photo.objects.filter(library=rows[0][1]).values_list("perceptual_hash", flat=True)
        everything = np.fromiter(hashes.iterator(chunk_size=ROWS_AT_ONCE), np.int64).view(np.uint64)
        look = np.uint64(rows[number][2] % 2**64)
        np.nonzero(np.bitwise_count(everything ^ look) <= resemblance.NEAR_BITS)

    with transaction.atomic():
        resemblance.use_index()
        seconds = interleaved({"index": by_index, "all": by_reading}, 9)
    lines = [
        line(
            "look-alikes of one photo",
            seconds["index"],
            "all hashes read and compared (numpy)",
            seconds["all"],
        )
    ]
    lines.append(line("step “neighbours”, a photo", timed(lambda: find(usual)) / len(usual)))
    stacking.place(chosen.values_list("pk", flat=True)[8:1008])
    unstacked = Photo.objects.visible_to(user).without_clips().filter(is_archived=False)
    calls: dict[str, Callable[[Any], object]] = {
        "timeline, a page": timeline_page,
        "timeline, months": months,
    }
    for title, call in calls.items():
        sides = {"stacks": partial(call, in_timeline(user)), "plain": partial(call, unstacked)}
        both = interleaved({name: ignoring(side) for name, side in sides.items()}, 9)
        lines.append(line(title, both["stacks"], "without stacks", both["plain"]))
    pairs = LookAlike.objects.editable_by(user).open()
    lines.append(line("duplicates, a page", timed(lambda: resemblance.groups(pairs, limit=20))))
    return lines


def ignoring(call: Callable[[], object]) -> Callable[[int], object]:
    """For rounds that are all alike."""
    return lambda number: call()


def find(photo_ids: list[int]) -> None:
    from photos.steps import meet_neighbours

    for start in range(0, len(photo_ids), 32):
        meet_neighbours(photo_ids[start : start + 32])


def measure_groups(values: "np.ndarray[Any, np.dtype[np.uint64]]") -> list[list[str]]:
    """All groups of a library, as the API's list of duplicates wants them."""
    from photos.look_alikes.duplicates import by_bands, by_comparing

    few = values[:PAIRED]
    lines = []
    for bits in (6, 8):
        sides = {"bands": partial(by_bands, few, bits), "all": partial(by_comparing, few, bits)}
        both = interleaved({name: ignoring(side) for name, side in sides.items()}, 1)
        title = f"groups of {len(few):,}, {bits} bits"
        lines.append(line(title, both["bands"], "all with all (numpy)", both["all"]))
    before = resident_megabytes()
    lines.append(line(f"groups of {len(values):,}, 6 bits", timed(lambda: by_bands(values, 6))))
    lines[-1][2] = f"memory + {resident_megabytes() - before:.0f} MB"
    return lines


def line(title: str, seconds: float, beside: str = "", other: float | None = None) -> list[str]:
    ratio = f"{seconds / other:.3g}" if other else ""
    return [title, milliseconds(seconds), beside, milliseconds(other) if other else "", ratio]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms"


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=1_000_000)
    count = parser.parse_args().photos
    values = looks(count)
    with own_chitra():
        user = fill(values)
        rows = measure_rows(count, user, values)
    print_table(
        f"{count:,} photos", ["What", "Chitra", "Beside", "", "Ratio"], [*rows, *measure_groups(values)]
    )


if __name__ == "__main__":
    main()

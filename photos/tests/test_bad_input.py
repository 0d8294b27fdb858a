"""Whatever comes in ends as renditions or with a reason: in time, in bounded memory, and never with a crash.

`make fuzz-media` mutates the samples for FUZZ_SECONDS (60) in the child process that decodes them.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from photos.formats.filetypes import HEAD_BYTES, describe_stranger, sniff
from photos.formats.imaging import UndecodableImage
from photos.formats.isolation import Isolation
from photos.formats.rendering import make_renditions
from photos.metadata.reading import read_metadata
from photos.tests.pictures import truncated
from photos.tests.samples import Sample, real_files, samples

CHANGE = st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8))
MEMORY_BYTES = 1536 << 20
SECONDS = 30
REAL = Path(os.environ.get("TEST_PHOTOS", "../shared/photos/exif"))
ALL = {sample.name: sample for sample in samples()}
MUTATED = [name for name, sample in ALL.items() if sample.is_good and "frames" not in name]


@pytest.fixture(scope="module")
def child() -> Iterator[Isolation]:
    made = Isolation(memory_bytes=MEMORY_BYTES)
    yield made
    made.close()


def outcome(child: Isolation, path: Path) -> str:
    """ "shown", or the reason. A crash, a hang or too much memory is none and rises."""
    with suppress(UndecodableImage):
        child.call(read_metadata, SECONDS, path)
    try:
        made = child.call(make_renditions, SECONDS, path, max_pixels=100_000_000)
    except UndecodableImage as error:
        return str(error)
    return "shown" if made.width else ""


@pytest.mark.parametrize("sample", ALL.values(), ids=ALL)
def test_each_sample_ends_as_it_should(child: Isolation, tmp_path: Path, sample: Sample) -> None:
    path = tmp_path / "file.jpg"
    path.write_bytes(sample.make())
    assert (outcome(child, path) == "shown") == sample.is_good


@pytest.mark.parametrize("name", ["PDF named .jpg", "SVG named .jpg", "HTML named .jpg", "ZIP named .jpg"])
def test_what_is_no_picture_is_refused_with_its_name(name: str) -> None:
    head = ALL[name].make()[:HEAD_BYTES]
    assert sniff(head) is None
    assert describe_stranger(head)


@pytest.mark.parametrize("name", MUTATED)
def test_every_format_cut_at_every_tenth_ends_well(child: Isolation, tmp_path: Path, name: str) -> None:
    data = ALL[name].make()
    path = tmp_path / "file"
    for tenths in range(10):
        path.write_bytes(truncated(data, tenths / 10))
        assert outcome(child, path)


@pytest.mark.parametrize("name", MUTATED)
def test_every_format_with_zeros_in_the_middle_ends_well(child: Isolation, tmp_path: Path, name: str) -> None:
    data = ALL[name].make()
    third = len(data) // 3
    path = tmp_path / "file"
    path.write_bytes(data[:third] + bytes(third) + data[2 * third :])
    assert outcome(child, path)


@pytest.mark.skipif(not (REAL / "jpg/invalid").is_dir(), reason="the collection of real files is not here")
def test_broken_files_of_real_cameras_end_well(child: Isolation) -> None:
    for path in real_files(REAL / "jpg/invalid"):
        assert outcome(child, path)


@pytest.mark.slow
def test_mutated_files_never_crash_hang_or_eat_memory(child: Isolation, tmp_path: Path) -> None:
    deadline = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "60"))
    seeds = {name: ALL[name].make() for name in MUTATED}
    if REAL.is_dir():
        seeds |= {str(path): path.read_bytes() for path in real_files(REAL) if path.stat().st_size < 500_000}
    tried = 0

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        name=st.sampled_from(sorted(seeds)),
        places=st.lists(
            st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=20
        ),
        keep=st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.5, 0.1]),
    )
    def mutate(name: str, places: list[tuple[float, bytes]], keep: float) -> None:
        nonlocal tried
        data = bytearray(truncated(seeds[name], keep))
        for place, change in places:
            # The cube draws changes towards the start, where headers are.
            at = int(place**3 * len(data))
            data[at : at + len(change)] = change
        path = tmp_path / "mutated"
        path.write_bytes(data)
        assert outcome(child, path)
        tried += 1

    while time.monotonic() < deadline:
        mutate()
    assert tried > 20

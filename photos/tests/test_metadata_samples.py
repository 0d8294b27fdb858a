"""The cases of docs/formats.md are read as it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from photos.dates.capture_time import decide
from photos.metadata.reading import read_metadata
from photos.tests.metadata_samples import MetadataSample, metadata_samples, time_in_words

SAMPLES = {sample.name: sample for sample in metadata_samples()}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_each_case_is_read_as_it_should(tmp_path: Path, sample: MetadataSample) -> None:
    path = tmp_path / "file"
    path.write_bytes(sample.make())
    found = read_metadata(path, sidecar=sample.sidecar)
    assert time_in_words(decide(found.time, sample.around)) == sample.says
    for name, value in sample.texts.items():
        read = getattr(found, name)
        assert read == (pytest.approx(value) if isinstance(value, float) else value)


def test_zeros_are_no_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(SAMPLES["Zeros instead of a place"].make())
    found = read_metadata(path)
    assert replace(found, camera_make="").latitude is None

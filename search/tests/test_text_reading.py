"""Reading, by the real networks."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photos.tests.pictures import picture
from search import text_reading
from search.tests.written import pixels, written
from search.text_reading import TextModelError, TextReader

RECEIPT = ("Corner Bakery", "Two croissants 5.80", "TOTAL 5.80")


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return text_reading.load(threads=2)


def read(reader: TextReader, image: Any) -> list[str]:
    return [line.text for line in reader.read(pixels(image))]


def test_lines_are_read_from_above_to_below(reader: TextReader) -> None:
    assert read(reader, written(*RECEIPT)) == list(RECEIPT)


def test_small_letters_on_a_colourful_photo_are_read(reader: TextReader) -> None:
    image = written("Platform 9", width=1600, height=1200, size=26, photo=True)
    assert read(reader, image) == ["Platform 9"]


@pytest.mark.parametrize("turned", [90, 180, 270, 12])
def test_turned_text_is_read(reader: TextReader, turned: int) -> None:
    assert set(read(reader, written(*RECEIPT, turned=turned))) == set(RECEIPT)


def test_a_box_is_where_the_line_is(reader: TextReader) -> None:
    (line,) = reader.read(pixels(written("Departure", size=60)))
    x1, y1, x2, y2 = line.box
    assert 0.07 < x1 < 0.11
    assert 0.09 < y1 < 0.13
    assert 0.3 < x2 < 0.4
    assert 0.15 < y2 < 0.21
    assert line.score > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_no_text_is_seen_where_there_is_none(reader: TextReader, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    assert reader.read(noise) == []
    assert read(reader, picture(800, 600, seed=seed)) == []


@pytest.mark.parametrize("size", [(1, 1), (1600, 3), (3, 1600), (33, 700)])
def test_pictures_of_odd_sizes_are_looked_at(reader: TextReader, size: tuple[int, int]) -> None:
    assert read(reader, picture(*size, color=(200, 200, 200))) == []


def test_another_array_is_refused(reader: TextReader) -> None:
    with pytest.raises(ValueError, match="uint8"):
        reader.read(np.zeros((10, 10), dtype=np.uint8))


def test_networks_that_are_not_there_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TextModelError, match="Install rapidocr anew"):
        TextReader(tmp_path, 1)
    (tmp_path / text_reading.DETECTOR).write_bytes(b"nonsense")
    with pytest.raises(TextModelError, match=r"PP-OCRv6_det_small[.]onnx is not"):
        TextReader(tmp_path, 1)


def test_nothing_is_fetched_from_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("a network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    reader = TextReader(text_reading.models_folder(), 2)
    assert read(reader, written("Departure")) == ["Departure"]

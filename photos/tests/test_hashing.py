import hashlib
import io
from pathlib import Path

import numpy as np
import pytest

from photos.hashing import HashingReader, TooLarge, hamming_distance, hash_file, perceptual_hash

DATA = bytes(range(256)) * 10_000


def test_reading_through_hashes_what_was_read() -> None:
    reader = HashingReader(io.BytesIO(DATA))
    pieces = list(iter(lambda: reader.read(65_536), b""))
    assert b"".join(pieces) == DATA
    assert reader.sha256 == hashlib.sha256(DATA).hexdigest()
    assert reader.sha1 == hashlib.sha1(DATA).hexdigest()
    assert reader.size == len(DATA)


def test_a_head_read_before_comes_out_first() -> None:
    source = io.BytesIO(DATA)
    reader = HashingReader(source, head=source.read(4096))
    assert reader.read(10) + reader.read() == DATA
    assert reader.digest.sha256 == hashlib.sha256(DATA).hexdigest()


def test_it_reads_like_any_binary_stream() -> None:
    reader = io.BufferedReader(HashingReader(io.BytesIO(DATA)))
    assert reader.read(5) == DATA[:5]
    assert reader.read() == DATA[5:]


def test_the_read_that_passes_the_limit_says_so() -> None:
    reader = HashingReader(io.BytesIO(DATA), max_bytes=100)
    assert len(reader.read(100)) == 100
    with pytest.raises(TooLarge, match="100 bytes") as caught:
        reader.read(1)
    assert caught.value.limit == 100


def test_a_file_of_exactly_the_limit_passes() -> None:
    assert HashingReader(io.BytesIO(DATA), max_bytes=len(DATA)).read() == DATA


def test_an_endless_stream_stops_at_the_limit() -> None:
    with Path("/dev/zero").open("rb") as endless, pytest.raises(TooLarge):
        HashingReader(endless, max_bytes=5_000_000).read()


def test_a_file_hashes_like_the_stream_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(DATA)
    reader = HashingReader(io.BytesIO(DATA))
    reader.read()
    assert hash_file(path) == reader.digest


def test_an_empty_file_has_the_hash_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert hash_file(path).sha256 == hashlib.sha256().hexdigest()
    assert hash_file(path).size == 0


def test_the_perceptual_hash_is_the_one_of_imagehash() -> None:
    # The numbers are what ImageHash 4.3's phash makes of these pixels.
    rows, columns = np.mgrid[0:32, 0:32]
    assert perceptual_hash(((rows * 7 + columns**2) % 256).astype(np.uint8)) == 0x81063C217EF55776
    assert perceptual_hash(((rows**2 * 3 + columns * 11) % 251).astype(np.uint8)) == 0xCE0B0B5E1B1B1E1B


def test_an_even_area_hashes_to_its_brightness_alone() -> None:
    for level in (1, 77, 100, 255):
        assert perceptual_hash(np.full((32, 32), level, np.uint8)) == 1 << 63


def test_only_32_by_32_pixels_make_a_perceptual_hash() -> None:
    with pytest.raises(ValueError, match="32x32"):
        perceptual_hash(np.zeros((8, 8), np.uint8))


def test_the_distance_counts_differing_bits() -> None:
    assert hamming_distance(0, 0) == 0
    assert hamming_distance(0b1011, 0b0001) == 2
    assert hamming_distance(0, 2**64 - 1) == 64

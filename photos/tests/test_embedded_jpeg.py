"""JPEGs inside other files: their size and where they are."""

from photos.formats.embedded_jpeg import jpeg_size
from photos.tests.pictures import jpeg


def test_the_size_of_a_jpeg_is_in_its_frame_header() -> None:
    assert jpeg_size(jpeg(321, 123)) == (321, 123)
    assert jpeg_size(bytes(10) + jpeg(321, 123), 10) == (321, 123)


def test_what_is_no_jpeg_has_no_size() -> None:
    assert jpeg_size(b"\xff\xd8") == (0, 0)
    assert jpeg_size(b"\xff\xd8" + bytes(50)) == (0, 0)
    assert jpeg_size(jpeg(321, 123)[:60]) == (0, 0)

import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photos.formats.imaging import (
    PREVIEW_PIXELS,
    THUMBNAIL_PIXELS,
    TooManyPixels,
    UndecodableImage,
    crop_square,
    decode_rgb,
    libvips,
)
from photos.formats.rendering import Renditions, make_renditions
from photos.hashing import hamming_distance
from photos.tests import pictures

MAX_PIXELS = 100_000_000
BROWN = (200, 100, 50)
Make = Callable[..., bytes]
Render = Callable[..., Renditions]

MAKERS: list[Make] = [
    pictures.jpeg,
    pictures.png,
    pictures.webp,
    pictures.avif,
    pictures.heic,
    pictures.tiff,
    pictures.gif,
    pictures.bmp,
]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    def render(data: bytes, *, max_pixels: int = MAX_PIXELS, name: str = "original") -> Renditions:
        path = tmp_path / name
        path.write_bytes(data)
        return make_renditions(path, max_pixels=max_pixels)

    return render


def corner_colors(rgb: np.ndarray[Any, Any]) -> list[tuple[int, ...]]:
    """Top left, top right, bottom left, bottom right, each a quarter of the way in."""
    height, width = rgb.shape[:2]
    places = [(height // 4, width // 4), (height // 4, width * 3 // 4)]
    places += [(height * 3 // 4, width // 4), (height * 3 // 4, width * 3 // 4)]
    return [tuple(int(value) for value in rgb[place]) for place in places]


def assert_close(color: tuple[int, ...], expected: tuple[int, ...], tolerance: int = 6) -> None:
    assert max(abs(a - b) for a, b in zip(color, expected, strict=True)) <= tolerance, (color, expected)


def size_of(webp: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(webp)) as image:
        assert image.format == "WEBP"
        return image.size


@pytest.mark.parametrize("make", MAKERS)
def test_every_kind_of_picture_is_shown_in_its_colors(render: Render, make: Make) -> None:
    made = render(make(300, 200, BROWN))
    assert (made.width, made.height, made.orientation) == (300, 200, 1)
    for color in corner_colors(decode_rgb(made.preview)):
        assert_close(color, BROWN)


def test_a_preview_and_a_thumbnail_fit_their_sizes(render: Render) -> None:
    made = render(pictures.jpeg(2400, 1200))
    assert size_of(made.preview) == (PREVIEW_PIXELS, PREVIEW_PIXELS // 2)
    assert size_of(made.thumbnail) == (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS // 2)


def test_a_tall_picture_fits_by_its_height(render: Render) -> None:
    assert size_of(render(pictures.jpeg(500, 2000)).preview) == (400, PREVIEW_PIXELS)


def test_nothing_is_enlarged(render: Render) -> None:
    made = render(pictures.jpeg(100, 50))
    assert size_of(made.preview) == size_of(made.thumbnail) == (100, 50)


def test_a_single_pixel_and_a_thread_are_pictures(render: Render) -> None:
    assert size_of(render(pictures.png(1, 1)).preview) == (1, 1)
    assert size_of(render(pictures.jpeg(20_000, 3)).preview) == (1600, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(render: Render, orientation: int) -> None:
    made = render(pictures.turned_jpeg(orientation, 320, 200))
    assert (made.width, made.height, made.orientation) == (320, 200, orientation)
    for webp in (made.preview, made.thumbnail):
        for color, expected in zip(corner_colors(decode_rgb(webp)), pictures.UPRIGHT_CORNERS, strict=True):
            assert_close(color, expected, 12)


@pytest.mark.parametrize("make", [pictures.png, pictures.webp, pictures.tiff])
def test_orientation_counts_in_other_containers_too(render: Render, make: Make) -> None:
    made = render(make(300, 200, exif=pictures.exif(tags={0x0112: 6})))
    assert (made.width, made.height, made.orientation) == (200, 300, 6)
    assert size_of(made.preview) == (200, 300)


@pytest.mark.parametrize("make", [pictures.heic, pictures.avif])
def test_a_container_that_turns_its_picture_is_not_turned_twice(render: Render, make: Make) -> None:
    # Both writers move the EXIF orientation into the container, where the decoder finds it.
    made = render(make(300, 200, exif=pictures.exif(tags={0x0112: 6})))
    assert (made.width, made.height, made.orientation) == (200, 300, 1)
    assert size_of(made.preview) == (200, 300)


def test_renditions_carry_no_metadata(render: Render) -> None:
    made = render(pictures.jpeg(900, 600, exif=pictures.taken(place=(48.1, 11.5))))
    for webp in (made.preview, made.thumbnail):
        with Image.open(io.BytesIO(webp)) as image:
            assert not image.getexif()
        assert b"EXIF" not in webp


def test_transparent_is_white(render: Render) -> None:
    image = pictures.quadrants(64, 64).convert("RGBA")
    image.putalpha(0)
    for format in ("PNG", "WEBP", "AVIF", "TIFF"):
        for color in corner_colors(decode_rgb(render(pictures.encode(image, format)).preview)):
            assert_close(color, (255, 255, 255))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_shows_its_first_frame(render: Render, format: str) -> None:
    made = render(pictures.animated(format, ((255, 0, 0), (0, 255, 0)), 64, 48))
    assert (made.width, made.height) == (64, 48)
    assert_close(corner_colors(decode_rgb(made.preview))[0], (255, 0, 0))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(render: Render, format: str) -> None:
    made = render(pictures.encode(pictures.quadrants(64, 64).convert("CMYK"), format))
    red, green, blue, _yellow = corner_colors(decode_rgb(made.preview))
    assert max(red) == red[0]
    assert max(green) == green[1]
    assert max(blue) == blue[2]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1"])
def test_gray_and_palettes_become_rgb(render: Render, mode: str) -> None:
    image = pictures.picture(64, 48, (255, 255, 255)).convert(mode)
    for color in corner_colors(decode_rgb(render(pictures.encode(image, "PNG")).preview)):
        assert_close(color, (255, 255, 255))


def test_sixteen_bits_are_scaled_not_cut(render: Render) -> None:
    image = Image.fromarray(np.full((48, 64), 40_000, np.uint16))
    for color in corner_colors(decode_rgb(render(pictures.encode(image, "PNG")).preview)):
        assert_close(color, (155, 155, 155))


def test_a_color_profile_is_converted_to_srgb(render: Render) -> None:
    vips = libvips()
    image = vips.Image.new_from_array(np.asarray(pictures.picture(64, 48, BROWN)), interpretation="srgb")
    profiled = image.icc_transform("p3", input_profile="srgb")
    assert_close(tuple(int(value) for value in profiled(5, 5)), (187, 105, 60), 12)
    made = render(profiled.pngsave_buffer())
    assert_close(corner_colors(decode_rgb(made.preview))[0], BROWN)


def test_a_broken_color_profile_is_passed_over(render: Render) -> None:
    image = pictures.picture(64, 48, BROWN)
    for converted in (image, image.convert("L"), image.convert("CMYK")):
        render(pictures.encode(converted, "JPEG", icc_profile=b"nonsense" * 40))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "HEIC", "AVIF"])
def test_too_many_pixels_are_refused_by_the_header(render: Render, format: str) -> None:
    with pytest.raises(TooManyPixels, match=r"50000 x 50000 pixels .* 100,000,000"):
        render(pictures.huge(format))


def test_the_limit_itself_is_allowed(render: Render) -> None:
    assert render(pictures.png(100, 80), max_pixels=8000).width == 100
    with pytest.raises(TooManyPixels):
        render(pictures.png(100, 80), max_pixels=7999)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.97])
def test_a_file_cut_short_does_not_pass_for_whole(render: Render, make: Make, keep: float) -> None:
    with pytest.raises(UndecodableImage):
        render(pictures.truncated(make(300, 200, seed=3), keep))


def test_a_photo_cut_short_says_so(render: Render) -> None:
    with pytest.raises(UndecodableImage, match="cut short"):
        render(pictures.truncated(pictures.jpeg(seed=3)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "not a picture"),
        (b"\xff\xd8\xff\xe0" + b"x" * 1000, "cut short or damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "cannot be decoded"),
        (b"GIF89a" + b"x" * 100, "cannot be decoded"),
        (b"II*\0" + b"x" * 100, "cannot be decoded"),
        (b"BM" + bytes(12) + b"\x28\0\0\0" + b"x" * 100, "cannot be decoded"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 100, "cannot be decoded"),
    ],
)
def test_what_cannot_be_shown_has_a_reason_in_one_line(
    render: Render, tmp_path: Path, data: bytes, reason: str
) -> None:
    with pytest.raises(UndecodableImage, match=reason) as caught:
        render(data)
    text = str(caught.value)
    assert "\n" not in text
    assert str(tmp_path) not in text


def test_damaged_files_never_raise_anything_else(render: Render) -> None:
    random = np.random.default_rng(5)
    for make in MAKERS:
        whole = make(48, 32, seed=1)
        for _ in range(25):
            data = bytearray(whole)
            for _ in range(random.integers(1, 8)):
                data[random.integers(min(len(data), 600))] = random.integers(256)
            with suppress(UndecodableImage):
                render(bytes(data), max_pixels=1_000_000)


def test_a_missing_file_is_not_a_bad_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_renditions(tmp_path / "gone", max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("name", ["photo[1].jpg", "Größe#1 100%.JPG", "写真.jpg", "a b[page=2]"])
def test_odd_file_names_are_only_names(render: Render, name: str) -> None:
    assert render(pictures.jpeg(32, 24), name=name).width == 32


def test_sizes_do_not_change_the_perceptual_hash_much(render: Render) -> None:
    large = render(pictures.jpeg(1200, 900, seed=7))
    small = render(pictures.jpeg(400, 300, seed=7, quality=60))
    other = render(pictures.jpeg(400, 300, seed=8))
    assert hamming_distance(large.perceptual_hash, small.perceptual_hash) <= 4
    assert hamming_distance(large.perceptual_hash, other.perceptual_hash) > 12
    assert 0 <= large.perceptual_hash < 2**64


def test_a_thumbhash_has_the_average_color(render: Render) -> None:
    import thumbhash

    hashed = render(pictures.jpeg(900, 600, BROWN)).thumbhash
    assert isinstance(hashed, bytes)
    assert 5 <= len(hashed) <= 30
    average = thumbhash.thumb_hash_to_average_rgba(list(hashed))
    assert_close(tuple(round(part * 255) for part in average[:3]), BROWN, 10)


def test_decoding_gives_rows_of_rgb(render: Render) -> None:
    rgb = decode_rgb(render(pictures.jpeg(300, 200, BROWN)).preview)
    assert rgb.shape == (200, 300, 3)
    assert rgb.dtype == np.uint8


@pytest.mark.parametrize("data", [b"", b"nonsense", pictures.truncated(pictures.webp())])
def test_decoding_nonsense_is_an_undecodable_image(data: bytes) -> None:
    with pytest.raises(UndecodableImage):
        decode_rgb(data)


RGB = np.asarray(pictures.quadrants(400, 200))


def test_a_face_crop_is_a_square_around_the_box() -> None:
    webp = crop_square(RGB, (0.2, 0.2, 0.3, 0.4), size=160, margin=0.5)
    assert size_of(webp) == (80, 80)
    assert_close(corner_colors(decode_rgb(webp))[0], pictures.UPRIGHT_CORNERS[0])


def test_a_large_face_crop_is_reduced_to_its_size() -> None:
    assert size_of(crop_square(RGB, (0.1, 0.1, 0.5, 0.9), size=64)) == (64, 64)


def test_a_face_at_the_edge_moves_the_square_inside() -> None:
    webp = crop_square(RGB, (0.9, 0.8, 1.2, 1.1), size=400, margin=1)
    assert size_of(webp) == (120, 120)
    assert_close(corner_colors(decode_rgb(webp))[3], pictures.UPRIGHT_CORNERS[3])


def test_a_margin_wider_than_the_picture_stays_square() -> None:
    assert size_of(crop_square(RGB, (0.3, 0.1, 0.6, 0.9), size=400, margin=2)) == (200, 200)


def test_a_box_longer_than_the_picture_is_high_is_not_cut() -> None:
    assert size_of(crop_square(RGB, (0, 0.2, 1, 0.8), size=400)) == (400, 200)


@pytest.mark.parametrize(
    "box", [(0.5, 0.5, 0.5, 0.6), (0.6, 0.1, 0.2, 0.3), (float("nan"), 0, 1, 1), (2, 2, 3, 3)]
)
def test_an_empty_box_is_an_error(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="empty box"):
        crop_square(RGB, box)


def test_importing_loads_no_heavy_library() -> None:
    code = """
import sys, photos.formats.imaging, photos.metadata.pictures
heavy = {"pyvips", "numpy", "PIL", "pi_heif", "thumbhash", "django"}
print(sorted(heavy & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[]"

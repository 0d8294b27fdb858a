"""The offline encoder, on its real weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from search import encoders
from search.labels import PART_SHARE, WHOLE_SHARE, labels_in, read_labels
from search.offline import OfflineEncoder


def choose(state_dir: Path) -> encoders.Choice:
    return encoders.choose(
        preference="offline", model="ViT-B-32", pretrained="openai", model_dir=None, state_dir=state_dir
    )


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def encoder(state_dir: Path) -> OfflineEncoder:
    return OfflineEncoder(choose(state_dir))


def drawn(draw: Callable[[ImageDraw.ImageDraw], None]) -> NDArray[np.uint8]:
    image = Image.new("RGB", (480, 320), "white")
    draw(ImageDraw.Draw(image))
    return np.asarray(image)


def traffic_light(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 0, 480, 320), fill=(135, 190, 235))
    pen.rectangle((230, 220, 250, 320), fill=(70, 70, 70))
    pen.rounded_rectangle((180, 20, 300, 240), 20, fill=(30, 30, 30))
    for top, colour in ((35, (250, 40, 30)), (102, (90, 70, 10)), (169, (10, 70, 30))):
        pen.ellipse((210, top, 270, top + 60), fill=colour)


def analog_clock(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 0, 480, 320), fill=(200, 180, 150))
    pen.ellipse((100, 20, 380, 300), fill="white", outline="black", width=12)
    for hour in range(12):
        angle = hour * np.pi / 6
        x, y = 240 + 115 * np.sin(angle), 160 - 115 * np.cos(angle)
        pen.text((x, y), str(hour or 12), fill="black", font_size=26, anchor="mm")
    pen.line((240, 160, 240, 70), fill="black", width=6)
    pen.line((240, 160, 300, 195), fill="black", width=9)


def crossword(pen: ImageDraw.ImageDraw) -> None:
    for row in range(11):
        for column in range(16):
            fill = "black" if (row * 7 + column * 5) % 6 == 0 else "white"
            pen.rectangle(
                (column * 30, row * 29, column * 30 + 30, row * 29 + 29), fill=fill, outline="black"
            )


@pytest.fixture(scope="module")
def pictures(encoder: OfflineEncoder) -> NDArray[np.float32]:
    return encoder.embed_images([drawn(traffic_light), drawn(analog_clock), drawn(crossword)])


def test_there_are_a_thousand_classes_in_the_classifiers_order() -> None:
    labels = read_labels()
    assert len(labels) == len({label.wnid for label in labels}) == 1000
    assert [label.wnid for label in labels] == sorted(label.wnid for label in labels)
    assert labels[207].names[0] == "Golden Retriever"
    assert "dog" in labels[207].hypernyms
    assert labels[1].caption.startswith("a photo of goldfish, Carassius auratus, ")


def test_labels_are_found_by_name_and_by_kind() -> None:
    (retriever,), share = labels_in("A golden retriever")
    assert (read_labels()[retriever].names[0], share) == ("Golden Retriever", WHOLE_SHARE)
    dogs, share = labels_in("dog")
    assert (len(dogs) > 100, share) == (True, WHOLE_SHARE)
    assert labels_in("two golden retrievers at the sea") == ((retriever,), PART_SHARE)
    for text in ("", "the", "quantum physics", "the meaning of life"):
        assert labels_in(text) == ((), 0.0)


def test_photos_and_texts_become_unit_vectors_of_one_space(
    encoder: OfflineEncoder, pictures: NDArray[np.float32]
) -> None:
    texts = encoder.embed_texts(["a dog", "a red boat on a lake"])
    assert pictures.shape == (3, encoder.dimensions)
    assert texts.shape == (2, encoder.dimensions)
    assert pictures.dtype == texts.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([pictures, texts]), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("query", "expected"), [("traffic signal", 0), ("what time is it on the clock", 1), ("word puzzle", 2)]
)
def test_a_drawing_is_found_by_what_it_shows(
    query: str, expected: int, encoder: OfflineEncoder, pictures: NDArray[np.float32]
) -> None:
    scores = pictures @ encoder.embed_texts([query])[0]
    assert int(scores.argmax()) == expected


def test_a_photo_that_shows_nothing_known_answers_no_query(encoder: OfflineEncoder) -> None:
    undecided = np.mean([encoder.embed_texts([label.names[0]])[0] for label in read_labels()[::50]], axis=0)
    undecided /= np.linalg.norm(undecided)
    queries = encoder.embed_texts(["a cactus", "a robot", "a giraffe", "a passport", "a drone"])
    assert (queries @ undecided < encoder.cutoffs(queries)).all()


def test_the_cut_off_lies_between_what_is_shown_and_what_is_not(
    encoder: OfflineEncoder, pictures: NDArray[np.float32]
) -> None:
    shown, absent = pictures[0] @ encoder.embed_texts(["traffic light", "birthday cake"]).T
    limits = encoder.cutoffs(encoder.embed_texts(["traffic light", "birthday cake"]))
    assert shown > limits[0]
    assert absent < limits[1]


def test_nothing_in_nothing_out(encoder: OfflineEncoder) -> None:
    assert encoder.embed_images([]).shape == (0, encoder.dimensions)
    assert encoder.embed_texts([]).shape == (0, encoder.dimensions)


def test_a_text_is_embedded_without_loading_the_image_half(state_dir: Path) -> None:
    fresh = OfflineEncoder(choose(state_dir))
    fresh.embed_texts(["a dog"])
    assert "_classifier" not in vars(fresh)


def test_label_vectors_are_computed_once_and_then_read(
    encoder: OfflineEncoder, pictures: NDArray[np.float32], state_dir: Path
) -> None:
    fresh = OfflineEncoder(choose(state_dir))
    again = fresh.embed_images([drawn(traffic_light)])
    assert "_sentences" not in vars(fresh)
    np.testing.assert_allclose(again[0], pictures[0], atol=0.01)
    assert [path.suffix for path in state_dir.glob("offline-labels-*")] == [".npy"]


def test_a_very_long_query_is_cut_not_refused(encoder: OfflineEncoder) -> None:
    assert encoder.embed_texts(["dog " * 5000]).shape == (1, encoder.dimensions)

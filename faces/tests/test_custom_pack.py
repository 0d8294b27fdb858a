"""A pack of two ONNX files of one's own."""

from pathlib import Path

import pytest

from faces import custom_pack, detection
from faces.tests.test_detection import carried_choice, picture


def test_any_two_files_are_a_pack(tmp_path: Path) -> None:
    carried = carried_choice()
    assert carried.detector
    assert carried.recognizer
    detector, recognizer = tmp_path / "eyes.onnx", tmp_path / "brain.onnx"
    detector.write_bytes(carried.detector.read_bytes())
    recognizer.write_bytes(carried.recognizer.read_bytes())
    choice = custom_pack.choose(detector, recognizer, dimensions=512, match_threshold=0.42)
    assert "eyes.onnx and brain.onnx; weights: that of your files" in choice.label
    assert len(detection.load(choice, threads=1).detect(picture("t1.jpg"))) == 6


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    versions = set()
    for content in (b"a", b"b", b"a"):
        (tmp_path / "w.onnx").write_bytes(content)
        choice = custom_pack.choose(
            tmp_path / "w.onnx", tmp_path / "w.onnx", dimensions=512, match_threshold=0.4
        )
        versions.add(choice.version)
    assert len(versions) == 2


def test_wrong_dimensions_are_named_in_the_error() -> None:
    carried = carried_choice()
    choice = custom_pack.choose(carried.detector, carried.recognizer, dimensions=128, match_threshold=0.4)
    with pytest.raises(detection.FaceModelError, match="not a 128-dimensional face recognizer"):
        detection.load(choice, threads=1)


@pytest.mark.parametrize("detector", [None, Path("/nowhere/eyes.onnx")])
def test_missing_files_leave_the_pack_unavailable_with_what_to_do(detector: Path | None) -> None:
    choice = custom_pack.choose(detector, None, dimensions=512, match_threshold=0.42)
    assert not choice.is_available
    assert "CHITRA_FACE_RECOGNIZER" in choice.reason
    assert ("/nowhere/eyes.onnx" in choice.reason) == (detector is not None)

"""Find faces in a picture and describe each by an embedding, quality and pose. Knows pixels, not photos.

Two families behind one protocol: insightface's SCRFD + ArcFace ONNX files, and OpenCV's YuNet + SFace.
The libraries are imported on first use.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from faces.candidates import Box, Candidate, Look, located, search, shorter_side, without_duplicates
from faces.geometry import Floats, Rgb, align, pose_of, quality_of, ramp, sharpness_of
from faces.packs import PackChoice
from faces.tiling import is_crowd

Embedding = npt.NDArray[np.float32]

MIN_FACE_SIDE_PIXELS = 16  # below that an embedding says nothing about the person
LARGEST_OPENCV_SIDE = 1000


class FaceModelError(Exception):
    """The model files cannot be used; the message says which file and what is wrong with it."""


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """One face. Places are fractions of the upright picture; left and right are the viewer's."""

    box: tuple[float, float, float, float]  # x1, y1, x2, y2, within 0..1
    landmarks: tuple[tuple[float, float], ...]  # left eye, right eye, nose, left and right mouth corner
    score: float  # the detector's, 0..1
    embedding: Embedding  # (dimensions,), length 1
    sharpness: float  # see `geometry.sharpness_of`
    yaw: float  # degrees, rough; positive looks to the right side of the picture
    pitch: float  # degrees, rough; positive looks up
    roll: float  # degrees, positive is turned clockwise
    quality: float  # 0..1, see `geometry.quality_of`


def shows_crowd(faces: Sequence[DetectedFace], height: int, width: int) -> bool:
    """Whether many faces are so small that a larger picture of the same would show them better."""
    return is_crowd([min((f.box[2] - f.box[0]) * width, (f.box[3] - f.box[1]) * height) for f in faces])


class FaceModel(Protocol):
    """One loaded pack. `detect` may be called from several threads."""

    @property
    def version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def detect(self, rgb: Rgb, *, min_score: float = 0.5) -> list[DetectedFace]:
        """Faces of an upright H x W x 3 RGB picture, ordered by x. Raises ValueError for another array."""

    def describe(
        self, rgb: Rgb, box: Box, landmarks: Sequence[Sequence[float]] = (), *, score: float = 0.5
    ) -> DetectedFace:
        """The face in this box. Its landmarks are those given, or found inside, or guessed."""


def load(choice: PackChoice, *, threads: int) -> FaceModel:
    """The model of an available pack, loaded once per process. Raises FaceModelError for unusable files."""
    if choice.detector is None or choice.recognizer is None:
        raise FaceModelError(f"The face pack {choice.name} is not available. {choice.reason}")
    key = (choice.version, choice.detector, choice.recognizer, threads)
    with _loading:
        if key not in _loaded:
            family = OpencvModel if choice.name == "opencv" else InsightfaceModel
            _loaded[key] = family(key[0], choice.dimensions, choice.detector, choice.recognizer, threads)
        return _loaded[key]


_loading = threading.Lock()
_loaded: dict[tuple[str, Path, Path, int], FaceModel] = {}


# --- description --------------------------------------------------------------------------------------------


def _describe(
    candidate: Candidate, picture: Rgb, aligned: Rgb, embedding: Floats, scores: tuple[float, float]
) -> DetectedFace:
    """Put the numbers of one face together. `picture` and its 112 x 112 crop `aligned` are BGR.

    `scores` are those of which the detector is not certain at all, and quite certain.
    """
    height, width = picture.shape[:2]
    size = np.array([width, height], dtype=np.float64)
    x1, y1, x2, y2 = np.clip(candidate.box.reshape(2, 2) / size, 0.0, 1.0).ravel().tolist()
    sharpness = sharpness_of(aligned)
    yaw, pitch, roll = pose_of(candidate.landmarks)
    side = shorter_side(candidate.box)
    certainty = ramp(candidate.score, *scores)
    return DetectedFace(
        box=(x1, y1, x2, y2),
        landmarks=tuple((float(x), float(y)) for x, y in candidate.landmarks / size),
        score=candidate.score,
        embedding=_unit(embedding),
        sharpness=sharpness,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        quality=quality_of(certainty=certainty, side_pixels=side, sharpness=sharpness, yaw=yaw, pitch=pitch),
    )


def _unit(vector: Floats) -> Embedding:
    flat = vector.astype(np.float32).ravel()
    return flat / max(float(np.linalg.norm(flat)), 1e-12)


def _as_bgr(rgb: Rgb) -> Rgb:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise ValueError(f"expected an H x W x 3 array of uint8, got {rgb.shape} of {rgb.dtype}")
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _in_reading_order(faces: list[DetectedFace]) -> list[DetectedFace]:
    return sorted(faces, key=lambda face: face.box)


# --- insightface --------------------------------------------------------------------------------------------


class InsightfaceModel:
    """SCRFD and ArcFace from two ONNX files, whatever they are called.

    The detector looks at the picture scaled to 320, 640 and 1280 px (long side), because it knows faces of
    about 16 to 450 px: close-ups fill the first, a row of guests needs the last. Tiles of a crowd have the
    size of the largest. Both networks take BGR.
    """

    sides = (320, 640, 1280)
    quick_side = 640
    scores = (0.5, 0.75)  # textures reach 0.62, faces of useful size have more than 0.75
    sure_score = 0.77  # upright faces of useful size reach it, lying ones rarely do

    def __init__(self, version: str, dimensions: int, detector: Path, recognizer: Path, threads: int) -> None:
        from insightface.model_zoo.arcface_onnx import ArcFaceONNX
        from insightface.model_zoo.scrfd import SCRFD

        self.version = version
        self.dimensions = dimensions
        detector_session = _onnx_session(detector, threads)
        if len(detector_session.get_outputs()) not in (9, 15):
            raise FaceModelError(f"{detector} is not a face detector with landmarks (SCRFD).")
        recognizer_session = _onnx_session(recognizer, threads)
        shapes = [output.shape for output in recognizer_session.get_outputs()]
        if len(shapes) != 1 or shapes[0][-1] != dimensions:
            raise FaceModelError(f"{recognizer} is not a {dimensions}-dimensional face recognizer (ArcFace).")
        self._detector = SCRFD(str(detector), detector_session, static_shape_sessions=False)
        self._recognizer = ArcFaceONNX(str(recognizer), recognizer_session)

    def detect(self, rgb: Rgb, *, min_score: float = 0.5) -> list[DetectedFace]:
        picture = _as_bgr(rgb)
        faces = []
        tile = min(self._detector.static_input_size or (self.sides[-1],))
        for candidate in search(self._find, picture, min_score, self.sure_score, tile):
            aligned = align(picture, candidate.landmarks)
            vector = self._recognizer.get_feat(aligned)
            faces.append(_describe(candidate, picture, aligned, vector, self.scores))
        return _in_reading_order(faces)

    def describe(
        self, rgb: Rgb, box: Box, landmarks: Sequence[Sequence[float]] = (), *, score: float = 0.5
    ) -> DetectedFace:
        picture = _as_bgr(rgb)
        candidate = located(self._find, picture, box, landmarks, score)
        aligned = align(picture, candidate.landmarks)
        return _describe(candidate, picture, aligned, self._recognizer.get_feat(aligned), self.scores)

    def _find(self, picture: Rgb, min_score: float, look: Look = Look.CLOSE) -> list[Candidate]:
        candidates = []
        height, width = picture.shape[:2]
        single = {Look.QUICK: self.quick_side, Look.FULL_SIZE: max(height, width)}.get(look)
        for size in self._input_sizes(height, width, (single,) if single else self.sides):
            boxes, landmarks = self._detector.detect(picture, input_size=size, det_thresh=min_score)
            candidates += [
                Candidate(box[:4].astype(np.float64), points.astype(np.float64), float(box[4]))
                for box, points in zip(boxes, landmarks, strict=True)
            ]
        large_enough = [c for c in candidates if shorter_side(c.box) >= MIN_FACE_SIDE_PIXELS]
        return without_duplicates(large_enough)

    def _input_sizes(self, height: int, width: int, sides: Sequence[int]) -> list[tuple[int, int]]:
        """Detector inputs (width, height), multiples of 32. Enlarging beyond double finds nothing new.

        Left out are those in which the shorter side would be no pixel wide: no face is there to be found.
        """
        longest, shortest = max(height, width), min(height, width)
        if (fixed := self._detector.static_input_size) is not None:
            return [fixed] if min(fixed) * shortest >= longest else []
        useful = [side for side in sides if side == min(sides) or side < 2 * longest]
        useful = [side for side in useful if side * shortest >= longest]
        return [
            (_next_multiple(side * width / longest), _next_multiple(side * height / longest))
            for side in useful
        ]


def _next_multiple(length: float) -> int:
    return max(math.ceil(length / 32 - 1e-9), 1) * 32


def _onnx_session(path: Path, threads: int) -> Any:
    """An ONNX Runtime session on the best device there is. Raises FaceModelError for a file that is none."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads would take the cores from the other workers of the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]
    unusable = (
        errors.Fail,
        errors.InvalidArgument,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NoSuchFile,
    )
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except unusable as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: BaseException) -> FaceModelError:
    first_line = str(error).strip().partition("\n")[0][:200]
    return FaceModelError(f"{path} is not a usable ONNX model; fetch it again. ({first_line})")


# --- OpenCV -------------------------------------------------------------------------------------------------


class OpencvModel:
    """YuNet and SFace from the OpenCV zoo. They keep state between calls, so one call runs at a time."""

    scores = (0.78, 0.92)  # textures reach 0.8, faces of useful size have more than 0.9
    sure_score = 0.91  # upright faces reach it, lying ones reach 0.90

    def __init__(self, version: str, dimensions: int, detector: Path, recognizer: Path, threads: int) -> None:
        import cv2

        self.version = version
        self.dimensions = dimensions
        self._lock = threading.Lock()
        cv2.setNumThreads(threads)
        self._detector = _opencv_part(
            detector, lambda: cv2.FaceDetectorYN.create(str(detector), "", (320, 320))
        )
        self._recognizer = _opencv_part(recognizer, lambda: cv2.FaceRecognizerSF.create(str(recognizer), ""))

    def detect(self, rgb: Rgb, *, min_score: float = 0.5) -> list[DetectedFace]:
        picture = _as_bgr(rgb)
        with self._lock:
            candidates = search(self._find, picture, min_score, self.sure_score, LARGEST_OPENCV_SIDE)
            faces = []
            for candidate in candidates:
                aligned = align(picture, candidate.landmarks)
                vector = self._recognizer.feature(aligned)
                faces.append(_describe(candidate, picture, aligned, vector, self.scores))
        return _in_reading_order(faces)

    def describe(
        self, rgb: Rgb, box: Box, landmarks: Sequence[Sequence[float]] = (), *, score: float = 0.5
    ) -> DetectedFace:
        picture = _as_bgr(rgb)
        with self._lock:
            candidate = located(self._find, picture, box, landmarks, score)
            aligned = align(picture, candidate.landmarks)
            return _describe(candidate, picture, aligned, self._recognizer.feature(aligned), self.scores)

    def _find(self, picture: Rgb, min_score: float, look: Look = Look.CLOSE) -> list[Candidate]:
        """YuNet is trained for faces of 10 to 300 px, hence the limit on the picture's size."""
        import cv2

        height, width = picture.shape[:2]
        scale = min(1.0, LARGEST_OPENCV_SIDE / max(height, width))
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        self._detector.setInputSize(size)
        self._detector.setScoreThreshold(max(min_score, self.scores[0]))
        _, rows = self._detector.detect(small)
        if rows is None:
            return []
        stretch = np.array([width / size[0], height / size[1]])
        candidates = [_yunet_candidate(row.astype(np.float64), stretch) for row in rows]
        return without_duplicates([c for c in candidates if shorter_side(c.box) >= MIN_FACE_SIDE_PIXELS])


def _yunet_candidate(row: Floats, stretch: Floats) -> Candidate:
    """A YuNet row: x, y, width, height, five landmarks, score."""
    corner, extent = row[:2] * stretch, row[2:4] * stretch
    landmarks = row[4:14].reshape(5, 2) * stretch
    return Candidate(np.concatenate([corner, corner + extent]), landmarks, float(row[14]))


def _opencv_part(path: Path, create: Callable[[], Any]) -> Any:
    import cv2

    try:
        return create()
    except cv2.error as error:
        raise _unusable(path, error) from error

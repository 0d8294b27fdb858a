"""Read the text in a picture: find its lines, turn them upright, recognise them. Knows pixels, not photos.

The networks are PP-OCRv6, which the package rapidocr carries. Its parts get sessions that are made here, of
files that are there, so nothing is downloaded. The libraries are imported on first use.
"""

import importlib.metadata
import importlib.util
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float32]  # (lines, 4, 2), pixels, clockwise from the upper left

PACKAGE = "rapidocr"
DETECTOR = "PP-OCRv6_det_small.onnx"
TURNER = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
RECOGNIZER = "PP-OCRv6_rec_small.onnx"
REVISION = 1  # of what this module does with them

# Measured on words in seven typefaces, 13 to 140 pixels high on pictures of 1600, and on photos of things.
FIRST_LOOK_PIXELS = 736  # half the price of the second look; at 640 receipts in small print leave no trace
READING_PIXELS = 960  # 1280 finds no more words
NARROWEST_LINE = [3, 48, 96]  # what shorter lines are padded to; the package's 320 costs a third more
MIN_SCORE = 0.75  # textures taken for text have up to 0.72, and hardly a true word has less than 0.85
MIN_CHARACTERS = 2  # a texture is often one character, and a sure one
SMALLEST_SIDE_PIXELS = 32  # what the detector takes at least


class TextModelError(Exception):
    """The networks cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Line:
    """One line of text. Its box is upright, in fractions of the upright picture."""

    text: str
    box: tuple[float, float, float, float]  # x1, y1, x2, y2, within 0..1
    score: float  # the recogniser's, 0..1

    @property
    def is_believable(self) -> bool:
        """Textures are read as single characters, or without conviction."""
        return self.score >= MIN_SCORE and sum(map(str.isalnum, self.text)) >= MIN_CHARACTERS


def version() -> str:
    """Names the networks and what is done with them; "" while the package is not installed."""
    try:
        return f"{PACKAGE}:{importlib.metadata.version(PACKAGE)}:{REVISION}"
    except importlib.metadata.PackageNotFoundError:
        return ""


def load(*, threads: int) -> "TextReader":
    """The reader, loaded once per process. Raises TextModelError when there are no networks to be used."""
    with _loading:
        if threads not in _loaded:
            _loaded[threads] = TextReader(models_folder(), threads)
        return _loaded[threads]


_loading = threading.Lock()
_loaded: dict[int, "TextReader"] = {}


def models_folder() -> Path:
    """Where the package keeps its networks, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        return Path(folder) / "models"
    raise TextModelError(f"The package {PACKAGE} is not installed. Install it as requirements.txt names it.")


class TextReader:
    """The three networks, loaded. `read` may be called from several threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        from omegaconf import OmegaConf
        from rapidocr.ch_ppocr_cls import TextClassifier
        from rapidocr.ch_ppocr_det import TextDetector
        from rapidocr.ch_ppocr_rec import TextRecognizer
        from rapidocr.utils.typings import EngineType, OCRVersion

        logging.getLogger("RapidOCR").setLevel(logging.ERROR)

        def part(name: str, **options: Any) -> Any:
            session = _onnx_session(folder / name, threads)
            values = {"engine_type": EngineType.ONNXRUNTIME, "session": session, **options}
            return OmegaConf.create(values, flags={"allow_objects": True})

        self._detector = TextDetector(part(DETECTOR, limit_type="max", limit_side_len=READING_PIXELS))
        turning = {"ocr_version": OCRVersion.PPOCRV4, "label_list": ["0", "180"]}
        self._turner = TextClassifier(part(TURNER, cls_batch_num=1, cls_thresh=0.9, **turning))
        # One line at a time: in a batch all are padded to the longest, for no gain on a CPU.
        reading = {"lang_type": "ch", "rec_img_shape": NARROWEST_LINE, "font_path": None}
        self._recognizer = TextRecognizer(part(RECOGNIZER, rec_batch_num=1, **reading))

    def read(self, rgb: Rgb) -> list[Line]:
        """Lines of an upright H x W x 3 RGB picture in reading order. Raises ValueError for another array.

        A first look at a small copy spares most pictures without text the rest.
        """
        picture = _as_bgr(rgb)
        corners = self._find(picture, FIRST_LOOK_PIXELS)
        if len(corners) and max(picture.shape) > FIRST_LOOK_PIXELS:
            corners = self._find(picture, READING_PIXELS)
        return [line for line in self._recognize(picture, corners) if line.is_believable]

    def _find(self, picture: Rgb, longest_side: int) -> Corners:
        """The lines' corners, found on a copy of at most this size."""
        import cv2

        height, width = picture.shape[:2]
        scale = min(1.0, longest_side / max(height, width))
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small: Any = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1.0 else picture
        found = self._detector(_padded(small)).boxes
        if found is None:
            return np.zeros((0, 4, 2), np.float32)
        stretched: Corners = np.asarray(found, np.float32) * _pair(width / size[0], height / size[1])
        return stretched

    def _recognize(self, picture: Rgb, corners: Corners) -> list[Line]:
        from rapidocr.ch_ppocr_rec import TextRecInput
        from rapidocr.utils.process_img import get_rotate_crop_image

        if not len(corners):
            return []
        crops = [get_rotate_crop_image(picture, points.copy()) for points in corners]
        upright = self._turner(crops).img_list
        read = self._recognizer(TextRecInput(img=upright, return_word_box=False))
        height, width = picture.shape[:2]
        return [
            Line(str(text).strip(), _box(points, width, height), float(score))
            for points, text, score in zip(corners, read.txts or (), read.scores, strict=True)
        ]


def _box(points: Corners, width: int, height: int) -> tuple[float, float, float, float]:
    """The upright box around a line's corners, rounded: a preview has no finer ones."""
    fractions = np.clip(points / _pair(width, height), 0.0, 1.0)
    (x1, y1), (x2, y2) = fractions.min(axis=0).tolist(), fractions.max(axis=0).tolist()
    return round(x1, 4), round(y1, 4), round(x2, 4), round(y2, 4)


def _pair(x: float, y: float) -> Corners:
    return np.array([x, y], np.float32)


def _as_bgr(rgb: Rgb) -> Rgb:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise ValueError(f"expected an H x W x 3 array of uint8, got {rgb.shape} of {rgb.dtype}")
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _padded(picture: Rgb) -> Rgb:
    """With black at the right and below where the picture is too narrow for the detector."""
    missing = [max(0, SMALLEST_SIDE_PIXELS - side) for side in picture.shape[:2]]
    return np.pad(picture, ((0, missing[0]), (0, missing[1]), (0, 0))) if any(missing) else picture


def _onnx_session(path: Path, threads: int) -> Any:
    """An ONNX Runtime session with so many threads. Raises TextModelError for a file that is none."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads would take the cores from the other workers of the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # every picture has another size: the arena would keep them all
    options.log_severity_level = 3
    unusable = (
        errors.Fail,
        errors.InvalidArgument,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NoSuchFile,
    )
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except unusable as error:
        first_line = str(error).strip().partition("\n")[0][:200]
        raise TextModelError(
            f"{path.name} is not usable. Install {PACKAGE} anew as requirements.txt names it. ({first_line})"
        ) from error

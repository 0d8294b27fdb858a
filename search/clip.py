"""CLIP through open_clip. The only module that imports open_clip."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs import hub
from search import clip_weights, torchvision_operators
from search.encoders import Choice, EncoderUnavailableError, as_caption
from search.tensors import (
    Image,
    Preprocessing,
    Vectors,
    computes_in_bfloat16,
    embed_in_batches,
    normalise,
)

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


class ClipEncoder:
    """A CLIP model in memory; see `search.encoders.Encoder`."""

    name = "open_clip"

    def __init__(
        self,
        choice: Choice,
        *,
        model: Any,
        tokenizer: Callable[[list[str]], torch.Tensor],
        preprocess: Callable[[Image], torch.Tensor],
        dtype: torch.dtype,
    ) -> None:
        self.version = choice.version
        self.dimensions = choice.dimensions
        self.label = choice.label
        self._min_score = choice.min_score
        self._model = model
        self._tokenizer = tokenizer
        self._tokenizer_lock = threading.Lock()  # Hugging Face's tokenizers fail when two threads use one
        self._preprocess = preprocess
        self._dtype = dtype

    def preprocess(self, image: Image) -> torch.Tensor:
        return self._preprocess(image)

    def encode_tensors(self, batch: torch.Tensor) -> Vectors:
        import torch

        if self._model.visual is None:
            raise EncoderUnavailableError("only the text half of CLIP was loaded")
        with torch.inference_mode():
            features = self._model.encode_image(batch.to(self._dtype))
        return normalise(features.float().numpy())

    def embed_images(self, images: Sequence[Image]) -> Vectors:
        return embed_in_batches(
            images, preprocess=self.preprocess, encode=self.encode_tensors, dimensions=self.dimensions
        )

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        import torch

        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        with self._tokenizer_lock:
            tokens = self._tokenizer([as_caption(text) for text in texts])
        with torch.inference_mode():
            features = self._model.encode_text(tokens)
        return normalise(features.float().numpy())

    def cutoffs(self, texts: Vectors) -> Vectors:
        """The same for all: CLIP's scores of photos that fit lie in one range."""
        return np.full(len(texts), self._min_score, dtype=np.float32)


def load_clip(choice: Choice, *, text_only: bool = False) -> ClipEncoder:
    """Load the weights of a choice, downloading them first if need be.

    Raises EncoderUnavailableError when that fails; a failed download is remembered, so that the next `choose`
    falls back.
    """
    torchvision_operators.ensure()
    from safetensors import SafetensorError

    damage = (  # what open_clip and torch raise for files cut short, of another model, or no weights at all
        *(OSError, RuntimeError, ValueError, KeyError, EOFError, AssertionError),
        *(pickle.UnpicklingError, SafetensorError),
    )
    weights = choice.weights or _download(choice)
    try:
        return _load(choice, weights, text_only=text_only)
    except damage as error:
        raise EncoderUnavailableError(f"{weights} could not be loaded as {choice.model}: {error}") from error


def _load(choice: Choice, weights: Path, *, text_only: bool) -> ClipEncoder:
    import open_clip
    import torch

    has_bfloat16 = computes_in_bfloat16()
    precision = "pure_bf16" if has_bfloat16 else "fp32"
    if weights.with_name(clip_weights.CONFIG_NAME).is_file():
        name = f"local-dir:{weights.parent}"
        model, _, transform = open_clip.create_model_and_transforms(name, precision=precision)
    else:
        name = choice.model
        config = open_clip.pretrained.get_pretrained_cfg(name.replace("/", "-"), choice.pretrained)
        model, _, transform = open_clip.create_model_and_transforms(
            name,
            pretrained=str(weights),
            precision=precision,
            # a file does not tell what its training assumed; open_clip's entry for the name does
            force_quick_gelu=config.get("quick_gelu", False),
            image_mean=config.get("mean"),
            image_std=config.get("std"),
            image_interpolation=config.get("interpolation"),
            image_resize_mode=config.get("resize_mode"),
        )
    model.eval()
    preprocess = _preprocessing(model.visual.preprocess_cfg, transform)
    if text_only:
        model.visual = None
    return ClipEncoder(
        choice,
        model=model,
        tokenizer=open_clip.get_tokenizer(name),
        preprocess=preprocess,
        dtype=torch.bfloat16 if has_bfloat16 else torch.float32,
    )


def _preprocessing(
    config: dict[str, Any], transform: Callable[[Any], torch.Tensor]
) -> Callable[[Image], torch.Tensor]:
    """Our fast preprocessing where it does what the model was trained with, else open_clip's transform."""
    size, resize_mode = config["size"], config["resize_mode"]
    if not isinstance(size, int):
        size = size[0] if len(set(size)) == 1 else None
    if size is not None and resize_mode in {"shortest", "squash"}:
        return Preprocessing(
            size=size,
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
            resize_mode=resize_mode,
            interpolation=config["interpolation"],
        )

    def through_pillow(image: Image) -> torch.Tensor:
        from PIL.Image import fromarray

        return transform(fromarray(image))

    return through_pillow


def _download(choice: Choice) -> Path:
    """Download weights into the state directory; huggingface_hub bounds every wait for the network."""
    from open_clip import pretrained

    config = pretrained.get_pretrained_cfg(choice.model.replace("/", "-"), choice.pretrained)
    if not config:
        raise _remembered(choice, f"open_clip knows no weights {choice.pretrained!r} for {choice.model}")
    folder = clip_weights.download_dir(choice.model, choice.pretrained, state_dir=choice.state_dir)
    logger.info("Downloading CLIP weights %s / %s.", choice.model, choice.pretrained)
    try:
        return Path(pretrained.download_pretrained(config, cache_dir=str(folder)))
    except (OSError, RuntimeError) as error:
        raise _remembered(choice, str(error)) from error


def _remembered(choice: Choice, reason: str) -> EncoderUnavailableError:
    hub.remember_failure(choice.version, reason, state_dir=choice.state_dir)
    remedy = clip_weights.what_to_do(choice.model, choice.pretrained)
    return EncoderUnavailableError(f"The download of CLIP weights failed ({reason}). {remedy}")

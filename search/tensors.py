"""Between numpy and torch: photos to model inputs, model outputs to vectors, and the precision to compute in.

Resizing is torch's antialiased interpolation on bytes. It equals Pillow's, which the models were trained
with, to one grey level, and takes a tenth of the time: a millisecond or two for a preview.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Image = NDArray[np.uint8]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Preprocessing:
    """How a model wants its pictures: `size` pixels square, values (x / 255 - mean) / std per channel.

    `resize_mode` "shortest" shows the model the centre square, as CLIP was trained; "squash" squeezes the
    picture into the square. Of pictures longer than `max_aspect_ratio` (panoramas) only the middle is looked
    at.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize_mode: Literal["shortest", "squash"]
    interpolation: str = "bicubic"
    max_aspect_ratio: float = 4.0

    def __call__(self, image: Image) -> torch.Tensor:
        """RGB uint8 (H, W, 3) → float32 (3, size, size). Raises ValueError for anything else."""
        import torch

        # torch shares numpy's memory and wants it contiguous and writable, which a Pillow array is not
        pixels = np.require(self._middle(image), requirements=["C", "W"])
        planes = torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0)
        height, width = self._resized(*planes.shape[2:])
        top, left = round((height - self.size) / 2), round((width - self.size) / 2)
        resized = torch.nn.functional.interpolate(
            planes, size=(height, width), mode=self.interpolation, antialias=True
        )
        square = resized[0, :, top : top + self.size, left : left + self.size].to(torch.float32)
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return square.mul_(1 / (255 * std)).sub_(mean / std)

    def _middle(self, image: Image) -> Image:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(
                f"expected RGB bytes of shape (H, W, 3), got {image.dtype} of shape {image.shape}"
            )
        height, width = image.shape[:2]
        longest = math.ceil(min(height, width) * self.max_aspect_ratio)
        top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
        return image[top : top + min(height, longest), left : left + min(width, longest)]

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        """Size before the centre square is cut out; the rounding is torchvision's."""
        if self.resize_mode == "squash":
            return self.size, self.size
        shortest = min(height, width)
        return self.size * height // shortest, self.size * width // shortest


def embed_in_batches(
    images: Sequence[Image],
    *,
    preprocess: Callable[[Image], torch.Tensor],
    encode: Callable[[torch.Tensor], Vectors],
    dimensions: int,
    batch_size: int = 16,
) -> Vectors:
    """Preprocess and encode `images`, at most `batch_size` at a time as tensors. Shape (n, dimensions)."""
    import torch

    vectors = [np.zeros((0, dimensions), dtype=np.float32)]
    for batch in _batches(images, batch_size):
        vectors.append(encode(torch.stack([preprocess(image) for image in batch])))
    return np.concatenate(vectors)


def _batches(images: Sequence[Image], size: int) -> Iterator[Sequence[Image]]:
    return (images[start : start + size] for start in range(0, len(images), size))


def normalise(vectors: NDArray[Any]) -> Vectors:
    """Rows scaled to length 1 (a zero row stays zero), float32."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = rows / np.maximum(lengths, np.float32(1e-12))
    return unit


def computes_in_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; elsewhere it is slower than float32."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def save_vectors(path: Path, vectors: Vectors) -> None:
    """Write atomically: another process may compute and save the same file at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.save(file, vectors)
    Path(file.name).replace(path)

"""Where CLIP weights lie on this machine. Reads file names and small configuration files, imports no torch.

The model directory may hold, for model ViT-B-32 and pretrained laion2b_s34b_b79k, any one of

    open_clip/ViT-B-32/laion2b_s34b_b79k/open_clip_model.safetensors     (or open_clip_pytorch_model.bin)
    open_clip/ViT-B-32/laion2b_s34b_b79k.safetensors                     (or .bin, .pt)

With an `open_clip_config.json` beside the weights (copy the hub's whole repository) the model need not be one
that open_clip knows by name.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG_NAME = "open_clip_config.json"
WEIGHT_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt")

# The hub's repositories of the models worth choosing on a home server; open_clip has the full table, but
# importing it imports torch. Weights of other models are found in the model directory and where a download
# put them.
REPOSITORIES = {
    ("ViT-B-32", "laion2b_s34b_b79k"): "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    ("ViT-B-32", "datacomp_xl_s13b_b90k"): "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
    ("ViT-B-32", "openai"): "timm/vit_base_patch32_clip_224.openai",
    ("ViT-B-16", "laion2b_s34b_b88k"): "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    ("ViT-B-16", "datacomp_xl_s13b_b90k"): "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    ("ViT-L-14", "laion2b_s32b_b82k"): "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    ("ViT-L-14", "datacomp_xl_s13b_b90k"): "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
}


@dataclass(frozen=True)
class Found:
    """A weights file, and in words where it was."""

    path: Path
    where: str


def find(model: str, pretrained: str, *, model_dir: Path | None, state_dir: Path) -> Found | None:
    """The weights file to use, or None when this machine has none."""
    if model_dir is not None and (path := _in_model_dir(model, pretrained, model_dir)) is not None:
        return Found(path, "in the model directory")
    if (path := _in_hugging_face_cache(model, pretrained)) is not None:
        return Found(path, "in Hugging Face's cache")
    if (path := _downloaded(model, pretrained, state_dir)) is not None:
        return Found(path, "where an earlier download put them")
    return None


def download_dir(model: str, pretrained: str, *, state_dir: Path) -> Path:
    """Where downloads of these weights go; laid out as Hugging Face's cache is."""
    return state_dir / "models" / "open_clip" / _file_name(model) / _file_name(pretrained)


def dimensions(model: str, weights: Path | None) -> int | None:
    """Length of the model's vectors; None when neither a file beside the weights nor open_clip tells."""
    if weights is not None and (path := weights.with_name(CONFIG_NAME)).is_file():
        return _embed_dim(json.loads(path.read_text()).get("model_cfg", {}))
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "model_configs" / f"{_file_name(model)}.json"
    return _embed_dim(json.loads(path.read_text())) if path.is_file() else None


def min_score(model: str, pretrained: str) -> float:
    """Cosine similarity below which a photo does not show what a text asks for.

    CLIP's cosines are low: for models trained on LAION or DataComp a fitting caption is near 0.3 and an
    unrelated one below 0.18. OpenAI's weights lift the unrelated ones to 0.2; SigLIP's loss puts them near 0
    and the fitting ones near 0.1.
    """
    if "siglip" in model.casefold():
        return 0.06
    return 0.22 if pretrained == "openai" else 0.2


def what_to_do(model: str, pretrained: str) -> str:
    """The remedy to show when weights are missing."""
    repository = REPOSITORIES.get((model, pretrained))
    source = f" (from https://huggingface.co/{repository})" if repository else ""
    folder = f"open_clip/{_file_name(model)}/{_file_name(pretrained)}/"
    return (
        f"Put {WEIGHT_NAMES[0]}{source} into {folder} of CHITRA_MODEL_DIR, or let the machine reach the hub."
    )


def _in_model_dir(model: str, pretrained: str, model_dir: Path) -> Path | None:
    base = model_dir / "open_clip" / _file_name(model)
    folder = base / _file_name(pretrained)
    candidates = [folder / name for name in WEIGHT_NAMES]
    candidates += [base / f"{_file_name(pretrained)}{suffix}" for suffix in WEIGHT_SUFFIXES]
    return next((path for path in candidates if path.is_file()), None)


def _in_hugging_face_cache(model: str, pretrained: str) -> Path | None:
    repository = REPOSITORIES.get((model, pretrained))
    if repository is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    paths = (try_to_load_from_cache(repository, name) for name in WEIGHT_NAMES)
    return next((Path(path) for path in paths if isinstance(path, str)), None)


def _downloaded(model: str, pretrained: str, state_dir: Path) -> Path | None:
    """Only complete files get a name under `snapshots`."""
    snapshots = download_dir(model, pretrained, state_dir=state_dir).glob("models--*/snapshots/*/*")
    files = [path for path in snapshots if path.suffix in WEIGHT_SUFFIXES and path.is_file()]
    return min(files, key=lambda path: (WEIGHT_SUFFIXES.index(path.suffix), path), default=None)


def _embed_dim(config: dict[str, Any]) -> int | None:
    value = config.get("embed_dim")
    return value if isinstance(value, int) else None


def _file_name(name: str) -> str:
    """open_clip writes ViT-B/32 as ViT-B-32 in file names, and so do we."""
    return name.replace("/", "-")

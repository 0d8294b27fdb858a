"""CLIP through open_clip, on a tiny model with random weights that goes the way real weights go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs import hub
from search import encoders, torchvision_operators
from search.clip import load_clip
from search.tensors import Preprocessing

MODEL_CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}


def write_weights(folder: Path, preprocess: dict[str, Any] | None = None) -> Path:
    """The files of a hub repository for a tiny CLIP with random weights. Returns the weights file."""
    torchvision_operators.ensure()
    import torch
    from open_clip.model import CLIP
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    config = {"model_cfg": MODEL_CONFIG, "preprocess_cfg": preprocess or {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = folder / "open_clip_model.safetensors"
    save_file(CLIP(**MODEL_CONFIG).state_dict(), str(weights))
    return weights


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_weights(folder / "open_clip" / "tiny" / "random")
    return folder


def choose(model_dir: Path) -> encoders.Choice:
    return encoders.choose(
        preference="open_clip",
        model="tiny",
        pretrained="random",
        model_dir=model_dir,
        state_dir=model_dir / "state",
    )


@pytest.fixture(scope="module")
def encoder(model_dir: Path) -> encoders.Encoder:
    return encoders.load(choose(model_dir))


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_photos_and_texts_become_unit_vectors_of_one_space(encoder: encoders.Encoder) -> None:
    images = encoder.embed_images([noise(40, 60), noise(90, 30)])
    texts = encoder.embed_texts(["a dog", "snow on the mountains", "café, 東京"])
    assert images.shape == (2, 16)
    assert texts.shape == (3, 16)
    assert images.dtype == texts.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([images, texts]), axis=1), 1, atol=1e-5)


def test_the_encoder_says_what_it_is(encoder: encoders.Encoder) -> None:
    assert encoder.name == "open_clip"
    assert encoder.version == "open_clip:tiny/random:1"
    assert encoder.dimensions == 16
    assert "tiny" in encoder.label
    cutoffs = encoder.cutoffs(encoder.embed_texts(["a dog", "a boat"]))
    assert cutoffs.tolist() == [cutoffs[0]] * 2
    assert 0 < cutoffs[0] < 1


def test_nothing_in_nothing_out(encoder: encoders.Encoder) -> None:
    assert encoder.embed_images([]).shape == (0, 16)
    assert encoder.embed_texts([]).shape == (0, 16)


def test_a_photo_has_the_same_vector_alone_and_among_others(encoder: encoders.Encoder) -> None:
    photos = [noise(40 + seed, 60, seed) for seed in range(20)]
    together = encoder.embed_images(photos)
    alone = np.concatenate([encoder.embed_images([photo]) for photo in photos])
    assert (together * alone).sum(axis=1).min() > 0.999


def test_vectors_are_those_of_open_clip_itself(encoder: encoders.Encoder, model_dir: Path) -> None:
    import open_clip
    import torch
    from PIL import Image

    name = f"local-dir:{model_dir / 'open_clip' / 'tiny' / 'random'}"
    model, _, transform = open_clip.create_model_and_transforms(name)
    photo = noise(75, 131)
    with torch.inference_mode():
        image = model.eval().encode_image(transform(Image.fromarray(photo)).unsqueeze(0), normalize=True)
        text = model.encode_text(open_clip.get_tokenizer(name)(["a photo of a dog"]), normalize=True)
    assert float(encoder.embed_images([photo])[0] @ image[0].numpy()) > 0.999
    assert float(encoder.embed_texts(["a dog"])[0] @ text[0].numpy()) > 0.999


def test_preprocessing_gives_the_pixels_of_open_clips_transform(encoder: encoders.Encoder) -> None:
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from PIL import Image

    transform = image_transform_v2(PreprocessCfg(size=32), is_train=False)
    for height, width in ((75, 131), (131, 75), (32, 32), (20, 50), (400, 401)):
        photo = noise(height, width)
        difference = encoder.preprocess(photo) - transform(Image.fromarray(photo))
        assert float(difference.abs().max()) < 0.02, (height, width)  # one grey level


def test_a_models_own_preprocessing_is_kept(tmp_path: Path) -> None:
    wanted = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    write_weights(tmp_path / "open_clip" / "tiny" / "random", wanted)
    encoder = load_clip(choose(tmp_path))
    assert encoder._preprocess == Preprocessing(
        size=32, mean=(0.5,) * 3, std=(0.25,) * 3, interpolation="bilinear", resize_mode="squash"
    )


def test_preprocessing_that_is_not_ours_goes_through_open_clip(tmp_path: Path) -> None:
    write_weights(tmp_path / "open_clip" / "tiny" / "random", {"resize_mode": "longest"})
    encoder = load_clip(choose(tmp_path))
    assert encoder.embed_images([noise(40, 60)]).shape == (1, 16)


def test_arrays_that_are_no_photos_are_refused(encoder: encoders.Encoder) -> None:
    for array in (noise(4, 4)[:, :, 0], noise(4, 4)[:0], noise(4, 4).astype(np.float32)):
        with pytest.raises(ValueError, match="expected RGB bytes"):
            encoder.embed_images([array])  # type: ignore[list-item]


def test_a_panorama_and_a_single_pixel_are_photos_too(encoder: encoders.Encoder) -> None:
    assert encoder.embed_images([noise(2, 4000), noise(1, 1), noise(900, 1)]).shape == (3, 16)


def test_the_text_half_alone_embeds_texts_but_no_photos(model_dir: Path, encoder: encoders.Encoder) -> None:
    text_half = load_clip(choose(model_dir), text_only=True)
    np.testing.assert_allclose(text_half.embed_texts(["a dog"]), encoder.embed_texts(["a dog"]), atol=1e-5)
    with pytest.raises(encoders.EncoderUnavailableError, match="only the text half"):
        text_half.embed_images([noise(40, 60)])


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "open_clip" / "tiny" / "random")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(encoders.EncoderUnavailableError, match="could not be loaded"):
        load_clip(choose(tmp_path))


def test_a_file_with_weights_of_another_model_is_named(model_dir: Path, tmp_path: Path) -> None:
    tiny = model_dir / "open_clip" / "tiny" / "random" / "open_clip_model.safetensors"
    large = tmp_path / "open_clip" / "RN50" / "openai.safetensors"
    large.parent.mkdir(parents=True)
    large.write_bytes(tiny.read_bytes())
    choice = encoders.choose(
        preference="open_clip", model="RN50", pretrained="openai", model_dir=tmp_path, state_dir=tmp_path
    )
    assert choice.dimensions == 1024
    with pytest.raises(encoders.EncoderUnavailableError, match="could not be loaded as RN50"):
        load_clip(choice)


def test_a_failed_download_is_remembered_so_that_the_next_choice_falls_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # refuses before any packet is sent
    choice = encoders.Choice(
        kind="open_clip",
        version="open_clip:ViT-B-32/laion2b_s34b_b79k:1",
        dimensions=512,
        label="",
        reason="",
        min_score=0.2,
        model="ViT-B-32",
        pretrained="laion2b_s34b_b79k",
        weights=None,
        state_dir=tmp_path,
    )
    with pytest.raises(encoders.EncoderUnavailableError, match="download of CLIP weights failed"):
        load_clip(choice)
    assert hub.recent_failure(choice.version, state_dir=tmp_path) is not None

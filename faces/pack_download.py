"""Fetch the weights of a face pack from its publisher: bounded in time and size, all or nothing.

insightface's own downloader waits without a timeout and leaves half a pack behind that looks whole; these are
the same files from the same addresses. One process downloads at a time; a failure is remembered for a day.
"""

import hashlib
import http.client
import shutil
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from jobs import hub

PROBE_SECONDS = 10
READ_TIMEOUT_SECONDS = 30
DEADLINE_SECONDS = 15 * 60
MAX_BYTES = 1024**3  # the largest pack is 361 MB
CHUNK_BYTES = 1024 * 1024

# insightface 2.1, utils/storage.py: MODEL_ZOO_RELEASE_DOWNLOAD_URL
INSIGHTFACE_URL = "https://github.com/deepinsight/insightface/releases/download/model-zoo"
OPENCV_URL = "https://github.com/opencv/opencv_zoo/raw/main/models"
OPENCV_FILES = {
    "face_detection_yunet_2023mar.onnx": (
        "face_detection_yunet",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    ),
    "face_recognition_sface_2021dec.onnx": (
        "face_recognition_sface",
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    ),
}


class DownloadError(Exception):
    """The weights could not be fetched now; the message is a clause for people."""


def fetch(name: str, files: Sequence[str], folder: Path, *, state_dir: Path) -> None:
    """Put `files` of pack `name` into `folder`, or raise DownloadError and leave `folder` as it was.

    A failure of the last 24 hours is answered from memory, without touching the network.
    """
    key = f"face-pack-{name}"
    if reason := hub.recent_failure(key, state_dir=state_dir):
        raise DownloadError(f"{name} could not be downloaded ({reason})")
    _check_hub(name, state_dir)
    try:
        with FileLock(state_dir / "hub" / f"{key}.lock", timeout=0):
            if not all((folder / file).is_file() for file in files):  # else another process was faster
                _fetch_into(name, files, folder)
    except Timeout as error:
        raise DownloadError(f"{name} is being downloaded by another process") from error
    except (OSError, http.client.HTTPException, zipfile.BadZipFile, DownloadError) as error:
        hub.remember_failure(key, str(error), state_dir=state_dir)
        raise DownloadError(f"{name} could not be downloaded ({error})") from error


def _check_hub(name: str, state_dir: Path) -> None:
    url = OPENCV_URL if name == "opencv" else INSIGHTFACE_URL
    if not hub.is_reachable(url, state_dir=state_dir, timeout_seconds=PROBE_SECONDS):
        raise DownloadError(f"{name} could not be downloaded (its publisher cannot be reached)")


def _fetch_into(name: str, files: Sequence[str], folder: Path) -> None:
    """Download beside `folder`, then rename: a reader sees each file whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as temporary:
        workspace = Path(temporary)
        deadline = time.monotonic() + DEADLINE_SECONDS
        if name == "opencv":
            for file in files:
                place, checksum = OPENCV_FILES[file]
                _download(f"{OPENCV_URL}/{place}/{file}", workspace / file, deadline)
                _check_sha256(workspace / file, checksum)
        else:
            archive = workspace / f"{name}.zip"
            _download(f"{INSIGHTFACE_URL}/{name}.zip", archive, deadline)
            _unpack(archive, files, workspace)
        folder.mkdir(exist_ok=True)
        for file in files:
            (workspace / file).replace(folder / file)


def _download(url: str, target: Path, deadline: float) -> None:
    """Stream one file to disk. A dead line ends after READ_TIMEOUT_SECONDS, a slow one at the deadline."""
    request = urllib.request.Request(url, headers={"User-Agent": "chitra"})
    with urllib.request.urlopen(request, timeout=READ_TIMEOUT_SECONDS) as response, target.open("wb") as out:
        expected = response.headers.get("Content-Length")
        written = 0
        while chunk := response.read(CHUNK_BYTES):
            written += len(chunk)
            if written > MAX_BYTES:
                raise DownloadError(f"the file is larger than {MAX_BYTES // 1024**2} MB")
            if time.monotonic() > deadline:
                raise DownloadError(f"it took longer than {DEADLINE_SECONDS // 60} minutes")
            out.write(chunk)
    if expected is not None and written != int(expected):
        raise DownloadError(f"the connection broke after {written} of {expected} bytes")


def _unpack(archive: Path, files: Sequence[str], workspace: Path) -> None:
    """Take the wanted files out of a release archive, wherever they lie in it. zipfile checks their CRC."""
    with zipfile.ZipFile(archive) as packed:
        members = {Path(member.filename).name: member for member in packed.infolist() if not member.is_dir()}
        for file in files:
            member = members.get(file)
            if member is None:
                raise DownloadError(f"the archive holds no {file}")
            if member.file_size > MAX_BYTES:
                raise DownloadError(f"{file} is larger than {MAX_BYTES // 1024**2} MB")
            with packed.open(member) as source, (workspace / file).open("wb") as out:
                shutil.copyfileobj(source, out, CHUNK_BYTES)


def _check_sha256(path: Path, expected: str) -> None:
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != expected:
            raise DownloadError(f"{path.name} is not the published file")

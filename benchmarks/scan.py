"""Scan a folder beside a plain walk of it: unchanged files, and a first import.

The rescan's other side is os.scandir and stat of the same tree in the same run, in turns: what the system
needs to say which files there are. Targets: 20,000 files a second, or 40 % of the plain walk.
"""

import argparse
import os
import time
from pathlib import Path

from benchmarks.stage import interleaved, own_chitra, print_table, resident_megabytes

PER_FOLDER = 500
TARGET_PER_SECOND = 20_000
TARGET_SHARE = 0.4


def main() -> None:
    """Print one row for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=1000, help="files of the first import")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with own_chitra() as directory:
        measure(directory, options.files, options.first, options.rounds)


def measure(directory: Path, files: int, first: int, rounds: int) -> None:
    """Index a small tree for real, then rescan a large one whose rows are there."""
    from django.conf import settings

    from chitra.sources.models import Folder
    from chitra.sources.scanning import Scan
    from photos.models import Library

    settings.SCAN_ROOTS = [directory]
    library = Library.objects.create(name="Benchmark")
    rows = []
    # The first one loads libraries; memory is flat when the others, ten times as long, add nothing.
    for number, (name, count) in enumerate(
        {"Import, warming up": first // 10, "First import": first, "Another one": first}.items()
    ):
        small = make_pictures(directory / f"small {number}", count, start=number * first)
        folder = Folder.objects.create(library=library, path=str(small))
        before = resident_megabytes()
        started = time.perf_counter()
        report = Scan(folder).run()
        seconds = time.perf_counter() - started
        assert report.counts["added"] == count, report.counts
        rows.append([name, f"{count:,}", f"{count / seconds:,.0f}", "", "", growth(before)])

    large = Folder.objects.create(library=library, path=str(make_files(directory / "large", files)))
    know_all(large)
    Scan(large).run()
    before = resident_megabytes()
    counts = {"unchanged": 0}

    def rescan(number: int) -> None:
        counts["unchanged"] = Scan(large).run().counts["unchanged"]

    medians = interleaved({"walk": lambda number: walk(large.root), "rescan": rescan}, rounds)
    assert counts["unchanged"] == files, counts
    rate, plain = files / medians["rescan"], files / medians["walk"]
    share = rate / plain
    verdict = "yes" if rate >= TARGET_PER_SECOND or share >= TARGET_SHARE else "NO"
    rows.append(
        ["Rescan, unchanged", f"{files:,}", f"{rate:,.0f}", f"{plain:,.0f}", f"{share:.0%}", growth(before)]
    )
    print_table(
        f"Scan of a folder; rescan ≥ {TARGET_PER_SECOND:,}/s or {TARGET_SHARE:.0%} of the walk: {verdict}",
        ["", "files", "files/s", "plain walk/s", "share", "memory grew"],
        rows,
    )


def growth(before: float) -> str:
    return f"{max(0.0, resident_megabytes() - before):.0f} MB"


def make_pictures(root: Path, count: int, *, start: int) -> Path:
    """Different small JPEGs: one picture with other bytes behind it, which decoders do not mind."""
    from photos.tests.pictures import jpeg

    data = jpeg(640, 480)
    for number in range(count):
        place(root, number).write_bytes(data + (start + number).to_bytes(8, "big"))
    return root


def make_files(root: Path, count: int) -> Path:
    """Tiny files: a rescan reads none of them."""
    for number in range(count):
        place(root, number).touch()
    return root


def place(root: Path, number: int) -> Path:
    folder = root / f"{number // PER_FOLDER:04}"
    if number % PER_FOLDER == 0:
        folder.mkdir(parents=True)
    return folder / f"IMG_{number:06}.jpg"


def know_all(folder: "Folder") -> None:  # type: ignore[name-defined]  # noqa: F821 - Django is set up later
    """Rows as if a scan had seen every file."""
    from chitra.sources.listing import list_tree
    from chitra.sources.models import FolderFile
    from photos.storages.folders import escaped

    listed = list_tree(folder.root, folder.rules, escaped)
    rows = (
        FolderFile(folder=folder, path=entry.path, size=entry.size, mtime_ns=entry.mtime_ns)
        for entry in listed
    )
    FolderFile.objects.bulk_create(rows, batch_size=5000)


def walk(root: Path) -> int:
    """What the system needs to list and stat every file."""
    count = 0
    folders = [str(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count


if __name__ == "__main__":
    main()

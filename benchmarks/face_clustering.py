"""How well faces are grouped, on a folder of labelled pictures or on made-up people.

    python -m benchmarks.face_clustering FOLDER [--pack buffalo_sc] [--model-dir DIR] [--shuffles 5]
    python -m benchmarks.face_clustering --made-up 200 [--photos 1000] [--seed 1]

A picture is labelled by its folder, or by its file name without the number (`asha_1.jpg`). Its largest face
has the label; a name that begins with another label (`asha_bela_1.jpg`) labels nobody, but its faces take
part. The real pack detects and describes; `faces.clustering` groups.

Pairwise and BCubed precision and recall are over the labelled faces; a face in no group counts as a group of
its own. Purity is the share of faces with the most frequent label of their group.
"""

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.stage import print_table
from faces import detection, packs
from faces.clustering import NOBODY, Faces, Settings, cluster

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
LONGEST_SIDE = 1600  # of a preview


@dataclass(frozen=True)
class Seen:
    """One face of one picture; the label is "" when it is not known."""

    photo: int
    label: str
    face: detection.DetectedFace


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def labels_of(folder: Path, paths: Sequence[Path]) -> dict[Path, str]:
    """The label of each picture, "" for one that shows several people."""
    names = {
        path: path.parent.name if path.parent != folder else re.sub(r"[_-]?\d+$", "", path.stem)
        for path in paths
    }
    known = set(names.values())
    return {path: "" if begins_with_another(name, known) else name for path, name in names.items()}


def begins_with_another(name: str, known: set[str]) -> bool:
    return any(other and name.startswith(f"{other}_") for other in known if name != other)


def look(folder: Path, model: detection.FaceModel) -> Iterator[Seen]:
    paths = pictures(folder)
    labels = labels_of(folder, paths)
    for number, path in enumerate(paths):
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        found = model.detect(np.asarray(image))
        largest = max(found, key=area, default=None)
        for face in found:
            yield Seen(number, labels[path] if face is largest else "", face)


def area(face: detection.DetectedFace) -> float:
    x1, y1, x2, y2 = face.box
    return (x2 - x1) * (y2 - y1)


def group(seen: Sequence[Seen], threshold: float) -> dict[int, int]:
    """Group number by position in `seen`; a face in no group has one of its own."""
    faces = Faces(
        ids=np.arange(len(seen)),
        vectors=np.stack([one.face.embedding for one in seen]).astype(np.float32),
        photos=np.array([one.photo for one in seen]),
        quality=np.array([one.face.quality for one in seen], dtype=np.float32),
        confirmed=np.full(len(seen), NOBODY),
    )
    groups = cluster(faces, Settings.for_threshold(threshold))
    found = {face: number for number, members in enumerate(groups) for face in members.faces}
    return {face: found.get(face, len(groups) + face) for face in range(len(seen))}


def scores(labels: Mapping[int, str], groups: Mapping[int, int]) -> dict[str, float]:
    """Over the faces that have a label, all 0 to 1."""
    by_both = Counter((labels[face], groups[face]) for face in labels)
    by_label, by_group = Counter(labels.values()), Counter(groups[face] for face in labels)
    count = len(labels)
    precision = sum(n * n / by_group[number] for (_, number), n in by_both.items()) / count
    recall = sum(n * n / by_label[label] for (label, _), n in by_both.items()) / count
    together = sum(pairs(n) for n in by_both.values())
    best: Counter[int] = Counter()
    for (_, number), n in by_both.items():
        best[number] = max(best[number], n)
    return {
        "pairwise precision": together / max(1, sum(pairs(n) for n in by_group.values())),
        "pairwise recall": together / max(1, sum(pairs(n) for n in by_label.values())),
        "BCubed precision": precision,
        "BCubed recall": recall,
        "BCubed F1": 2 * precision * recall / (precision + recall),
        "purity": sum(best.values()) / count,
    }


def pairs(n: int) -> int:
    return n * (n - 1) // 2


def same_photo_merges(seen: Sequence[Seen], groups: Mapping[int, int]) -> int:
    """How often two faces of one picture are in one group; must be 0."""
    counts = Counter((seen[face].photo, number) for face, number in groups.items())
    return sum(n - 1 for n in counts.values())


def shuffles_that_differ(seen: Sequence[Seen], threshold: float, times: int) -> int:
    before = partition(group(seen, threshold), range(len(seen)))
    differ = 0
    for seed in range(times):
        order = list(range(len(seen)))
        random.Random(seed).shuffle(order)
        differ += partition(group([seen[place] for place in order], threshold), order) != before
    return differ


def partition(groups: Mapping[int, int], names: Sequence[int]) -> set[frozenset[int]]:
    members: dict[int, set[int]] = {}
    for face, number in groups.items():
        members.setdefault(number, set()).add(names[face])
    return {frozenset(faces) for faces in members.values()}


def main() -> None:
    from benchmarks import made_up_faces  # it needs Seen

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--made-up", type=int, metavar="PEOPLE", help="instead of a folder")
    parser.add_argument("--photos", type=int, default=1000, help="of made-up people")
    parser.add_argument("--seed", type=int, default=1, help="of made-up people")
    parser.add_argument("--pack", default="buffalo_sc", choices=packs.PACK_NAMES)
    parser.add_argument("--model-dir", type=Path)
    parser.add_argument("--threshold", type=float, help="default: the pack's")
    parser.add_argument("--shuffles", type=int, default=5)
    options = parser.parse_args()
    if (options.folder is None) == (options.made_up is None):
        parser.error("give a folder or --made-up")
    choice = packs.choose(
        pack=options.pack, model_dir=options.model_dir, state_dir=Path(".cache"), may_download=False
    )
    threshold = options.threshold or choice.match_threshold
    started = time.monotonic()
    if options.folder is None:
        seen = made_up_faces.made_up(options.made_up, options.photos, options.seed)
    else:
        seen = list(look(options.folder, detection.load(choice, threads=2)))
    seconds = time.monotonic() - started
    groups = group(seen, threshold)
    labels = {place: one.label for place, one in enumerate(seen) if one.label}
    differ = shuffles_that_differ(seen, threshold, options.shuffles)
    rows = [[name, f"{value:.4f}"] for name, value in scores(labels, groups).items()]
    rows += [
        ["same-photo merges", str(same_photo_merges(seen, groups))],
        ["shuffles that differ", f"{differ} of {options.shuffles}"],
        ["pictures", str(len({one.photo for one in seen}))],
        ["faces, labelled", f"{len(seen)}, {len(labels)}"],
        ["seconds to find them", f"{seconds:.1f}"],
    ]
    title = choice.name if options.folder else f"{options.made_up} made-up people"
    print_table(f"{title}, threshold {threshold}", ["measure", "value"], rows)


if __name__ == "__main__":
    main()

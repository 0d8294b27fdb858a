"""The 1,000 classes of ImageNet: what the offline encoder has words for."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LABELS_PATH = Path(__file__).with_name("imagenet_labels.tsv")
WHOLE_SHARE, PART_SHARE = 0.5, 0.25  # of a label in a text that is its name, or in which it is named
MOST_WORDS = 3
FILLERS = frozenset(["a", "an", "at", "by", "in", "of", "on", "the", "with"])


@dataclass(frozen=True)
class Label:
    """One ImageNet class: its WordNet synset, its names (best first), and what kind of thing it is."""

    wnid: str
    names: tuple[str, ...]
    hypernyms: tuple[str, ...]

    @property
    def caption(self) -> str:
        return f"a photo of {', '.join(self.names + self.hypernyms)}"


@cache
def read_labels() -> tuple[Label, ...]:
    """The 1,000 classes, in the order of the classifier's outputs."""
    lines = [line for line in LABELS_PATH.read_text().splitlines() if not line.startswith("#")]
    rows = (line.split("\t") for line in lines[1:])
    return tuple(
        Label(wnid, tuple(names.split(";")), tuple(filter(None, hypernyms.split(";"))))
        for wnid, names, hypernyms in rows
    )


def labels_in(text: str) -> tuple[tuple[int, ...], float]:
    """Labels that a text names, and how much of its meaning they are: WHOLE_SHARE, PART_SHARE or 0.

    A name goes before a hypernym, which stands for all labels below it (“dog”); of several the longest first
    one counts. A plural “s” is no difference.
    """
    words = plain(text).split()
    if words and words[0] in FILLERS:
        words = words[1:]
    if found := named(" ".join(words)):
        return found, WHOLE_SHARE
    for length in range(min(MOST_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length])
            if run not in FILLERS and (found := named(run) or named(run.removesuffix("s"))):
                return found, PART_SHARE
    return (), 0.0


def named(name: str) -> tuple[int, ...]:
    """Labels of this name, else those of which it is a hypernym."""
    names, hypernyms = index()
    return names.get(name) or hypernyms.get(name) or ()


@cache
def index() -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Places of labels by their names, and by their hypernyms."""
    names: dict[str, tuple[int, ...]] = {}
    hypernyms: dict[str, tuple[int, ...]] = {}
    for place, label in enumerate(read_labels()):
        for found, said in ((names, label.names), (hypernyms, label.hypernyms)):
            for name in {plain(one) for one in said}:
                found[name] = (*found.get(name, ()), place)
    return names, hypernyms


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold()))

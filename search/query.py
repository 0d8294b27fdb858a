"""What a query asks for: people and places by their names, kinds of photos, and words for the rest."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

JOINING = frozenset(["and", "of", "photo", "photos", "picture", "pictures", "with"])
TRAILING = JOINING | {"a", "an", "by", "in", "on", "the"}  # “in the snow” after a name stays as it is


EMPTY_WORDS = TRAILING | {"at", "for", "from", "or", "to"}
MOST_WORDS = 10
VIDEOS = re.compile(
    r"^(?:videos|movies|films|clips)\b|^(?:video|movie|film|clip)(?=\s+(?:of|from|with)\b)|\bvideos$", re.I
)
FAVORITES = re.compile(r"^(?:my\s+)?favou?rites?\b", re.I)
FILE_NAME = re.compile(r"[\w().+-]+\.[a-z0-9]{2,5}|[a-z]{2,8}[_-]?\d{3,}[\w-]*", re.I)


@dataclass(frozen=True)
class ParsedQuery:
    """Names of people who all have to be on a photo, in order of appearance, and what else it has to show."""

    names: tuple[str, ...]
    words: str


def understand(text: str, names: Iterable[str]) -> ParsedQuery:
    """Find the names in a query, in any case and as whole words; of overlapping ones the longest wins.

    Words that only joined a name to the rest are dropped, so “photos of Alice with a dog” looks for “a dog”.
    """
    found: dict[str, int] = {}
    rest = " ".join(text.split())
    for name in sorted({name for name in names if name.strip()}, key=lambda name: (-len(name), name)):
        pattern = re.compile(rf"(?<!\w){re.escape(name)}(?:['’]s)?(?!\w)", re.IGNORECASE)
        if match := pattern.search(rest):
            found[name] = match.start()
            rest = pattern.sub(lambda hit: "\0" * len(hit[0]), rest)
    if not found:
        return ParsedQuery((), rest)
    return ParsedQuery(tuple(sorted(found, key=found.__getitem__)), join_parts(rest.split("\0")))


def join_parts(parts: Iterable[str]) -> str:
    """What was around the names, each part without the words that joined it to a name."""
    trimmed = (trim_fillers(part.replace(",", " ").split()) for part in parts)
    return " ".join(part for part in trimmed if part)


def trim_fillers(words: list[str]) -> str:
    while words and words[0].casefold() in JOINING:
        words = words[1:]
    while words and words[-1].casefold() in TRAILING:
        words = words[:-1]
    return " ".join(words)


def find_kinds(text: str) -> tuple[frozenset[str], str]:
    """Which of “video” and “favorite” a query asks for, and the rest: “favourite videos of dogs”."""
    kinds = set()
    for kind, pattern in (("favorite", FAVORITES), ("video", VIDEOS)):
        if match := pattern.search(text):
            kinds.add(kind)
            text = f"{text[: match.start()]} {text[match.end() :]}".strip()
    return frozenset(kinds), trim_fillers(text.split()) if kinds else text


def file_name_in(text: str) -> str:
    """The text if it looks like a file's name (“IMG_1234”, “beach.jpg”), else ""."""
    return text if FILE_NAME.fullmatch(text) else ""


def content_words(text: str) -> list[str]:
    """The words that say something, the first MOST_WORDS of them, each once."""
    words = dict.fromkeys(text.casefold().replace(",", " ").split())
    return [word for word in words if word not in EMPTY_WORDS][:MOST_WORDS]

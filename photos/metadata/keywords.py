"""Keywords of files as tags: hierarchies as paths, and each keyword once."""

import re
from collections.abc import Iterable

MAX_KEYWORDS = 500
MAX_LENGTH = 200
_SEPARATORS = re.compile(r"\s*[|/]\s*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def as_tags(flat: Iterable[str], hierarchical: Iterable[str]) -> list[str]:
    """Names of tags: `Places/France/Paris` for a hierarchy, whose single words are not tags once more.

    In the order of the file, the same word in another case only once.
    """
    paths = [_clean("/".join(part for part in _SEPARATORS.split(text) if part)) for text in hierarchical]
    parts = {part.casefold() for path in paths for part in path.split("/")}
    words = [word for word in map(_clean, flat) if word.casefold() not in parts]
    once = {name.casefold(): name for name in reversed([*paths, *words]) if name}
    return list(reversed(once.values()))[:MAX_KEYWORDS]


def _clean(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:MAX_LENGTH].rstrip()

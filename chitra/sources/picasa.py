"""`.picasa.ini`, in which Picasa keeps what it knows about the files of a folder. Bytes in; no Django.

Not read by `configparser`, which refuses a file for one wrong line and needs time with the square of a
line's length. Captions and keywords stand here only for files that Picasa cannot write them into.
"""

import html
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chitra.sources.details import Details, clean_texts
from faces.regions import MAX_REGIONS, Region, box_within
from photos.metadata.xmp import parse_packet

NAMES = (".picasa.ini", "picasa.ini")
"""In any capitals; the first versions had no dot."""
CONTACTS = "contacts.xml"
TURNED = "Picasa shows it turned; the file itself is not."
ALBUM = ".album:"
FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\),([0-9a-f]{1,16})", re.IGNORECASE)
Section = dict[str, str]
NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Entry:
    """What is said about one file, its albums, and a remark for a report."""

    details: Details
    albums: tuple[str, ...] = ()
    remark: str = ""

    def facts(self) -> set[str]:
        """All that is said, one text for each thing."""
        details = self.details
        values: dict[str, Collection[object]] = {
            "caption": [details.description] if details.description else [],
            "place": [(details.latitude, details.longitude)] if details.latitude is not None else [],
            "star": [True] if details.is_favorite else [],
            "hidden": [True] if details.is_archived else [],
            "keyword": details.tags,
            "face": details.faces,
            "album": self.albums,
        }
        return {fact(kind, value) for kind, several in values.items() for value in several}

    def beyond(self, known: Collection[str]) -> "Entry":
        """What is said that is not among these facts."""
        details = self.details

        def is_new(kind: str, value: object) -> bool:
            return fact(kind, value) not in known

        is_new_place = is_new("place", (details.latitude, details.longitude))
        return Entry(
            Details(
                description=details.description if is_new("caption", details.description) else "",
                latitude=details.latitude if is_new_place else None,
                longitude=details.longitude if is_new_place else None,
                tags=tuple(tag for tag in details.tags if is_new("keyword", tag)),
                is_favorite=details.is_favorite and is_new("star", True),
                is_archived=details.is_archived and is_new("hidden", True),
                faces=tuple(face for face in details.faces if is_new("face", face)),
            ),
            tuple(title for title in self.albums if is_new("album", title)),
        )


def fact(kind: str, value: object) -> str:
    return f"{kind} {value}"


def is_ini(name: str) -> bool:
    return name.casefold() in NAMES


def parse(data: bytes, contacts: Mapping[str, str] = NOBODY) -> dict[str, Entry]:
    """Entries by the name of a file in lower case. `contacts` has names by id that the file itself lacks."""
    sections = dict(sections_of(decoded(data)))
    named = {key: text_of(name.partition(";")[0]) for key, name in sections.get("contacts2", {}).items()}
    people = {**contacts, **{key: name for key, name in named.items() if name}}
    albums = {
        title.removeprefix(ALBUM): text_of(section.get("name", ""))
        for title, section in sections.items()
        if title.startswith(ALBUM)
    }
    return {title: entry_of(section, people, albums) for title, section in sections.items()}


def read_contacts(data: bytes) -> dict[str, str]:
    """Names by id of Picasa's `contacts.xml`; none of other XML."""
    root = parse_packet(data)
    if root is None or root.tag != "contacts":
        return {}
    found = {each.get("id", "").lower(): each.get("name", "").strip() for each in root.iter("contact")}
    return {key: name for key, name in found.items() if key and name}


def decoded(data: bytes) -> str:
    """Without null characters, which no text in the database may have."""
    data = data.replace(b"\0", b"")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def sections_of(text: str) -> Iterator[tuple[str, Section]]:
    """Titles in lower case with their values; lines that are neither are passed over."""
    section: Section = {}
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = {}
            yield stripped[1:-1].casefold(), section
        else:
            key, equals, value = stripped.partition("=")
            if equals:
                section[key.rstrip().lower()] = value.lstrip()


def entry_of(section: Section, people: Mapping[str, str], albums: Mapping[str, str]) -> Entry:
    latitude, longitude = place_of(section.get("geotag", ""))
    details = Details(
        description=text_of(section.get("caption", "")),
        latitude=latitude,
        longitude=longitude,
        tags=clean_texts(text_of(section.get("keywords", "")).split(",")),
        is_favorite=section.get("star") == "yes",
        is_archived=section.get("hidden") == "yes",
        faces=tuple(faces_of(section.get("faces", ""), people)),
    )
    tokens = section.get("albums", "").lower().split(",")
    is_turned = section.get("rotate", "rotate(0)") != "rotate(0)"
    titles = clean_texts(albums.get(token.strip(), "") for token in tokens)
    return Entry(details, titles, TURNED if is_turned else "")


def faces_of(text: str, people: Mapping[str, str]) -> Iterator[Region]:
    """`rect64(3f845bcb59418507),8e62398ebda8c1a5;…`: 16 bits for each edge, then whose face it is.

    They are one number of 64 bits, so zeros in front are missing; 65535 is the right or lower edge.
    """
    for number, contact in FACE.findall(text)[:MAX_REGIONS]:
        digits = number.zfill(16)
        x1, y1, x2, y2 = (int(digits[at : at + 4], 16) / 65535 for at in (0, 4, 8, 12))
        name, box = people.get(contact.lower(), ""), box_within(x1, y1, x2, y2)
        if name and box:
            yield Region(name, box)


def place_of(text: str) -> tuple[float | None, float | None]:
    """Degrees of `48.1,11.5`."""
    try:
        latitude, longitude = map(float, text.split(","))
    except ValueError:
        return None, None
    is_place = abs(latitude) <= 90 and abs(longitude) <= 180
    return (latitude, longitude) if is_place else (None, None)


def text_of(text: str) -> str:
    """Picasa writes line breaks as `\\n` and some letters as `&#233;`."""
    return html.unescape(text.replace("\\n", "\n")).strip()

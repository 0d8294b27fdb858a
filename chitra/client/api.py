"""The API in Python: what is there to be listed, found, changed and uploaded."""

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypedDict, cast

from chitra.client.transport import PAUSES_SECONDS, Answer, ApiError, Transport, Unreachable, checked

PAGE_SIZE = 500
TUS = {"Tus-Resumable": "1.0.0"}
Progress = Callable[[int], object]


class Photo(TypedDict):
    """A photo as the API tells it. Times are wall clocks: YYYY-MM-DDTHH:MM:SS."""

    id: int
    name: str
    title: str
    description: str
    created_at: str
    uploaded_at: str
    mime_type: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    latitude: float | None
    longitude: float | None
    camera: str
    rating: int | None
    favorite: bool
    archived: bool
    library_id: int
    score: float | None


class Album(TypedDict):
    id: int
    library_id: int
    name: str
    photo_count: int


class Known(TypedDict):
    checksum: str
    photo_id: int
    trashed: bool


@dataclass(frozen=True)
class Uploaded:
    """What became of a file."""

    photo_id: int
    is_duplicate: bool


class Client:
    """One account at one server. Safe to use from several threads.

    Methods raise ApiError when the server says no, Unreachable when it does not answer.
    """

    def __init__(self, url: str, *, key: str = "") -> None:
        self._transport = Transport(url, key)
        self.url = self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @classmethod
    def log_in(cls, url: str, *, email: str, password: str, key_name: str) -> tuple["Client", str]:
        """A client with a new API key of this name, and the key, to be kept for the next time."""
        form = {"username": email, "password": password}
        token = Transport(url).request("POST", "/api/auth/login", form=form).json()["access_token"]
        key = Transport(url, token).request("POST", "/api/keys", body={"name": key_name}).json()["key"]
        return cls(url, key=key), key

    def who_am_i(self) -> str:
        """The e-mail address of the account."""
        return str(self.get("/api/auth/me")["email"])

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of any endpoint that is read."""
        return self._transport.request("GET", path, query=query).json()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that any other endpoint answers; None for an empty answer."""
        answer = self._transport.request(method, path, body=body or {})
        return answer.json() if answer.body else None

    def photos(self, **filters: Any) -> Iterator[Photo]:
        """All photos that fit, newest first; filters are those of `GET /api/photos`."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get("/api/photos", limit=PAGE_SIZE, cursor=cursor, **as_query(filters))
            yield from page["items"]
            cursor = page["next_cursor"]

    def photo(self, photo_id: int) -> Photo:
        return cast(Photo, self.get(f"/api/photos/{photo_id}"))

    def change_photo(self, photo_id: int, **changes: Any) -> Photo:
        """Title, description, rating, favorite, archived; what is left out stays."""
        return cast(Photo, self.send("PATCH", f"/api/photos/{photo_id}", changes))

    def search(self, query: str, *, limit: int = 20, **filters: Any) -> list[Photo]:
        """Photos that show what the query says, best first; each has a `score`."""
        found = self.get("/api/search/photos", q=query, limit=limit, **as_query(filters))
        return cast(list[Photo], found["results"])

    def bulk(self, action: str, *, ids: Sequence[int], **values: Any) -> int:
        """One action on many photos; how many were concerned."""
        answer = self.send("POST", "/api/photos/bulk", {"action": action, "ids": list(ids), **values})
        return int(answer["changed"])

    def albums(self) -> Iterator[Album]:
        offset = 0
        while items := self.get("/api/albums", limit=PAGE_SIZE, offset=offset)["items"]:
            yield from items
            offset += len(items)

    def create_album(self, name: str) -> Album:
        return cast(Album, self.send("POST", "/api/albums", {"name": name}))

    def add_to_album(self, album_id: int, photo_ids: Sequence[int]) -> int:
        """How many were not in it before."""
        return int(self.send("POST", f"/api/albums/{album_id}/photos", {"ids": list(photo_ids)})["added"])

    def check(self, checksums: Sequence[str]) -> dict[str, Known]:
        """Which of these SHA-256 or SHA-1 checksums (at most 10,000) are there already."""
        answer = self._transport.request(
            "POST", "/api/photos/check", body={"checksums": checksums}, repeat=True
        )
        return {known["checksum"]: known for known in answer.json()["existing"]}

    def upload(
        self, path: Path, *, resume: str = "", began: Callable[[str], object] = str, progress: Progress = int
    ) -> Uploaded:
        """Send a file; a connection that breaks is taken up where it stood.

        `began` is told where the upload lies on the server: given back as `resume`, also another process goes
        on with it. `progress` hears of bytes as they go.
        """
        size = path.stat().st_size
        location, offset = resume, self.offset_of(resume) if resume else None
        if offset is None:
            location, offset = self.begin(path.name, size), 0
            began(location)
        progress(offset)
        with path.open("rb") as file:
            return uploaded(self.send_rest(location, file, offset, size, progress))

    def begin(self, name: str, size: int) -> str:
        """Announce a file; where it is to be sent. Announced twice, the first is forgotten after a while."""
        metadata = "filename " + base64.b64encode(name.encode("utf-8", "replace")).decode()
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
        answer = self._transport.request("POST", "/api/uploads", headers=headers, repeat=True)
        return str(answer.headers["Location"])

    def offset_of(self, location: str) -> int | None:
        """How much the server has of it; None when it forgot it."""
        try:
            answer = self._transport.request("HEAD", location, headers=TUS)
        except ApiError:
            return None
        return int(answer.headers["Upload-Offset"])

    def send_rest(self, location: str, file: BinaryIO, offset: int, size: int, progress: Progress) -> Answer:
        """Send from `offset` on, again and again as long as something arrives."""
        pauses = iter(PAUSES_SECONDS)
        while True:
            file.seek(offset)
            rest = Counted(file, size - offset, progress)
            headers = {
                **TUS,
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(size - offset),
            }
            try:
                return checked(self._transport.send("PATCH", location, cast(BinaryIO, rest), headers))
            except (Unreachable, ApiError) as error:
                is_final = isinstance(error, ApiError) and error.status not in (409, 429, 502, 503, 504)
                pause = next(pauses, None)
                if is_final or pause is None:
                    raise
                time.sleep(pause)
            there = self.offset_of(location)
            if there is None:
                raise Unreachable("The server forgot the upload. Try it again.")
            progress(there - offset - rest.sent)
            if there > offset:
                pauses = iter(PAUSES_SECONDS)
            if there == size:
                return self._transport.request("HEAD", location, headers=TUS)
            offset = there


class Counted:
    """The rest of a file, which tells how much of it was read."""

    def __init__(self, file: BinaryIO, left: int, progress: Progress) -> None:
        self._file = file
        self._left = left
        self._progress = progress
        self.sent = 0

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        self.sent += len(data)
        self._progress(len(data))
        return data


def uploaded(answer: Answer) -> Uploaded:
    return Uploaded(int(answer.headers["Chitra-Photo-Id"]), answer.headers["Chitra-Duplicate"] == "true")


def as_query(filters: dict[str, Any]) -> dict[str, Any]:
    """Filters as a URL writes them: booleans in small letters, nothing for None."""
    written = {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()
    }
    return {name: value for name, value in written.items() if value is not None}

"""The main job on a running Chitra: photos in, found by words and by faces.

    python benchmarks/main_job.py URL KEY FOLDER

FOLDER holds `scenes/` (the file name says what is shown) and `people/` (the file name says who is on it). Its
pictures are uploaded; those the library has already are answered as duplicates. Prints photos per second to
acknowledged and to fully processed, recall@1 and @5 of the text search with each scene's name as the query,
pairwise precision and recall of the people, and the resident memory of Chitra's processes on this machine.
"""

import argparse
import json
import re
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 60
UNFINISHED = ("pending", "running")
PART = re.compile(r"daphne|web_server|qcluster( -n ml)?|manage.py run|chitra.embedded")
Pairs = set[frozenset[int]]


class Server:
    """The REST API with a key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self.key = key

    def get(self, path: str) -> Any:
        return self.ask(Request(f"{self.url}{path}"))

    def ask(self, request: Request) -> Any:
        request.add_header("Authorization", f"Bearer {self.key}")
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)

    def upload(self, path: Path) -> str:
        """Send one file: "saved", "duplicate" or "refused"."""
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        request = Request(f"{self.url}/api/photos/upload", data=body, method="POST")
        request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        try:
            answer = self.ask(request)
        except HTTPError as error:
            if error.code in (400, 413, 415):
                return "refused"
            raise
        return "saved" if answer["saved"] else "duplicate"

    def unfinished(self) -> int:
        """Steps that are still to be done."""
        counts = self.get("/api/photos/progress")["steps"]
        return sum(step[status] for step in counts.values() for status in UNFINISHED)

    def photo_names(self) -> dict[int, str]:
        """File name by photo id."""
        names: dict[int, str] = {}
        while page := self.get(f"/api/photos?limit=1000&offset={len(names)}")["items"]:
            names.update({photo["id"]: photo["name"] for photo in page})
        return names


def measure_ingest(server: Server, folder: Path) -> None:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "README"]
    ends: dict[str, int] = defaultdict(int)
    started = time.monotonic()
    for path in files:
        ends[server.upload(path)] += 1
    acknowledged = time.monotonic() - started
    while server.unfinished():
        time.sleep(POLL_SECONDS)
    processed = time.monotonic() - started
    print(f"uploads          {dict(ends)}")
    print(f"acknowledged     {len(files) / acknowledged:8.1f} files/s ({acknowledged:.1f} s)")
    if ends["saved"]:
        print(f"fully processed  {ends['saved'] / processed:8.1f} photos/s ({processed:.1f} s)")


def measure_search(server: Server, folder: Path) -> None:
    scenes = sorted(path for path in (folder / "scenes").iterdir() if path.is_file())
    first = among_five = shown = 0
    for path in scenes:
        query = quote(path.stem.replace("_", " "))
        best = server.get(f"/api/search/photos?q={query}&limit=5&min_score=0")["results"]
        names = [photo["name"] for photo in best]
        first += names[:1] == [path.name]
        among_five += path.name in names
        found = server.get(f"/api/search/photos?q={query}&limit=100")["results"]
        shown += path.name in {photo["name"] for photo in found}
    total = len(scenes)
    print(
        f"search           recall@1 {first / total:.3f}, recall@5 {among_five / total:.3f} ({total} queries)"
    )
    print(
        f"                 with the product's own cutoff the photo is shown for {shown / total:.3f} of them"
    )


def measure_people(server: Server, folder: Path) -> None:
    labels = labels_of({path.stem for path in (folder / "people").iterdir()})
    names = {pk: Path(name).stem for pk, name in server.photo_names().items()}
    faces = [face for face in server.get("/api/faces")["items"] if names.get(face["photo_id"]) in labels]
    truth = label_faces(faces, {pk: labels[stem] for pk, stem in names.items() if stem in labels})
    said = pairs_of({face["face_id"]: face["person_id"] for face in faces if face["person_id"]})
    true = pairs_of(truth)
    right = len(said & true)
    precision, recall = right / max(1, len(said)), right / max(1, len(true))
    print(f"people           pairwise precision {precision:.3f}, recall {recall:.3f} ({len(faces)} faces)")


def labels_of(stems: set[str]) -> dict[str, tuple[str, ...]]:
    """Who is on each picture: `a_b_1` shows both `a` and `b` when these have pictures of their own."""
    bare = {stem: re.sub(r"(_\d+|_partial)+$", "", stem) for stem in stems}
    known = set(bare.values())

    def split(name: str) -> tuple[str, ...]:
        for cut in (match.start() for match in re.finditer("_", name)):
            left, right = name[:cut], name[cut + 1 :]
            if left in known and right in known:
                return *split(left), *split(right)
        return (name,)

    return {stem: split(name) for stem, name in bare.items()}


def label_faces(faces: Iterable[Mapping[str, Any]], labels: Mapping[int, tuple[str, ...]]) -> dict[int, str]:
    """Face id to true person. The largest faces of a picture are the people it is named after.

    On a picture of several each label goes to the face whose person has that label on pictures of one, so
    that these can only err in our favour; what is left over is dealt out by size. Faces in the background are
    nobody: grouping one with anybody is wrong.
    """
    by_photo: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for face in faces:
        by_photo[face["photo_id"]].append(face)
    truth: dict[int, str] = {}
    person_of_label: dict[str, Any] = {}
    for photo_id, found in sorted(by_photo.items(), key=lambda item: len(labels[item[0]])):
        wanted = labels[photo_id]
        largest = sorted(found, key=area, reverse=True)[: len(wanted)]
        open_labels = list(wanted)
        for label in wanted if len(wanted) > 1 else ():
            person = person_of_label.get(label, -1)
            match = next((face for face in largest if face["person_id"] == person), None)
            if match is not None:
                truth[match["face_id"]] = label
                largest.remove(match)
                open_labels.remove(label)
        for face, label in zip(largest, open_labels, strict=False):
            truth[face["face_id"]] = label
            if face["person_id"]:
                person_of_label.setdefault(label, face["person_id"])
    return truth


def area(face: Mapping[str, Any]) -> float:
    x1, y1, x2, y2 = face["box"]
    return float((x2 - x1) * (y2 - y1))


def pairs_of(groups: Mapping[int, Any]) -> Pairs:
    """Pairs of faces in one group."""
    members: dict[Any, list[int]] = defaultdict(list)
    for face, group in groups.items():
        members[group].append(face)
    return {frozenset(pair) for faces in members.values() for pair in combinations(faces, 2)}


def measure_memory(url: str) -> None:
    port = urlsplit(url).port or 80
    processes = sorted(resident_processes(port), key=lambda process: -process[1])
    for command, size in processes:
        print(f"memory           {size / 1024:7.0f} MB  {command}")
    if processes:
        total = sum(size for _, size in processes)
        print(f"memory           {total / 1024:7.0f} MB  in all, with shared pages counted once a process")


def resident_processes(port: int) -> Iterator[tuple[str, int]]:
    """Command and resident kB of the processes of the Chitra that listens on the port of this machine."""
    parents: dict[int, int] = {}
    commands: dict[int, tuple[str, int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            status = (entry / "status").read_text()
        except OSError:
            continue
        parent, size = re.search(r"PPid:\s+(\d+)", status), re.search(r"VmRSS:\s+(\d+)", status)
        if parent and size:
            parents[int(entry.name)] = int(parent[1])
            commands[int(entry.name)] = (command, int(size[1]))
    web = next((pid for pid, (command, _) in commands.items() if re.search(rf"-p {port}\b", command)), None)
    if web is None:
        return
    supervisor = parents[web]
    postmaster = embedded_postmaster(pid for pid in commands if parents[pid] == supervisor)
    for pid, (command, size_kb) in commands.items():
        above = (pid, *ancestors(pid, parents))
        part = PART.search(command)
        if part and supervisor in above:
            yield part[0], size_kb
        elif postmaster in above:
            yield command[command.rfind("postgres") :][:40], size_kb


def embedded_postmaster(pids: Iterable[int]) -> int | None:
    """The process id of the embedded PostgreSQL, found beside the lock that one of these processes holds."""
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                lock = link.readlink()
                if lock.name == "postgres.users":
                    return int((lock.parent / "postgres" / "postmaster.pid").read_text().split()[0])
            except OSError:
                continue
    return None


def ancestors(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    """The parent of a process, its parent and so on."""
    while pid in parents:
        pid = parents[pid]
        yield pid


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    server = Server(options.url, options.key)
    if not (options.folder / "scenes").is_dir() or not (options.folder / "people").is_dir():
        sys.exit(f"{options.folder} needs the folders scenes/ and people/.")
    measure_ingest(server, options.folder)
    measure_search(server, options.folder)
    measure_people(server, options.folder)
    measure_memory(options.url)


if __name__ == "__main__":
    main()

"""What the schema says, a live server does: schemathesis makes requests of it and checks the answers.

All of its checks are on, in all phases: examples, every boundary of the schema, made-up requests, and
sequences of them. `object_level_authorization` needs two accounts that are to see nothing of each other, so
it has a test of its own, in which nobody can close the other's account; in the first one it has nothing to
do. `GET /api/events` is the one operation left out: its answer has no end. What single checks allow single
operations beyond the usual stands with its reason in schemathesis.toml.

Ids of what is there are among the values, or most requests would end at 404. FUZZ_EXAMPLES is how many
requests are made up for each operation: two in `make test`, hundreds in `make fuzz`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chitra.accounts.models import User
from chitra.accounts.tokens import login_token
from chitra.client.transport import Transport
from chitra.tests.processes import database_url
from chitra.tests.small_world import World
from chitra.tests.web import WebProcess
from faces.models import Face, Person
from photos.models import Album, Photo, Stack
from photos.tests.pictures import jpeg

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
PHASES = os.environ.get("FUZZ_PHASES", "examples,coverage,fuzzing,stateful")
SEED = os.environ.get("FUZZ_SEED", "1")
LIMIT_SECONDS = 60 * 60
LOAD_SECONDS = 180
UNENDING = "/api/events"
TO_BE_ASKED_BACK = 10  # at least so many for each operation, until a list has said what is whose
OF_EACH = 30  # so many that some are left when others were deleted
REAL = 0.6  # of the ids in addresses
HERE = Path(__file__).parent
RULES = (HERE / "schemathesis.toml").read_text()


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[WebProcess]:
    limits = dict.fromkeys(("CHITRA_LOGINS_PER_MINUTE", "CHITRA_SEARCHES_PER_MINUTE"), "0")
    (scan := tmp_path / "scan").mkdir()
    (scan / "one.jpg").write_bytes(jpeg(64, 48, seed=9))
    environment = {
        "CHITRA_DATA_DIR": str(tmp_path),
        "CHITRA_DATABASE_URL": database_url(),
        "CHITRA_SCAN_ROOTS": str(scan),
        **limits,
    }
    process = WebProcess(tmp_path, **environment)
    process.start()
    yield process
    process.kill()


def test_no_request_that_the_schema_allows_or_forbids_is_answered_against_it(
    web: WebProcess, alice: User, media: Path, tmp_path: Path
) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)  # or administration would only be refused
    world = World(alice)
    world.grow(OF_EACH)
    load_search(web, alice)
    token = login_token(alice)  # not a key, which a request could take away
    keys = ("--header", f"Authorization: Bearer {token}", "--checks", "all", "--phases", PHASES)
    fuzz(web, tmp_path, config(world), *keys)


def test_nobody_is_answered_with_what_is_anothers(
    web: WebProcess, alice: User, charlie: User, media: Path, tmp_path: Path
) -> None:
    World(alice).grow(OF_EACH)
    users = tmp_path / "users.json"
    users.write_text(json.dumps({"auth": [account(alice, "alice"), account(charlie, "charlie")]}))
    peers = f'[auth.wfc]\npath = "{users}"\nuser = "alice"\npeers = ["alice", "charlie"]\n'
    phases = ("--checks", "object_level_authorization", "--phases", "fuzzing,stateful")
    arguments = (*phases, "--exclude-path-regex", "^/api/admin/")
    fuzz(web, tmp_path, f"{RULES}\n{peers}", *arguments, examples=max(EXAMPLES, TO_BE_ASKED_BACK))


def account(user: User, name: str) -> dict[str, Any]:
    """An entry of a document of Web Fuzzing Commons."""
    header = {"name": "Authorization", "value": f"Bearer {login_token(user)}"}
    return {"name": name, "fixedHeaders": [header]}


def config(world: World) -> str:
    """schemathesis.toml, and the ids of this world."""
    ids = {
        "photo_id": [*Photo.objects.values_list("pk", flat=True)],
        "person_id": [*Person.objects.values_list("pk", flat=True)],
        "face_id": [*Face.objects.values_list("pk", flat=True)],
        "album_id": [*Album.objects.values_list("pk", flat=True)],
        "stack_id": [*Stack.objects.values_list("pk", flat=True)],
        **{
            name: [world.ids[name]]
            for name in ("library_id", "user_id", "entry_id", "edit_id", "key", "month")
        },
        "job_id": [str(world.ids["job_id"])],
    }
    lines = [RULES]
    lines += [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n" for name, values in ids.items()]
    bound = [f'"path.{name}" = {{ dictionary = "{name}", probability = {REAL} }}' for name in ids]
    return "\n".join([*lines, "[parameters]", *bound, ""])


def fuzz(web: WebProcess, directory: Path, toml: str, *arguments: str, examples: int = EXAMPLES) -> None:
    """Run schemathesis; it shall find nothing."""
    (path := directory / "schemathesis.toml").write_text(toml)
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(path)]
    done = subprocess.run(
        [
            *(*command, "run", f"{web.url}/openapi.json", *arguments),
            *("--max-examples", str(examples), "--seed", SEED, "--exclude-path", UNENDING),
            *("--no-color", "--continue-on-failure", "--request-timeout", "60"),
        ],
        cwd=directory,
        env={
            **os.environ,
            "FUZZ_FOLDER": str(directory / "scan"),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": str(HERE),
        },
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    sys.stdout.write(done.stdout[-60_000:])
    log = web.log.read_text(errors="replace")
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-2000:]}\n{log[-3000:]}"


def load_search(web: WebProcess, user: User) -> None:
    """Return when searches are answered at once: until the model is loaded they wait, and may be 503."""
    deadline = time.monotonic() + LOAD_SECONDS
    headers = {"Authorization": f"Bearer {login_token(user)}"}
    while time.monotonic() < deadline:
        answer = Transport(web.url).send("GET", "/api/search/photos?q=sea", b"", headers)
        if answer.status == 200:
            return
    raise AssertionError(answer.json())


def test_a_form_of_nothing_is_refused_in_the_shape_of_all_errors(web: WebProcess, alice: User) -> None:
    token = login_token(alice)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--x--\r\n", b"nothing", b"--x\r\n\r\n"):
        answer = Transport(web.url).send("POST", "/api/photos/upload", body, headers)
        assert (answer.status, answer.json()["error"]) in ((400, "no_files"), (400, "malformed_body"))

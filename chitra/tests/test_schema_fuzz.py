"""What the schema says, a live server does: schemathesis makes requests of it and checks the answers.

All checks are on, in all phases: examples, every boundary of the schema, made-up requests, and sequences of
them. FUZZ_EXAMPLES is how many requests it makes up for each operation: two in `make test`, hundreds in
`make fuzz`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chitra.accounts.models import ApiKey, User
from chitra.client.transport import Transport
from chitra.tests.processes import database_url
from chitra.tests.small_world import World
from chitra.tests.web import WebProcess
from photos.tests.pictures import jpeg

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "2")
PHASES = os.environ.get("FUZZ_PHASES", "examples,coverage,fuzzing,stateful")
LIMIT_SECONDS = 60 * 60
LOAD_SECONDS = 180
UNENDING = "/api/events"
REVOKING = "/api/keys/{key_id}"  # would take away the key of this test
HERE = Path(__file__).parent


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
    World(alice).grow(3)
    key = ApiKey.issue(alice, "fuzz")[1]
    load_search(web, key)
    arguments = [
        *("--config-file", str(HERE / "schemathesis.toml")),
        *(
            "run",
            f"{web.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {key}",
        ),
        *("--header", f"x-api-key: {key}", "--checks", "all"),
        *("--max-examples", EXAMPLES, "--seed", "1", "--exclude-path", UNENDING, "--exclude-path", REVOKING),
        *("--phases", PHASES, "--no-color", "--continue-on-failure"),
        *("--request-timeout", "60"),
    ]
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [str(schemathesis), *arguments],
        cwd=tmp_path,
        env={
            **os.environ,
            "FUZZ_FOLDER": str(tmp_path / "scan"),
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


def load_search(web: WebProcess, key: str) -> None:
    """Return when searches are answered at once: until the model is loaded they wait, and may be 503."""
    deadline = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < deadline:
        answer = Transport(web.url).send("GET", "/api/search/photos?q=sea", b"", {"x-api-key": key})
        if answer.status == 200:
            return
    raise AssertionError(answer.json())


def test_a_form_of_nothing_is_refused_in_the_shape_of_all_errors(web: WebProcess, alice: User) -> None:
    key = ApiKey.issue(alice, "form")[1]
    headers = {"x-api-key": key, "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--x--\r\n", b"nothing", b"--x\r\n\r\n"):
        answer = Transport(web.url).send("POST", "/api/photos/upload", body, headers)
        assert (answer.status, answer.json()["error"]) in ((400, "no_files"), (400, "malformed_body"))

"""What the schema says, a live server does: schemathesis makes requests of it and checks the answers.

FUZZ_EXAMPLES is how many it makes up for each operation: a few in `make test`. `make fuzz` makes up hundreds,
and tries every boundary of the schema as well (FUZZ_PHASES).
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chitra.accounts.models import ApiKey, User
from chitra.client.transport import Transport
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess
from photos.models import Library, Photo

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "3")
PHASES = os.environ.get("FUZZ_PHASES", "examples,fuzzing")
LIMIT_SECONDS = 60 * 60
UNENDING = "/api/events"
REVOKING = "/api/keys/{key_id}"  # would take away the key of this test
# Old clients may send 0 for false and a number for a name; and what fields mean together (“ids or filter”) a
# schema does not tell. Both are tested by hand.
LENIENT = "negative_data_rejection,positive_data_acceptance"


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[WebProcess]:
    limits = dict.fromkeys(("CHITRA_LOGINS_PER_MINUTE", "CHITRA_SEARCHES_PER_MINUTE"), "0")
    environment = {"CHITRA_DATA_DIR": str(tmp_path), "CHITRA_DATABASE_URL": database_url(), **limits}
    process = WebProcess(tmp_path, **environment)
    process.start()
    yield process
    process.kill()


def test_no_request_that_the_schema_allows_or_forbids_is_answered_against_it(
    web: WebProcess, add_photo: Callable[..., Photo], alice: User, tmp_path: Path
) -> None:
    for seed in range(3):
        add_photo(seed=seed, to=Library.objects.home_of(alice))
    key = ApiKey.issue(alice, "fuzz")[1]
    arguments = [
        *(
            "run",
            f"{web.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {key}",
        ),
        *("--header", f"x-api-key: {key}", "--checks", "all", "--exclude-checks", LENIENT),
        *("--max-examples", EXAMPLES, "--seed", "1", "--exclude-path", UNENDING, "--exclude-path", REVOKING),
        *("--phases", PHASES, "--no-color", "--continue-on-failure"),
        *("--request-timeout", "60"),
    ]
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [str(schemathesis), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    sys.stdout.write(done.stdout[-20_000:])
    log = web.log.read_text(errors="replace")
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-2000:]}\n{log[-3000:]}"


def test_a_form_of_nothing_is_refused_in_the_shape_of_all_errors(web: WebProcess, alice: User) -> None:
    key = ApiKey.issue(alice, "form")[1]
    headers = {"x-api-key": key, "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--x--\r\n", b"nothing", b"--x\r\n\r\n"):
        answer = Transport(web.url).send("POST", "/api/photos/upload", body, headers)
        assert (answer.status, answer.json()["error"]) in ((400, "no_files"), (400, "malformed_body"))

"""The header that keeps pages to Chitra's own files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from chitra.content_security_policy import POLICY, content_security_policy, policy

TEMPLATES = Path(settings.BASE_DIR) / "templates"


def test_every_answer_carries_the_policy() -> None:
    answer = content_security_policy(lambda request: HttpResponse())(HttpRequest())
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_answer_with_a_policy_of_its_own_keeps_it() -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    answer = content_security_policy(lambda request: own)(HttpRequest())
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"


def test_tiles_of_a_map_are_pictures_of_one_more_origin(settings: Any) -> None:
    assert "img-src 'self' data: blob:; " in policy()
    settings.MAP_TILES = "https://tiles.example.org:8443/{z}/{x}/{y}.png?key=a1"
    assert "img-src 'self' data: blob: https://tiles.example.org:8443; " in policy()
    assert policy().count("tiles.example.org") == 1


def test_no_template_needs_what_the_policy_refuses() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text("utf-8")
        assert "<style" not in text, template
        assert "<script>" not in text, template
        assert " onclick=" not in text, template
        assert "hx-on" not in text, template

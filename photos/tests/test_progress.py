"""How far the steps have come, over the API."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from jobs import tasks
from photos.models import Photo

URL = "/api/photos/progress"


def test_the_progress_counts_the_steps_of_visible_photos(
    client_of: Callable[[Any], Client], alice: Any, charlie: Any, add_photo: Callable[..., Photo]
) -> None:
    for seed in range(2):
        add_photo(seed=seed)
    tasks.drain("renditions")
    steps = client_of(alice).get(URL).json()["steps"]
    assert steps["renditions"]["done"] == 2
    assert steps["metadata"] == {"pending": 2, "running": 0, "done": 0, "skipped": 0, "failed": 0}
    assert sum(client_of(charlie).get(URL).json()["steps"]["renditions"].values()) == 0


def test_the_progress_leaves_the_trash_out(
    client_of: Callable[[Any], Client], alice: Any, add_photo: Callable[..., Photo]
) -> None:
    Photo.objects.filter(pk=add_photo().pk).move_to_trash()
    assert sum(client_of(alice).get(URL).json()["steps"]["metadata"].values()) == 0

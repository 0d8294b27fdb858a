"""Fixtures of this app's tests. (Read before there are settings, hence the late import.)"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from faces.tests.albums import Album


@pytest.fixture
def album(db: None) -> "Album":
    """An empty library."""
    from faces.tests.albums import Album

    return Album()

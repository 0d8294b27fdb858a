"""What the database shows of who asks, perhaps while the view runs already (`jobs.loop_views`)."""

from typing import NamedTuple, Protocol

from jobs.unchanged import Snapshot


class Sight(NamedTuple):
    """What was seen. `who` stays equal as long as nothing of it changes, and is None for nobody."""

    who: object
    snapshot: Snapshot | None


class Look(Protocol):
    """A look that has begun: `request.look`."""

    @property
    def said(self) -> object:
        """Who it was the last time; None for unknown."""

    async def end(self) -> Sight:
        """Wait for it; more than once, if need be. Raises DatabaseError."""

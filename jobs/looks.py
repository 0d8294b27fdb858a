"""What the database shows of who asks, perhaps while the view runs already (`jobs.loop_views`)."""

from typing import Any, NamedTuple, Protocol

from jobs.unchanged import Snapshot


class Sight(NamedTuple):
    """What was seen. `who` stays equal as long as nothing of it changes, and is None for nobody."""

    who: object
    snapshot: Snapshot | None


class Look(Protocol):
    """A look that has begun: `request.look`."""

    async def end(self) -> Sight:
        """Wait for it; more than once, if need be. Raises DatabaseError."""


async def seen_by(request: Any) -> Snapshot | None:
    """What the look saw, for answers that are kept; None where nothing is."""
    look: Look | None = getattr(request, "look", None)
    return None if look is None else (await look.end()).snapshot

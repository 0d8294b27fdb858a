"""Names that lie beside photos and are none: hidden ones, and what systems keep for themselves."""

SYSTEM_NAMES = ("@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", "Thumbs.db", "desktop.ini")
"""Synology's small pictures, trashes, and what Windows writes."""
_FOLDED = frozenset(name.casefold() for name in SYSTEM_NAMES)


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is passed over by imports."""
    return name.startswith(".") or name.casefold() in _FOLDED

"""What cannot be done to people."""


class PeopleError(ValueError):
    """Something that cannot be done to people; `code` is for programs, the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

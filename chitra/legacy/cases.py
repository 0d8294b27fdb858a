"""The decided outcomes. docs/migration.md explains each; a test keeps the two alike."""

from dataclasses import dataclass

from chitra.legacy.models import Status


@dataclass(frozen=True)
class Ending:
    """How a row or file ends: status, documented case ("" is the plain one) and words for its owner."""

    status: Status
    code: str = ""
    reason: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether another run can end better although nothing is changed in the source."""
        return self.status == Status.FAILED and self.code not in DECIDED_FAILURES


IMPORTED = Ending(Status.IMPORTED)

DECIDED_FAILURES = {
    "original_missing": "The original is not in the old storage.",
    "local_path": "The path is one of the old server's own disk and is not readable with --local-root.",
    "empty_file": "The original has no bytes.",
    "unusable_name": "The name cannot be asked for over this connection.",
    "photo_failed": "Its photo failed.",
    "bad_vector": "The vector's bytes are not what the row says, or it has no length.",
    "no_box": "The row has no bounding box, or one that lies outside the picture.",
    "picture_unreadable": "The picture cannot be measured, so the box cannot be turned.",
    "no_name": "The row has no name.",
}
LEFT_OUT = {
    "photo_row_gone": "Its photo was deleted in the old system, which left this row behind.",
    "derived": "Derived data; Chitra makes its own.",
    "empty_tag": "The tag has no text.",
    "not_a_picture": "No row names the file and it is not a picture.",
}
DUPLICATES = {
    "same_bytes": "The library has these bytes already; tags, faces and vectors were merged.",
    "same_tag": "The photo has this tag already; the higher score was kept.",
    "same_face": "The photo has this face already.",
    "newer_vector": "A newer row holds the photo's vector.",
    "same_name": "There is a person of this name already.",
    "account_exists": "There is an account with this address already; it was not changed.",
}
REMARKS = {
    "checksum_differs": "The bytes are not those the row's checksum tells of; they were kept as they are.",
    "new_id": "The old id was taken here, so it got a new one.",
    "orphan_object": "No row named the file; it was imported as a new photo.",
    "box_clipped": "The box reached beyond the picture and was cut to it.",
    "person_gone": "It named a person that is gone; it belongs to nobody now.",
    "no_vector": "The face was kept; its vector cannot be read and was not.",
    "tag_shortened": "The tag was longer than 200 characters.",
    "name_changed": "The name was cleaned or shortened; the reason holds the old one.",
    "address_made_up": "The user had no usable e-mail address and got one made of the name.",
    "not_active": "The account was deactivated or never approved; an administrator can activate it.",
    "no_password": "The password hash is not bcrypt; an administrator has to set a password.",
}
PASSING_FAILURES = {"source_error": "The old storage did not answer."}


def imported(code: str = "", reason: str = "") -> Ending:
    """Imported, with the remark of `code` unless `reason` says more."""
    return Ending(Status.IMPORTED, code, reason or REMARKS.get(code, ""))


def duplicate(code: str) -> Ending:
    return Ending(Status.DUPLICATE, code, DUPLICATES[code])


def left_out(code: str) -> Ending:
    return Ending(Status.LEFT_OUT, code, LEFT_OUT[code])


def failed(code: str, reason: str = "") -> Ending:
    return Ending(Status.FAILED, code, reason or DECIDED_FAILURES.get(code, "") or PASSING_FAILURES[code])

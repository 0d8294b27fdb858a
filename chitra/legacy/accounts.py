"""Users of the old system become accounts, with the passwords they know."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from chitra.accounts.hashers import is_bcrypt, stored_form
from chitra.accounts.models import User
from chitra.legacy import cases, plan
from chitra.legacy.cases import Ending
from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.outcomes import outcome, save_outcomes
from chitra.legacy.rows import UserRow
from photos.models import Membership

DEFAULT_DOMAIN = "legacy.invalid"


def migrate_users(system: LegacySystem, rows: Sequence[UserRow], *, domain: str = DEFAULT_DOMAIN) -> None:
    """Every user not done yet, in one transaction."""
    with transaction.atomic():
        done = set(
            Outcome.objects.filter(system=system, kind=Kind.USERS)
            .ended()
            .values_list("source_key", flat=True)
        )
        save_outcomes([migrate_user(system, row, domain) for row in rows if str(row.id) not in done])


def migrate_user(system: LegacySystem, row: UserRow, domain: str) -> Outcome:
    address, was_made_up = address_of(row, domain)
    if not row.username and not row.email:
        return outcome(system, Kind.USERS, row.id, cases.failed("no_name"))
    known = User.objects.filter(email__iexact=address).first()
    if known is not None and not was_made_up:
        return outcome(system, Kind.USERS, row.id, cases.duplicate("account_exists"), known.pk)
    if known is not None:
        address = address.replace("@", f"-{row.id}@")
    has_password = is_bcrypt(row.password_hash)
    user = User(
        email=address,
        first_name=row.username[:150],
        is_active=row.is_active and row.is_approved,
        approved_at=timezone.now() if row.is_approved else None,
        is_staff=row.is_admin,
        is_superuser=row.is_admin,
        date_joined=plan.wall_clock(row.created_at) or timezone.now(),
    )
    if has_password:
        user.password = stored_form(row.password_hash)
    else:
        user.set_unusable_password()
    user.save()
    join(system, user, row)
    return outcome(system, Kind.USERS, row.id, ending(row, was_made_up, has_password, address), user.pk)


def join(system: LegacySystem, user: User, row: UserRow) -> None:
    """Everybody saw and changed everything in the old system; who was never approved saw nothing."""
    if row.is_approved:
        role = Membership.Role.OWNER if row.is_admin else Membership.Role.EDITOR
        Membership.objects.create(library=system.library, user=user, role=role)


def ending(row: UserRow, was_made_up: bool, has_password: bool, address: str) -> Ending:
    """The remark that matters most to the person who has to act on it."""
    if not has_password:
        return cases.imported("no_password")
    if not (row.is_active and row.is_approved):
        return cases.imported("not_active")
    if was_made_up:
        return cases.imported("address_made_up", f"{row.username} logs in as {address} now.")
    return cases.IMPORTED


def address_of(row: UserRow, domain: str) -> tuple[str, bool]:
    """The user's own address, or `name@domain` made of the name, and whether it was made."""
    for address in (row.email, row.username):
        try:
            validate_email(address)
        except ValidationError:
            continue
        return address, False
    local = re.sub(r"[^a-z0-9._-]+", "-", row.username.casefold()).strip(".-")[:60] or f"user-{row.id}"
    return f"{re.sub(r'[.]{2,}', '.', local)}@{domain}", True

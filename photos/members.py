"""Libraries and who may do what in them. A library always keeps an owner."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from photos.models import Library, Membership


class LastOwner(ValueError):
    """Without this member nobody would own the library."""


class UnknownUser(LookupError):
    """There is no account with this address."""


class LibraryInUse(ValueError):
    """A library with photos, or the only one of its owner, is not deleted."""


def with_facts(libraries: QuerySet[Any], user: Any) -> Any:
    """Adds `role` of this user, `photo_count` outside the trash and `member_count`."""
    mine = Membership.objects.filter(library=OuterRef("pk"), user=user).values("role")
    members = Membership.objects.filter(library=OuterRef("pk")).order_by().values("library")
    return libraries.annotate(
        role=Subquery(mine[:1]),
        photo_count=Count("photos", filter=Q(photos__deleted_at__isnull=True)),
        member_count=Subquery(members.annotate(count=Count("pk")).values("count")),
    )


@transaction.atomic
def create_library(*, name: str, owner: Any) -> Library:
    library: Library = Library.objects.create(name=name)
    Membership.objects.create(library=library, user=owner, role=Membership.Role.OWNER)
    return library


@transaction.atomic
def delete_library(library: Library) -> None:
    """Only one that is empty, its trash too. Raises LibraryInUse."""
    lock(library)
    if library.photos.exists():
        raise LibraryInUse("The library has photos, perhaps in the trash. Empty it first.")
    library.delete()


def add_member(library: Library, *, email: str, role: str) -> Membership:
    """Let somebody with an account in, or change the role they have. Raises UnknownUser, LastOwner."""
    users = get_user_model()._default_manager.filter(is_active=True)
    user = users.filter(email__iexact=email).first()
    if user is None:
        raise UnknownUser("There is no account with this address.")
    with transaction.atomic():
        lock(library)
        member = Membership.objects.filter(library=library, user=user).first()
        if member is None:
            return Membership.objects.create(library=library, user=user, role=role)
        return set_role(member, role)


@transaction.atomic
def set_role(member: Membership, role: str) -> Membership:
    """Raises LastOwner."""
    lock(member.library)
    if role != Membership.Role.OWNER:
        keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    return member


@transaction.atomic
def remove_member(member: Membership) -> None:
    """Their photos stay in the library. Raises LastOwner."""
    lock(member.library)
    keep_an_owner(member)
    member.delete()


def keep_an_owner(leaving: Membership) -> None:
    """LastOwner unless somebody else owns the library too."""
    others = Membership.objects.filter(library=leaving.library_id, role=Membership.Role.OWNER)
    if not others.exclude(pk=leaving.pk).exists():
        raise LastOwner("The library needs an owner. Make somebody else one first.")


def lock(library: Library) -> None:
    """Until the transaction ends nobody else changes this library's members."""
    Library.objects.select_for_update().get(pk=library.pk)

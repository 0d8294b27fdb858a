"""Who may do what in a library."""

from typing import Any

import pytest

from photos import members
from photos.models import Library, Membership


def role_of(library: Library, user: Any) -> str | None:
    member = Membership.objects.filter(library=library, user=user).first()
    return member.role if member else None


def membership(library: Library, user: Any) -> Membership:
    return Membership.objects.get(library=library, user=user)


def test_who_makes_a_library_owns_it(alice: Any) -> None:
    assert role_of(members.create_library(name="Second", owner=alice), alice) == "owner"


def test_somebody_is_let_in_by_address_in_any_case(library: Library, bob: Any) -> None:
    members.add_member(library, email="BOB@example.org", role="viewer")
    assert role_of(library, bob) == "viewer"
    members.add_member(library, email="bob@example.org", role="editor")
    assert role_of(library, bob) == "editor"


def test_an_address_without_an_account_is_unknown(library: Library, bob: Any) -> None:
    bob.is_active = False
    bob.save()
    for email in ("nobody@example.org", bob.email):
        with pytest.raises(members.UnknownUser):
            members.add_member(library, email=email, role="viewer")


def test_the_last_owner_stays(library: Library, alice: Any, bob: Any) -> None:
    alone = membership(library, alice)
    with pytest.raises(members.LastOwner):
        members.remove_member(alone)
    with pytest.raises(members.LastOwner):
        members.set_role(alone, "viewer")
    with pytest.raises(members.LastOwner):
        members.add_member(library, email=alice.email, role="editor")
    members.add_member(library, email=bob.email, role="owner")
    members.remove_member(alone)
    assert role_of(library, alice) is None


def test_a_library_with_photos_is_not_deleted(library: Library, photo_rows: Any) -> None:
    photo_rows(1)
    with pytest.raises(members.LibraryInUse):
        members.delete_library(library)


def test_an_empty_library_is_deleted(alice: Any) -> None:
    members.delete_library(members.create_library(name="Empty", owner=alice))
    assert not Library.objects.filter(name="Empty").exists()


def test_a_list_of_libraries_tells_role_and_numbers_in_one_query(
    library: Library, alice: Any, bob: Any, photo_rows: Any, django_assert_num_queries: Any
) -> None:
    photo_rows(3)
    members.add_member(library, email=bob.email, role="viewer")
    with django_assert_num_queries(1):
        row = members.with_facts(Library.objects.visible_to(bob), bob).get()
        assert (row.role, row.photo_count, row.member_count) == ("viewer", 3, 2)

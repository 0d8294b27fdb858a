"""People: names in place, two of them made one, questions by keys, faces on a photo."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from chitra.accounts.models import User
from chitra.tests.pages.conftest import PATIENCE_MS, Tab
from faces import people
from faces.models import Face, Person
from faces.tests.albums import Album
from faces.tests.test_suggestions import likeness
from photos.models import Membership, Photo

TabOf = Callable[..., Tab]


@pytest.fixture
def album(alice: User) -> Album:
    """Alice owns it."""
    album = Album()
    Membership.objects.create(library=album.library, user=alice, role="owner")
    return album


def somebody(album: Album) -> Person:
    """Who is on three photos and has no name."""
    for _ in range(3):
        [face] = album.add_photo("somebody")
    face.refresh_from_db()
    assert face.person is not None
    return face.person


def names(page: Page) -> list[str]:
    return [field.input_value() for field in page.locator(".person input.in-place").all()]


def test_a_name_is_typed_in_place(alice: User, album: Album, tab_of: TabOf) -> None:
    asha, ravi = album.person("Asha"), album.person("Ravi")
    page = tab_of(alice).open("/people")
    field = page.locator(f"#person-{ravi.pk} input.in-place")
    field.fill("Ravi Kumar")
    field.press("Enter")
    expect(page.locator(f"#person-{ravi.pk}")).to_have_attribute("data-name", "Ravi Kumar")
    other = page.locator(f"#person-{asha.pk} input.in-place")
    other.fill("somebody else")
    other.press("Escape")
    expect(other).to_have_value("Asha")
    ravi.refresh_from_db()
    asha.refresh_from_db()
    assert (ravi.name, asha.name) == ("Ravi Kumar", "Asha")


def test_the_grid_waits_while_somebody_types_a_name(alice: User, album: Album, tab_of: TabOf) -> None:
    asha, ravi = album.person("Asha"), album.person("Ravi")
    page = tab_of(alice).open("/people")
    field = page.locator(f"#person-{asha.pk} input.in-place")
    field.click()
    field.fill("Asha N")
    people.rename_person(person=ravi, name="Ravi Kumar", actor=alice)  # elsewhere; this page hears of it
    page.wait_for_timeout(1500)
    expect(field).to_have_value("Asha N")
    expect(field).to_be_focused()
    page.keyboard.type("air")
    field.press("Enter")
    expect(page.locator(f"#person-{asha.pk}")).to_have_attribute("data-name", "Asha Nair")


def test_a_known_name_is_offered_and_two_people_become_one(alice: User, album: Album, tab_of: TabOf) -> None:
    asha = album.person("Asha")
    unnamed = somebody(album)
    page = tab_of(alice).open("/people")
    field = page.locator(f"#person-{unnamed.pk} input.in-place")
    field.click()
    field.press_sequentially("as")
    option = page.get_by_role("option").filter(has_text="Asha")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".person")).to_have_count(1)
    expect(page.locator(".toast", has_text="Undo")).to_be_visible()
    assert Face.objects.filter(person=asha).count() == 6


def test_a_name_chosen_by_keys_stays_chosen_when_a_late_answer_comes(
    alice: User, album: Album, tab_of: TabOf
) -> None:
    album.person("Asha")
    unnamed = somebody(album)
    page = tab_of(alice).open("/people")
    held: list[Route] = []
    page.route("**/*q=as", lambda route: held.append(route))
    field = page.locator(f"#person-{unnamed.pk} input.in-place")
    field.click()
    expect(page.get_by_role("option").filter(has_text="Asha")).to_be_visible()
    field.press_sequentially("as")
    page.wait_for_timeout(500)
    assert held
    page.keyboard.press("ArrowDown")
    held[0].continue_()
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Merge", exact=True)).to_be_visible()


def test_a_portrait_dropped_on_another_asks_and_merges(alice: User, album: Album, tab_of: TabOf) -> None:
    asha, ravi = album.person("Asha"), album.person("Ravi")
    page = tab_of(alice).open("/people")
    page.locator(f"#person-{ravi.pk} a").drag_to(page.locator(f"#person-{asha.pk} a"))
    expect(page.get_by_role("heading", name="Are these the same person?")).to_be_visible()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".person")).to_have_count(1)
    page.locator(".toast button", has_text="Undo").click()
    expect(page.locator(".person")).to_have_count(2)
    assert Face.objects.filter(person=ravi).count() == 3


def test_questions_are_answered_by_keys_and_taken_back(alice: User, album: Album, tab_of: TabOf) -> None:
    asha = album.person("Asha")
    faces = [album.add_photo(likeness(album, "Asha", near))[0] for near in (0.30, 0.29)]
    page = tab_of(alice).open("/people/review")
    expect(page.locator("#left")).to_have_text("2")
    first = int(page.locator(".question").first.get_attribute("data-face") or 0)
    page.keyboard.press("y")
    expect(page.locator("#answered")).to_have_text("1")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="No more questions")).to_be_visible()
    second = next(face.pk for face in faces if face.pk != first)
    page.wait_for_function("() => !document.querySelector('#undo-answer').disabled")
    expect_soon(page, lambda: Face.objects.get(pk=first).person_id == asha.pk)
    page.keyboard.press("z")
    expect(page.locator(".question")).to_have_attribute("data-face", str(second))
    assert Face.objects.get(pk=first).assigned_by == "person"


def expect_soon(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_MS // 100):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it did not come true within {PATIENCE_MS} ms")


def test_a_face_is_drawn_and_named_by_keys(
    alice: User, add_ready: Callable[..., Photo], tab_of: TabOf
) -> None:
    photo = add_ready()
    page = tab_of(alice).open(f"/photos/{photo.pk}")
    page.get_by_role("button", name="Draw a face").click()
    expect(page.locator(".box-edit")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("Asha")
    page.keyboard.press("Enter")
    expect(page.locator(".face-list")).to_contain_text("Asha")
    face = Face.objects.get(photo=photo)
    assert face.person is not None
    assert (face.person.name, face.assigned_by) == ("Asha", "person")
    page.locator(".face-box").click()
    expect(page.locator(".face-window")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".face-window")).to_have_count(0)
    expect(page.locator(".photo-view")).to_be_visible()

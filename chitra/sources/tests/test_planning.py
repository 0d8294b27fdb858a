"""Plans of scans: every path ends in exactly one way, and a missing disk is not read as “all gone”."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chitra.sources.listing import Entry, Rules
from chitra.sources.planning import Change, Known, Root, compare, objection

PATHS = st.text("ab/.~%é", min_size=1, max_size=6).filter(lambda text: text.strip("/") == text)
STATS = st.tuples(st.integers(0, 2), st.integers(0, 2))
KEEP_ALL = Rules(with_hidden=True).excludes


def plan(listed: dict[str, tuple[int, int]], known: dict[str, tuple[int, int, bool]]) -> list[Change]:
    rows = [Known(number, path, *known[path]) for number, path in enumerate(sorted(known), 1)]
    return list(compare([Entry(path, *listed[path]) for path in sorted(listed)], rows, KEEP_ALL))


@given(
    st.dictionaries(PATHS, STATS), st.dictionaries(PATHS, st.tuples(*[st.integers(0, 2)] * 2, st.booleans()))
)
def test_every_path_ends_once_and_as_the_two_sides_say(
    listed: dict[str, tuple[int, int]], known: dict[str, tuple[int, int, bool]]
) -> None:
    changes = {change.entry.path: change.kind for change in plan(listed, known)}
    assert len(changes) == len(plan(listed, known))
    still_missing = {path for path, row in known.items() if row[2] and path not in listed}
    assert changes.keys() == (listed.keys() | known.keys()) - still_missing
    for path, kind in changes.items():
        if path not in known:
            assert kind == "new"
        elif path not in listed:
            assert kind == "missing"
        elif listed[path] != known[path][:2]:
            assert kind == "changed"
        else:
            assert kind == ("back" if known[path][2] else "unchanged")


@given(st.dictionaries(PATHS, STATS))
def test_a_second_scan_of_the_same_files_finds_nothing(listed: dict[str, tuple[int, int]]) -> None:
    known = {path: (*stat, False) for path, stat in listed.items()}
    assert {change.kind for change in plan(listed, known)} <= {"unchanged"}


def test_files_below_an_unreadable_folder_are_unknown_and_not_missing() -> None:
    known = [
        Known(1, "a.jpg", 1, 1),
        Known(2, "b/c.jpg", 1, 1),
        Known(3, "b/d/e.jpg", 1, 1),
        Known(4, "b0", 1, 1),
    ]
    listed = [Entry("a.jpg", 1, 1), Entry("b/", problem="The folder cannot be read.")]
    kinds = [(change.kind, change.known) for change in compare(listed, known, KEEP_ALL)]
    assert kinds == [("unchanged", 1), ("problem", 0), ("unknown", 2), ("unknown", 3), ("missing", 4)]


def test_a_known_file_that_cannot_be_read_now_is_not_missing() -> None:
    changes = compare([Entry("a", problem="no")], [Known(1, "a", 1, 1)], KEEP_ALL)
    assert [change.kind for change in changes] == ["problem", "unknown"]


def test_a_file_that_the_rules_leave_out_now_is_not_missing() -> None:
    rules = Rules(patterns=("old",))
    assert [change.kind for change in compare([], [Known(1, "old/a", 1, 1)], rules.excludes)] == ["excluded"]


def test_a_folder_without_its_marker_is_refused() -> None:
    root = Root(marker=".mounted", has_marker=False)
    assert ".mounted is not in the folder" in objection(Counter(new=3), root)
    assert objection(Counter(missing=3), Root(marker=".mounted", has_marker=True, device=1)) != ""


def test_an_empty_folder_is_refused_when_files_were_in_it() -> None:
    assert "is empty, but 3 files were in it" in objection(Counter(missing=3), Root())
    assert objection(Counter(), Root()) == ""
    assert objection(Counter(missing=3, unchanged=1), Root()) == ""


def test_another_disk_is_refused_only_when_files_are_not_on_it() -> None:
    moved = Root(device=2, known_device=1)
    assert "another disk" in objection(Counter(missing=1, unchanged=5), moved)
    assert objection(Counter(unchanged=5), moved) == ""
    assert objection(Counter(missing=1, unchanged=5), Root(device=1, known_device=1)) == ""
    marked = Root(marker="m", has_marker=True, device=2, known_device=1)
    assert objection(Counter(missing=1, unchanged=5), marked) == ""

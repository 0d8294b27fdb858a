"""Trees of files: in order, without links and what is left out, with what cannot be read named."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chitra.sources.listing import Entry, Rules, list_tree
from photos.storages.folders import escaped, unescaped


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def paths(root: Path, rules: Rules = Rules()) -> list[str]:  # noqa: B008 - it is frozen
    return [entry.path for entry in list_tree(root, rules, escaped) if not entry.problem]


def problems(root: Path) -> dict[str, str]:
    return {entry.path: entry.problem for entry in list_tree(root, Rules(), escaped) if entry.problem}


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    put(tmp_path, "a/c.jpg", "a.b/x.jpg", "a-b", "a/b/z", "B", "é", "z%41")
    found = paths(tmp_path)
    assert found == sorted(found, key=str.encode)
    assert len(found) == 7


def test_hidden_files_are_left_out_unless_wanted(tmp_path: Path) -> None:
    put(tmp_path, ".a.jpg", ".trash/b.jpg", "c.jpg")
    assert paths(tmp_path) == ["c.jpg"]
    assert len(paths(tmp_path, Rules(with_hidden=True))) == 3


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.TMP", ["@eaDir/b", "old/c", "old/x/d"]),
        ("@eaDir", ["a.tmp", "old/c", "old/x/d"]),
        ("@eaDir/", ["a.tmp", "old/c", "old/x/d"]),
        ("old/x", ["@eaDir/b", "a.tmp", "old/c"]),
        ("old/*", ["@eaDir/b", "a.tmp"]),
        ("[", ["@eaDir/b", "a.tmp", "old/c", "old/x/d"]),
    ],
)
def test_what_a_pattern_matches_is_left_out(tmp_path: Path, pattern: str, left: list[str]) -> None:
    put(tmp_path, "a.tmp", "@eaDir/b", "old/c", "old/x/d")
    rules = Rules(patterns=(pattern,))
    assert paths(tmp_path, rules) == left
    everything = paths(tmp_path)
    assert [path for path in everything if not rules.excludes(path)] == left


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "a/b.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a" / "b.jpg")
    assert paths(tmp_path) == ["a/b.jpg"]
    assert problems(tmp_path) == dict.fromkeys(["a/loop", "link.jpg"], "Links are not followed.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can put off its rights")
def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_listed() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let nobody else in
        root = Path(name)
        put(root, "a/b.jpg", "c.jpg")
        root.chmod(0o755)
        (root / "a").chmod(0)
        os.seteuid(65534)
        try:
            assert problems(root) == {"a/": "The folder cannot be read: Permission denied."}
            assert paths(root) == ["c.jpg"]
        finally:
            os.seteuid(0)


def test_a_root_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(list_tree(tmp_path / "gone", Rules()))


def test_names_that_are_no_text_come_escaped(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(b"x")
    assert paths(tmp_path) == ["%FF.jpg"]
    assert (tmp_path / unescaped("%FF.jpg")).exists()


@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name and b"/" not in name))
def test_every_name_survives_escaping(name: bytes) -> None:
    text = escaped(os.fsdecode(name))
    text.encode()
    assert os.fsencode(unescaped(text)) == name


def test_an_entry_has_size_and_time(tmp_path: Path) -> None:
    put(tmp_path, "a")
    os.utime(tmp_path / "a", ns=(1, 123456789))
    assert list(list_tree(tmp_path, Rules())) == [Entry("a", 1, 123456789)]

"""The file of accepted findings: read strictly, edited as text, and nothing a person wrote is lost."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.acceptance.book import HEAD, Entry, entry_of, parsed, read, with_entries
from monitors.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitors.acceptance.known import Known

DAY = date(2026, 11, 23)


def entry(number: int, rule: str = "throttled", **members: object) -> Entry:
    defaults = {"location": "$.a", "check": "run", "sites": ("US5",), "reason": "known", "by": "Ada", "on": DAY}
    return Entry(f"{number:016x}", rule, **{**defaults, **members})  # type: ignore[arg-type]  # members by name


text = st.text(st.characters(codec="utf-8"), max_size=12)
filled = text.filter(bool)
days = st.none() | st.dates()
entries = st.lists(
    st.builds(
        Entry,
        st.integers(0, 20).map("{:016x}".format), filled, st.none() | text, st.none() | text,
        st.lists(text, max_size=2).map(tuple), st.lists(text, max_size=2).map(tuple), st.none() | text, filled, filled,
        st.dates(), days,
    ),
    max_size=6, unique_by=lambda made: made.fingerprint,
)  # fmt: skip


@given(entries, entries)
@settings(max_examples=150, deadline=None)
def test_what_is_added_reads_back_and_replaces_its_like(first: list[Entry], second: list[Entry]) -> None:
    made = with_entries(with_entries(HEAD, first, "f"), second, "f")
    wanted = {one.fingerprint: one for one in (*first, *second)}
    assert {one.fingerprint: one for one in parsed(made, "f")} == wanted
    assert with_entries(made, second, "f") == made


@given(entries.flatmap(st.permutations))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_file_is_not_the_order_of_accepting(shuffled: list[Entry]) -> None:
    one_by_one = HEAD
    for one in shuffled:
        one_by_one = with_entries(one_by_one, [one], "f")
    assert one_by_one == with_entries(HEAD, sorted(shuffled, key=lambda one: one.order), "f")


WRITTEN = """\
# ours

# about the first
[[accepted]]  # kept
# why
fingerprint = "0000000000000001"
rule = "throttled"
reason = "known"
by = "Ada"
on = 2026-01-01

# about the second
[[accepted]]
fingerprint = "0000000000000003"
rule = "timeout"
reason = "known"
by = "Ada"
on = 2026-01-01
# at the end
"""


def test_comments_stay_where_they_are() -> None:
    made = with_entries(WRITTEN, [entry(2, "throttled", location="$"), entry(3, "timeout", reason="new")], "f")
    comments = [line for line in made.split("\n") if "#" in line]
    assert comments == [
        "# ours", "# about the first", "[[accepted]]  # kept", "# why", "# about the second", "# at the end",
    ]  # fmt: skip
    assert [one.fingerprint[-1] for one in parsed(made, "f")] == ["1", "2", "3"]
    assert made.startswith(WRITTEN.split("# about the second", maxsplit=1)[0])


def test_an_entry_that_is_not_touched_keeps_its_form() -> None:
    odd = WRITTEN.replace('reason = "known"', "reason   =   '''known'''", 1)
    assert "reason   =   '''known'''" in with_entries(odd, [entry(9)], "f")


def test_a_file_that_cannot_be_edited_as_text_is_refused() -> None:
    inline = (
        "accepted = [{fingerprint='0000000000000001', rule='throttled', reason='known', by='Ada', on=2026-01-01}]\n"
    )
    assert len(parsed(inline, "f")) == 1
    with pytest.raises(UsageError, match=r"cannot be edited as text|not TOML"):
        with_entries(inline, [entry(2)], "f")


def test_an_entry_says_what_was_accepted(known: Callable[..., Known]) -> None:
    made = entry_of(known(sources=("a.har",)), reason="r", by="Ada", on=DAY, expires=None)
    assert made == Entry(
        "0123456789abcdef", "response-property-became-nullable", "$.data.attributes.name", "run", ("US5",), ("a.har",),
        "null where string is promised", "r", "Ada", DAY, None,
    )  # fmt: skip
    assert tomllib.loads(with_entries("", [made], "f"))["accepted"][0]["on"] == DAY


GOOD = 'fingerprint="0000000000000001"\nrule="throttled"\nreason="r"\nby="A"\non=2026-01-01\n'


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("x = ", "f: not TOML: "),
        ("x = 1", "f: holds [[accepted]] tables and nothing else"),
        ("accepted = 1", "f: holds [[accepted]] tables and nothing else"),
        ("accepted = [1]", "f: [[accepted]] 1: must be a table"),
        (f"[[accepted]]\n{GOOD}resaon='x'", "f: [[accepted]] 1: unknown key 'resaon'; did you mean reason?"),
        (f"[[accepted]]\n{GOOD}zzz='x'", "f: [[accepted]] 1: unknown key 'zzz'; known: fingerprint, rule,"),
        ("[[accepted]]\nrule='x'", "f: [[accepted]] 1: fingerprint is missing"),
        ("[[accepted]]\n" + GOOD.replace('by="A"', 'by=""'), "f: [[accepted]] 1: by is missing"),
        (f"[[accepted]]\n{GOOD}expires='2026-01-01'", "f: [[accepted]] 1: expires must be a date without quotes"),
        (f"[[accepted]]\n{GOOD}expires=2026-01-01T00:00:00", "f: [[accepted]] 1: expires must be a date without"),
        (f"[[accepted]]\n{GOOD}sites='US5'", "f: [[accepted]] 1: sites must be a list of text"),
        (f"[[accepted]]\n{GOOD}message=1", "f: [[accepted]] 1: message must be text"),
        (f"[[accepted]]\n{GOOD.replace('0001', '000X')}", "f: [[accepted]] 1: fingerprint must be 16 hexadecimal"),
        (f"[[accepted]]\n{GOOD}[[accepted]]\n{GOOD}", "f: 0000000000000001 stands there twice; keep one of them"),
    ],
)
def test_each_mistake_has_its_message(written: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(written, "f")
    assert str(caught.value).startswith(message)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the accepted findings .*: no such file"):
        read(tmp_path / "none.toml")
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        read(large)
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# \xe9\n")
    with pytest.raises(UsageError, match=r"not UTF-8 \(byte 2\)"):
        read(latin)


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(WRITTEN.replace("\n", "\r\n").encode())
    assert len(read(path)[1]) == 2

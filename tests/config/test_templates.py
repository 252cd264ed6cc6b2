"""Templates of messages are checked before they are needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitors.config.templates import NAMES, fill, flaws, markdown

PAGE = Path(__file__).parents[2] / "docs" / "notifications.md"


@pytest.mark.parametrize(
    "text", ["", "plain", "$title on ${sites}", "costs $$5", "\n".join(f"${name}" for name in NAMES)]
)
def test_a_template_of_known_names_is_fine(text: str) -> None:
    assert flaws(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$", "a $ must be followed by a name, as in $title or ${title}; write $$ for the sign itself"),
        ("50$ off", "a $ must be followed by a name, as in $title or ${title}; write $$ for the sign itself"),
        ("${title", "a $ must be followed by a name, as in $title or ${title}; write $$ for the sign itself"),
        ("$titel", "$titel is no name of a notice; did you mean $title?"),
        ("$Sites", "$Sites is no name of a notice; did you mean $sites?"),
        ("$zzz", f"$zzz is no name of a notice; known are {', '.join(f'${name}' for name in NAMES)}"),
    ],
)
def test_a_mistake_says_what_to_write_instead(text: str, said: str) -> None:
    assert flaws(text) == [said]


def test_every_mistake_is_told_at_once() -> None:
    assert flaws("$levle costs 5$ on $stes, $levle") == [
        "a $ must be followed by a name, as in $title or ${title}; write $$ for the sign itself",
        "$levle is no name of a notice; did you mean $level?",
        "$stes is no name of a notice; did you mean $sites?",
    ]


def test_a_name_without_a_value_is_left_out() -> None:
    assert fill("$title: $known.", {"title": "$level"}) == "$level: ."


def test_the_page_has_the_table_of_names() -> None:
    text = PAGE.read_text("utf-8")
    assert text.partition("<!-- names: begin -->\n")[2].partition("<!-- names: end -->")[0] == markdown()

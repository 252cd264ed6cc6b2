"""Whatever text a site sends, every format stays what it is."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import schemas
from monitors.model import Finding, Kind, Level, Observation, Phase, Skipped, TransportFailure
from monitors.report import FORMATS, RENDERERS, Layout, Report
from monitors.report.text import plain

AT = datetime(2026, 5, 18, tzinfo=UTC)
REPORT = jsonschema_rs.Draft202012Validator(schemas.document("report"))
BODY = (
    "\x1b[2J\x1b]0;title\x07 [bold red]x[/] \u202egnp.exe | `a` \r\n::error::x ##[error] \ud800 \x9b31m \u2028 <b>&@all"
)
TEXTS = st.text(alphabet=st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        BODY,
        "",
        "::set-output name=x::y",
        "]]>",
        "[/]",
        "[link=http://x]",
        "\\[x]",
        "%0A",
        "\U0001f600",
        "👩‍👩‍👧",
        "\ufeff",
        "\x00",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    text = draw(TEXTS)
    failure = TransportFailure("connection-refused", Phase.CONNECT, draw(TEXTS))
    live = draw(st.booleans())
    seen = Observation(
        site="US5" if live else None,
        check="run" if live else None,
        at=AT,
        method="GET",
        url=f"https://x.test/{text}",
        run_id=draw(TEXTS),
        with_keys=True,
        status=None if live else 200,
        headers=((draw(TEXTS), draw(TEXTS)),),
        failure=failure if live else None,
        source=None if live else draw(TEXTS),
    )
    found = Finding(
        "response-property-type-changed",
        draw(st.sampled_from(Level)),
        draw(st.sampled_from([Kind.AVAILABILITY, Kind.CONTRACT, Kind.DRIFT])),
        text,
        location=draw(st.none() | TEXTS),
        base=draw(VALUES),
        revision=draw(VALUES),
        site=seen.site,
        check=seen.check,
        source=seen.source,
        at=AT,
    )
    return Report(
        "probe" if live else "check",
        "0.1.0",
        AT,
        observations=(seen,),
        findings=(found, found),
        skipped=(Skipped("EU1", "run", draw(TEXTS)),) if live else (),
        harness_failures=(draw(TEXTS),),
    )


@given(report=reports())
@settings(max_examples=150, deadline=None)
def test_json_parses_everywhere_and_keeps_its_schema(report: Report) -> None:
    text = RENDERERS["json"](report)
    assert re.fullmatch(r"[ -~\n]*", text)
    assert REPORT.is_valid(json.loads(text, parse_constant=pytest.fail))
    lines = RENDERERS["ndjson"](report)
    assert re.fullmatch(r"[ -~\n]*", lines)
    expected = 4 if report.command == "probe" else 3
    assert len([json.loads(line, parse_constant=pytest.fail) for line in lines.splitlines()]) == expected


@given(report=reports())
@settings(max_examples=150, deadline=None)
def test_xml_parses_and_loses_no_case(report: Report) -> None:
    root = ET.fromstring(RENDERERS["junit"](report).encode())  # noqa: S314 - our own output
    assert len(root.findall("testsuite/testcase")) == len(report.observations) + len(report.skipped) + 1


@given(report=reports())
@settings(max_examples=150, deadline=None)
def test_markdown_keeps_its_rows(report: Report) -> None:
    text = RENDERERS["markdown"](report)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    # Two lines of heading for each table; the finding appears once, the grid has its one or two sites.
    assert len(rows) == 3 + (2 + len(report.sites) if report.command == "probe" else 0)
    assert {re.sub(r"\\.", "", row).count("|") for row in rows} <= {3, 7}
    assert printable(text)


@given(report=reports())
@settings(max_examples=150, deadline=None)
def test_every_workflow_command_is_ours_and_stands_on_one_line(report: Report) -> None:
    lines = RENDERERS["github"](report).splitlines()
    assert printable("".join(lines))
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert len(commands) == 2
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in commands)


@given(report=reports(), width=st.sampled_from([1, 40, 80, 130]), unicode=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_terminal_gets_printable_text_and_a_ci_log_no_commands(report: Report, width: int, unicode: bool) -> None:  # noqa: FBT001
    text = RENDERERS["table"](report, Layout(width, unicode=unicode, verbose=True))
    assert printable(text)
    assert text.isascii() or unicode
    assert not re.search(r"^\s*::[A-Za-z]|##\[", text, re.MULTILINE)


@given(report=reports())
@settings(max_examples=100, deadline=None)
def test_the_only_escape_sequences_are_our_colours(report: Report) -> None:
    text = RENDERERS["table"](report, Layout(80, colour=True))
    assert printable(re.sub(r"\x1b\[[0-9;]*m", "", text))


@given(text=TEXTS)
@example(text=BODY)
def test_plain_text_is_one_printable_line_and_stays_itself_when_it_is(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)
    assert len(plain(text, 5)) <= 5 * len("\\U0001f9d1")
    if text.isprintable():
        assert plain(text) == text


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_encodes_as_utf8_and_ends_in_a_line_end(format_: str) -> None:
    finding = Finding("timeout", Level.BREAKING, Kind.AVAILABILITY, BODY, site="US5", check="run")
    text = RENDERERS[format_](Report("probe", "0.1.0", AT, findings=(finding,)))
    assert text.encode().endswith(b"\n")


def printable(text: str) -> bool:
    return text.replace("\n", "").replace("\u2060", "").isprintable()

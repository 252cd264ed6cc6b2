"""What a person reads: short, what is new first, and nothing in it that a service would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import schemas
from monitors.config.alerting import SinkSettings
from monitors.config.templates import NAMES
from monitors.incidents.model import Notice, NoticeKind
from monitors.model import Level
from monitors.notify.advice import advice, link
from monitors.notify.content import completed
from monitors.notify.escaping import cut, defused, fenced, shortened
from monitors.notify.message import TITLE_CHARS, Tone, message_of
from monitors.report.text import plain
from monitors.rules import RULES, Rule

Make = Callable[..., Notice]
CURL_KEYS = '-H "DD-API-KEY: $DD_API_KEY_US5" -H "DD-APPLICATION-KEY: $DD_APP_KEY_US5"'
AT = datetime(2026, 11, 26, 10, 44, tzinfo=UTC)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
GITHUB = MarkdownIt("gfm-like", {"linkify": False})
MEMBERS = tuple(schemas.document("notification")["$defs"]["incident"]["properties"])


def test_a_first_notice_says_what_where_since_when_how_bad_and_what_to_do(notice: Make) -> None:
    message = message_of(notice("opened"))
    assert message.title == "🔴 US5 and EU1: null where string is promised (name)"
    assert message.plain().split("\n") == [
        "breaking · response-property-became-nullable",
        "Where: 2 of 9 sites: US5 (first, 10:02 UTC), EU1",
        "Since: 10:02 UTC (42 min)",
        "Place: $.data.attributes.name",
        "Was → is: string → null",
        "To do: Check that your readers cope with it; if you can live with it, accept it with a reason.",
        "See it: curl -i https://api.us5.datadoghq.com/api/v2/model-lab-api/runs/42 " + CURL_KEYS,
        "More: https://docs.datadoghq.com/api/latest/model-lab-api/get-a-model-lab-run/",
        "Incident: 12, seen from fra-1",
    ]
    assert (message.tone, message.level) == (Tone.FAILURE, Level.BREAKING)


def spells(**messages: tuple[str, str]) -> list[dict[str, Any]]:
    since = {"since": "2026-11-26T10:02:00Z", "until": None, "level": "breaking"}
    return [{"site": site, **since, "rule": rule, "message": said} for site, (rule, said) in messages.items()]


def test_what_is_not_the_same_on_all_sites_is_said_of_each(notice: Make) -> None:
    html, failed = ("edge-answer", "403 with HTML"), ("server-error", "500")
    seen = spells(AP2=html, UK1=failed, US3=failed, US5=("timeout", "10 s passed"))
    down = {"problem": "outage", "rule": "edge-answer", "message": "403 with HTML", "location": None, "spells": seen}
    message = message_of(notice(**down, sites=["AP2", "UK1", "US3", "US5"], all_sites=["AP2", "UK1", "US3", "US5"]))
    assert message.title == "🔴 4 of 9 sites are down: 403 with HTML, and 2 other messages"
    assert message.plain().split("\n")[:5] == [
        "breaking · edge-answer, server-error, timeout",
        "Where: 4 of 9 sites: AP2 (first, 10:02 UTC), UK1, US3, US5",
        "AP2: 403 with HTML",
        "UK1 and US3: 500",
        "US5: 10 s passed",
    ]
    assert message.fields["message"] == "AP2: 403 with HTML; UK1 and US3: 500; US5: 10 s passed"
    two = message_of(notice("reminder", **down | {"spells": seen[:2]}, sites=["AP2", "UK1"], all_sites=["AP2", "UK1"]))
    assert two.title == "🔴 AP2 and UK1 are still down after 42 min: 403 with HTML, and 1 other message"


def test_what_was_seen_first_gives_way_to_what_is_seen_now(notice: Make) -> None:
    first, now = spells(US5=("server-error", "503"))[0], spells(US5=("timeout", "10 s passed"))[0]
    seen = [{**first, "until": "2026-11-26T10:05:00Z"}, now]
    message = message_of(notice(problem="outage", message="503", location=None, sites=["US5"], spells=seen))
    assert message.title == "🔴 US5 is down: 10 s passed"


def test_what_is_wrong_is_said_again_only_where_the_title_has_not_all_of_it(notice: Make) -> None:
    long = "a message that goes on and on, " * 5
    message = message_of(notice(message=long.strip()))
    assert message.lines[0] == long.strip()
    assert long.strip() not in message.title
    named = message_of(notice(), SinkSettings("ops", "stdout", title="[$level] $sites"))
    assert named.lines == ("null where string is promised", "breaking · response-property-became-nullable")


@pytest.mark.parametrize(
    ("kind", "members", "title"),
    [
        ("updated", {}, "🔴 Now also EU1 (2 of 9 sites): null where string is promised (name)"),
        ("reminder", {}, "🔴 US5 and EU1: still after 42 min: null where string is promised (name)"),
        (
            "acknowledged",
            {"acknowledged": {"by": "ana", "at": "2026-11-26T10:10:00Z", "reason": ""}},
            "👤 ana is on it: US5 and EU1: null where string is promised (name)",
        ),
        ("resolved", {}, "🟢 US5 is up again after 42 min (503)"),
        ("resolved", {"why_resolved": "by hand"}, "🟢 US5: closed by hand after 42 min: 503"),
        ("opened", {"level": "warning", "sites": ["US5"]}, "🟡 US5: null where string is promised (name)"),
        ("opened", {"sites": ["US5", "US3", "EU1"]}, "🔴 3 of 9 sites: null where string is promised (name)"),
        ("opened", {"kind": "monitor", "location": None}, "🔴 The monitor itself: null where string is promised"),
        ("opened", {"location": None, "message": "", "spells": [], "sites": [], "all_sites": [], "watched": 0},
         "🔴 Model Lab: response-property-became-nullable"),
        ("test", {}, "🔵 Test of ops"),
        ("digest", {}, "🔴 Model Lab, 1 d: 1 open, 2 new, 1 over"),
    ],
)  # fmt: skip
def test_the_title_says_it_on_a_locked_phone(kind: str, members: dict[str, Any], title: str, notice: Make) -> None:
    made = notice(kind)
    said = dict(made.content)
    if "incident" in said:
        said["incident"] = {**said["incident"], **members}
    assert message_of(replace(made, content=said)).title == title


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({"spread_to": ["EU1", "AP1"]}, "now also EU1 and AP1"),
        ({"gone_from": ["US3"]}, "no longer US3"),
        ({"worsened_from": "warning", "spread_to": ["EU1"]}, "warning became breaking, now also EU1"),
        ({}, ""),
    ],
)
def test_an_update_begins_with_what_is_new(change: dict[str, Any], news: str, notice: Make) -> None:
    made = notice("updated")
    message = message_of(replace(made, content={**made.content, "change": change}))
    assert ([row.text for row in message.rows if row.label == "New"] or [""]) == [news]
    assert message.title.startswith(f"🔴 {news[:1].upper()}{news[1:]} (" if news else "🔴 US5 and EU1: ")


def test_what_began_on_another_day_says_so(notice: Make) -> None:
    message = message_of(notice("opened", since="2026-11-24T23:59:00Z"))
    assert "Since: 24 Nov 23:59 UTC (1 d 10 h)" in message.plain()


def test_the_end_says_how_long_it_was_and_asks_for_nothing(notice: Make) -> None:
    text = message_of(notice("resolved")).plain()
    assert "Over: 10:44 UTC, after 42 min" in text
    assert "To do" not in text
    assert "curl" not in text


def test_the_vendor_s_word_is_quoted(notice: Make) -> None:
    assert "Vendor says: known incident: x" in message_of(notice(), known="known incident: x").plain()


def test_a_digest_lists_what_is_open_what_ended_and_who_was_down(notice: Make) -> None:
    message = message_of(notice("digest"))
    assert message.plain().split("\n") == [
        "🔴 US5 and EU1: null where string is promised ($.data.attributes.name); since 26 Nov 10:02 UTC (42 min)",
        "🟢 US5: 503; over after 42 min",
        "US5: 97.08 % up, p95 312 ms",
        "100 % up: EU1",
        "2,880 probes; p95 at most 312 ms",
        "Not probed: UK1",
    ]


def test_a_quiet_digest_is_two_lines(notice: Make) -> None:
    made = notice("digest")
    digest = {**made.content["digest"], "open": [], "opened": [], "resolved": [], "skipped": []}
    digest["uptime"] = [row | {"uptime": 100.0} for row in digest["uptime"]]
    message = message_of(replace(made, content={**made.content, "digest": digest}))
    assert (message.title, message.tone) == ("🟢 Model Lab, 1 d: no incident", Tone.SUCCESS)
    assert message.plain() == "100 % up: US5, EU1\n2,880 probes; p95 at most 312 ms"


@pytest.mark.parametrize("opened", [0, 1])
@pytest.mark.parametrize("probes", [None, 0])
def test_a_digest_of_a_time_nothing_was_probed_in_is_not_green(probes: int | None, opened: int, notice: Make) -> None:
    made = notice("digest")
    digest = {**made.content["digest"], "opened": [], "resolved": [], "skipped": []}
    digest["open"] = digest["open"][:opened]
    digest["uptime"] = [] if probes is None else [digest["uptime"][0] | {"probes": probes, "uptime": None}]
    message = message_of(replace(made, content={**made.content, "digest": digest}))
    sign, count = ("🔴", "1 open, ") if opened else ("🟡", "")
    assert message.title == f"{sign} Model Lab, 1 d: {count}nothing was probed"
    assert message.tone is (Tone.FAILURE if opened else Tone.WARNING)
    assert message.level is (Level.BREAKING if opened else Level.WARNING)
    assert message.lines[-1] == "Nothing was probed in that time: see that the monitor runs, and that it has keys."


def test_a_long_digest_says_how_much_it_leaves_out(notice: Make) -> None:
    made = notice("digest")
    many = [{**made.content["digest"]["open"][0], "id": number} for number in range(40)]
    message = message_of(replace(made, content={**made.content, "digest": {**made.content["digest"], "open": many}}))
    assert "and 25 more" in message.plain()


@pytest.mark.parametrize(
    ("uptime", "said"),
    [(99.9949, "99.99 %"), (99.9999, "99.99 %"), (0.0001, "<0.01 %"), (0, "0 %"), (25.0, "25.00 %")],
)
def test_an_uptime_that_is_not_full_never_shows_as_full(uptime: float, said: str, notice: Make) -> None:
    made = notice("digest")
    rows = [{"site": "US5", "check": None, "probes": 100_000, "uptime": uptime, "p95_ms": None}]
    digest = {**made.content["digest"], "uptime": rows}
    assert f"US5: {said} up" in message_of(replace(made, content={**made.content, "digest": digest})).plain()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_has_advice_and_leads_nowhere_but_to_the_vendor(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z].{10,140}[.]|model-lab-monitor .*[.]", advice(rule.id, str(rule.kind)))
    for site in ("US5", "UK1", "XX", None):
        target = link(rule.id, str(rule.kind), site)
        assert target is None or re.match(r"https://(docs|status)\.(us5\.)?datadoghq\.com/", target)


def test_a_rule_of_a_newer_program_has_advice_too() -> None:
    for kind in ("availability", "contract", "drift", "monitor", "mystery"):
        assert advice("brand-new", kind)


# -- templates


def test_a_template_says_it_in_the_user_s_words(notice: Make) -> None:
    settings = SinkSettings("ops", "stdout", title="[$level] $sites", body="$message\n$$ $where\n$unknown ${advice}")
    message = message_of(notice(), settings)
    assert message.title == "[breaking] US5, EU1"
    assert message.plain().startswith("null where string is promised\n$ 2 of 9 sites: US5 (first, 10:02 UTC), EU1\n")


def test_a_template_is_the_user_s_markup_and_its_values_are_not(notice: Make) -> None:
    settings = SinkSettings("ops", "stdout", body="**$message** <@U1> $curl")
    message = message_of(notice(message="**x** <!channel> @all\n::error::"), settings)
    assert message.markdown().startswith("**\\*\\*x\\*\\* \\<!channel\\> @\u2060all\\\\n::error::** <@U1> curl")
    assert message.chat().startswith(
        "****x** <\u2060!channel> @\u2060all\\n::\u2060error::** <@U1> curl -i https://api"
    )


EVERYTHING = "\n".join(f"{name}: ${name}" for name in NAMES)


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_template_has_what_the_table_of_names_promises_of_any_notice(kind: NoticeKind, notice: Make) -> None:
    said = message_of(notice(kind), SinkSettings("ops", "stdout", body=EVERYTHING)).plain().split("\n")
    values = dict(line.split(": ", 1) for line in said if line.split(": ")[0] in NAMES)
    assert values["event"] == kind
    assert (values["vantage"], values["at"]) == ("fra-1", "26 Nov 10:44 UTC")
    assert values["title"]
    assert values["level"] in {"breaking", "warning", "info"}
    assert values["message"]
    if kind not in {NoticeKind.DIGEST, NoticeKind.TEST}:
        assert bool(values["advice"]) is (kind is not NoticeKind.RESOLVED)
        assert values["incident"]


def test_a_digest_in_a_template_has_a_line_for_each_thing_it_says(notice: Make) -> None:
    message = message_of(notice("digest"), SinkSettings("ops", "stdout", title="$event: $message", body="*\n$message"))
    assert message.title == plain(f"digest: {' '.join(message_of(notice('digest')).lines)}", TITLE_CHARS)
    for text in (message.plain(), message.chat()):
        assert len(text.split("\n")) == 1 + len(message_of(notice("digest")).lines)
    assert message.markdown().count("  \n") == len(message_of(notice("digest")).lines) - 1


def test_the_end_asks_for_nothing_of_a_program_either(notice: Make) -> None:
    assert message_of(notice("resolved")).content["advice"] == ""
    assert message_of(notice("reminder")).content["advice"]


@settings(deadline=None)
@given(text=st.text(alphabet="ab…\u2060 ", max_size=60), first=st.integers(5, 60), second=st.integers(5, 60))
def test_what_is_cut_twice_ends_with_one_ellipsis(text: str, first: int, second: int) -> None:
    for shorten in (cut, plain, shortened):
        once = shorten(text, first)
        twice = shorten(once, second)
        assert len(twice) <= second
        assert not (len(once) > second and twice.endswith("……"))
        assert len(once) > second or twice == once


def test_a_title_of_the_user_s_that_is_too_long_says_that_it_is_cut(notice: Make) -> None:
    long = message_of(notice(message="m" * 400), SinkSettings("ops", "stdout", title="$message $title"))
    assert len(long.title) == TITLE_CHARS
    assert long.title.endswith("m…")


# -- harmless


@settings(deadline=None)
@given(members=st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=8), kind=st.sampled_from(NoticeKind))
def test_any_content_makes_a_message_of_printable_lines(members: dict[str, Any], kind: NoticeKind) -> None:
    opened = schemas.document("notification")["examples"][0]
    said = {**opened, "incident": {**opened["incident"], **members}, "kind": str(kind)}
    message = message_of(Notice("ops", 1, 1, kind, "key", AT, said))
    assert message.title.isprintable()
    assert len(message.title) <= TITLE_CHARS
    for text in (message.plain(), message.chat()):
        assert text.replace("\n", "").replace("\u2060", "").isprintable()
    json.dumps(message.content, allow_nan=False)


@settings(deadline=None)
@given(said=JSON_VALUES, kind=st.sampled_from(NoticeKind))
def test_any_json_at_all_makes_a_message(said: Any, kind: NoticeKind) -> None:
    for content in ({"digest": said, "incident": said}, {"incident": said, "change": said, "request": said}):
        assert message_of(Notice("ops", 1, 1, kind, "key", AT, content)).plain() is not None


@settings(deadline=None)
@given(text=st.text(alphabet=st.sampled_from("<>!@#*_`~[]()|\\&;:/.$%-+='\" \nawhtps1"), max_size=60))
@example(text="# heading")
@example(text="    code")
@example(text="1) list")
@example(text="---")
def test_text_from_the_wire_is_no_markup_on_github(text: str) -> None:
    opened = schemas.document("notification")["examples"][0]
    said = {**opened, "incident": {**opened["incident"], "message": text, "rule": text, "location": text}}
    rendered = GITHUB.parse(message_of(Notice("ops", 1, 1, NoticeKind.OPENED, "key", AT, said)).markdown())
    inline = [child.type for token in rendered for child in token.children or ()]
    assert set(inline) <= {"text", "softbreak", "hardbreak", "strong_open", "strong_close", "text_special"}
    blocks = {token.type.removesuffix("_open").removesuffix("_close") for token in rendered}
    assert blocks <= {"paragraph", "inline", "bullet_list", "list_item", "fence"}
    assert inline.count("strong_open") == inline.count("strong_close")


@settings(deadline=None)
@given(text=st.text(alphabet=st.sampled_from("<>!@#[]():/%`w.eviltx1 ")))
def test_defused_text_holds_nothing_a_chat_service_obeys(text: str) -> None:
    safe = defused(text)
    assert safe.replace("\u2060", "") == text
    assert not re.search(r"@\w|<[!@#A-Za-z]|\]\(|\w://|^%%%|:\w+:|```", safe)


@settings(deadline=None)
@given(text=st.text(alphabet="`ab ").filter(lambda text: text.strip()))
def test_nothing_ends_a_block_of_code(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(fenced(text))
    assert [(token.type, token.content) for token in tokens] == [("fence", text + "\n")]


@settings(deadline=None)
@given(text=st.text(alphabet="a\n", max_size=50), limit=st.integers(5, 60))
def test_a_cut_text_fits_and_says_that_it_is_cut(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text if len(text) <= limit else short.endswith("…")


def test_a_curl_is_only_shown_for_an_address_a_shell_takes_as_it_is(notice: Make) -> None:
    made = notice()
    for url in ("ftp://x", "https://x/\u202e", "https://[", None, "https://x/a b"):
        said = {**made.content, "request": {"url": url}}
        assert "curl" not in message_of(replace(made, content=said)).plain()
    keyless = {**made.content, "request": {"url": "https://x/'$(id)'", "with_keys": False}}
    assert "curl -i 'https://x/'\"'\"'$(id)'\"'\"''" in message_of(replace(made, content=keyless)).plain()


# -- the documented content


@pytest.mark.parametrize("kind", NoticeKind)
def test_the_content_of_any_notice_is_as_documented(kind: NoticeKind, notice: Make) -> None:
    validate(dict(message_of(notice(kind)).content))


def test_the_examples_of_the_schema_keep_it() -> None:
    for said in schemas.document("notification")["examples"]:
        validate(said)


@pytest.mark.parametrize("said", schemas.document("notification")["examples"], ids=lambda said: said["kind"])
def test_the_examples_of_the_schema_are_what_we_send(said: dict[str, Any]) -> None:
    stored = {name: member for name, member in said.items() if name not in {"known", "advice", "link", "curl"}}
    assert completed(stored, said.get("known")) == said


HOSTILE = "a\u202eb\u200bc\x9b31m\x85\n\x1b[0m\ud83d\u2028\u00a0\U000e0041"
SPELLED = r"a\u202eb\u200bc\x9b31m\x85\n\x1b[0m\ud83d\u2028\xa0\U000e0041"


@pytest.mark.parametrize("kind", NoticeKind)
def test_what_a_reader_of_the_content_gets_is_spelled_out(kind: NoticeKind, notice: Make) -> None:
    """As it is read: JSON's own escapes are undone by then."""
    made = notice(kind)
    known = f"k{HOSTILE}" if "incident" in made.content else None
    said = message_of(replace(made, content=with_each_text(made.content, HOSTILE)), known=known).content
    read = json.loads(json.dumps(said))
    assert [text for text in texts(read) if not text.isprintable()] == []
    assert any(SPELLED in text for text in texts(read))
    assert known is None or read["known"] == f"k{SPELLED}"


def test_base_and_revision_keep_their_types_and_their_texts_are_spelled_out(notice: Make) -> None:
    kept: list[Any] = [None, True, False, 0, -1, 2**53, 1.5, [], {}, [[1, {"a": [None, 0.1]}]], "string", "\U0001f525"]
    for value in kept:
        incident = message_of(notice(base=value, revision=[value])).content["incident"]
        assert isinstance(incident, dict)
        for was, wanted in ((incident["base"], value), (incident["revision"], [value])):
            assert json.dumps(was) == json.dumps(wanted)
    content = message_of(notice(base={HOSTILE: [HOSTILE, 1]}, revision=HOSTILE)).content
    incident = content["incident"]
    assert isinstance(incident, dict)
    assert (incident["base"], incident["revision"]) == ({SPELLED: [SPELLED, 1]}, SPELLED)
    validate(dict(content))


def test_a_text_of_the_content_is_bounded_and_so_is_its_depth(notice: Make) -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    incident = message_of(notice(message="m" * 99_999, base=deep, revision={"k" * 99_999: 1})).content["incident"]
    assert isinstance(incident, dict)
    assert incident["message"] == "m" * 3_999 + "…"
    assert incident["revision"] == {"k" * 3_999 + "…": 1}
    assert json.dumps(incident["base"]).count("[") < 40


@settings(deadline=None)
@given(value=JSON_VALUES)
def test_any_content_is_json_with_printable_texts(value: Any) -> None:
    read = json.loads(json.dumps(completed({"kind": value, "incident": {"base": value}}), allow_nan=False))
    assert all(text.isprintable() for text in texts(read))


def with_each_text(value: Any, text: str) -> Any:
    """Return a value with a text behind each of its own."""
    if isinstance(value, dict):
        return {name: with_each_text(member, text) for name, member in value.items()}
    if isinstance(value, list):
        return [with_each_text(item, text) for item in value]
    return value + text if isinstance(value, str) else value


def texts(value: Any) -> list[str]:
    """Return every text in a value, names of members too."""
    if isinstance(value, dict):
        return [*value, *(text for member in value.values() for text in texts(member))]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_a_further_member_is_refused(notice: Make) -> None:
    for said in ({**message_of(notice()).content, "more": 1}, {**message_of(notice("test")).content, "incident": None}):
        with pytest.raises(jsonschema.ValidationError):
            validate(dict(said))


def validate(said: dict[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(said, schemas.document("notification"), format_checker=checker)

"""Files and directories: what is opened, what is skipped, and what is said when something is wrong."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitors.errors import UsageError
from monitors.recordings import MAX_FILE_BYTES, Aside, count_files, read

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = '{"data": {"type": "runs", "id": "1"}}'
CASSETTE = """interactions:
- request: {method: GET, uri: 'https://h/api/v2/model-lab-api/runs/1'}
  response: {status: {code: 200}, body: {string: '{}'}, headers: {}}
"""
OTHERS = """---
http_interactions:
- request:
    method: get
    uri: https://h/api/v2/monitor/123
    body: {}
- request:
    url: 'https://h/api/v2/monitor/456'
    method: GET
- request:
    method: post
    uri: https://h/api/v2/monitor
"""


def grow(top: Path, **files: str) -> Path:
    for name, text in files.items():
        path = top / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top


def message_of(path: Path, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        list(read(path, **options))
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_directory_is_read_recursively_in_order_and_what_is_skipped_is_counted(
    tmp_path: Path, reading: Callable[..., Any]
) -> None:
    grow(tmp_path, a_json=RUN, b__a_yaml=CASSETTE, b__a_frozen="2026-05-18T15:55:50Z", c_json=RUN)
    grow(tmp_path, _git__x_json=RUN, _hidden_json=RUN, picture_png="x", README="x", package_json='{"name": "x"}')
    seen = reading(tmp_path)
    assert [Path((one.source or "").partition("#")[0]).name for one in seen.observations] == [
        "a.json",
        "a.yaml",
        "c.json",
    ]
    assert seen.observations[1].at is not None
    assert seen.reasons == {
        "hidden": 2,
        "no recording by its name: .png": 1,
        "no recording by its name: no suffix": 1,
        "no recording by its content": 1,
    }
    assert {aside.kind for aside in seen.aside} == {Aside.UNKNOWN}


def test_progress_is_told_after_each_file_and_the_files_can_be_counted_before(
    tmp_path: Path, reading: Callable[..., Any]
) -> None:
    grow(tmp_path, a_json=RUN, b__c_yaml=CASSETTE, x_txt="x")
    done: list[Path] = []
    reading(tmp_path, on_file=done.append)
    assert done == [tmp_path / "a.json", tmp_path / "b" / "c.yaml"]
    assert count_files([tmp_path, tmp_path / "a.json", tmp_path / "missing"]) == 4
    reading(tmp_path / "a.json", on_file=done.append)
    assert done[-1] == tmp_path / "a.json"


def test_links_are_followed_but_never_in_a_circle(tmp_path: Path, reading: Callable[..., Any]) -> None:
    grow(tmp_path, a__a_json=RUN)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "c.json").symlink_to(tmp_path / "a" / "a.json")
    (tmp_path / "d.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "e.json").symlink_to(tmp_path / "e.json")
    seen = reading(tmp_path)
    assert len(seen.observations) == 2
    assert seen.reasons["a link to a directory that was read already"] == 2
    assert sum(aside.count for aside in seen.aside if aside.kind is Aside.UNREADABLE) == 2


def test_a_pipe_in_a_directory_is_never_opened(tmp_path: Path, reading: Callable[..., Any]) -> None:
    grow(tmp_path, a_json=RUN)
    os.mkfifo(tmp_path / "b.json")
    assert reading(tmp_path).reasons == {"no regular file": 1}


def test_a_deep_directory_is_read_to_its_end(tmp_path: Path, reading: Callable[..., Any]) -> None:
    deepest = tmp_path.joinpath(*["d"] * 900)
    deepest.mkdir(parents=True)
    (deepest / "a.json").write_text(RUN)
    assert reading(tmp_path).one.status == 200


def test_raw_answers_that_are_no_run_count_in_a_directory_only_when_the_status_is_given(
    tmp_path: Path, reading: Callable[..., Any]
) -> None:
    grow(tmp_path, a_json=RUN, b_json='{"errors": ["Not found"]}', c_json="[1]", d_json='"x"')
    assert len(reading(tmp_path).observations) == 1
    assert len(reading(tmp_path, status=404).observations) == 2


def test_a_broken_run_in_a_directory_is_judged_not_skipped(tmp_path: Path, reading: Callable[..., Any]) -> None:
    grow(tmp_path, a_json=RUN[:-3])
    assert reading(tmp_path).one.body == RUN[:-3].encode()


def test_a_cassette_without_our_path_is_counted_by_its_lines(reading_bytes: Callable[..., Any]) -> None:
    seen = reading_bytes(OTHERS, "others.yml")
    assert seen.reasons == {"other operation: GET /api/v2/monitor/{id}": 2, "other operation: POST /api/v2/monitor": 1}
    assert not any(aside.exact for aside in seen.aside)


def test_counting_by_lines_agrees_with_parsing(reading_bytes: Callable[..., Any]) -> None:
    ours = "- request:\n    method: GET\n    uri: https://h/api/v2/model-lab-api/runs/1\n"
    parsed = reading_bytes(OTHERS + ours, "others.yml").reasons
    assert parsed.pop("no answer recorded") == 1
    assert parsed == reading_bytes(OTHERS, "others.yml").reasons


def test_everything_else_is_yielded_before_a_broken_file_of_the_directory_is_told(tmp_path: Path) -> None:
    grow(tmp_path, a_yaml=CASSETTE + "  : [", b_yaml=CASSETTE, c_yaml=CASSETTE + "\t@")
    seen = []
    with pytest.raises(UsageError, match=r"a\.yaml: a broken recording: line 4, .* \(and 1 more that cannot be read\)"):
        seen.extend(read(tmp_path))
    assert any((one.source or "").startswith(str(tmp_path / "b.yaml")) for one in seen)


def test_broken_and_empty_files_that_are_none_of_ours_are_left_aside(
    tmp_path: Path, reading: Callable[..., Any]
) -> None:
    grow(tmp_path, a_json=RUN, b_json='{"interactions": [', c_json=" \n", d_yaml="a: b")
    assert reading(tmp_path).reasons == {
        "unreadable: a broken recording": 1,
        "unreadable: an empty file": 1,
        "no recording by its content": 1,
    }


ACCEPTED = "accepted are JSON bodies, HAR, VCR cassettes (YAML or JSON), MockServer expectations"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "", f"the file is empty; {ACCEPTED}"),
        ("a.json", " \n", f"the file is empty; {ACCEPTED}"),
        ("a.yaml", "a: b", f"is no recording I know; {ACCEPTED}"),
        (
            "a.json",
            '{"interactions": [\n{"request": }]}',
            "a broken recording: line 2, column 13: Expecting value",
        ),
        ("a.har", '{"log": {"entries": ' + "[" * 100_000, "a broken recording: it nests too deep to be a recording"),
        (
            "a.yaml",
            CASSETTE + "- {a: b",
            "a broken recording: line 5, column 1: did not find expected ',' or '}'",
        ),
        ("a.yaml", CASSETTE + "- *nobody", "a broken recording: line 4: the alias *nobody has no anchor"),
        ("a.yaml", CASSETTE + "- \x07", "a broken recording: line 4: control characters are not allowed"),
        ("a.yaml", CASSETTE.encode() + b"- \xff", "a broken recording: line 4: invalid leading UTF-8 octet"),
        ("a.yaml", CASSETTE + "- " + "[" * 40, "a broken recording: line 4: nests deeper than 32 levels"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_in_one_line(
    name: str, text: str | bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert message_of(path) == f"{path}: {said}"


def test_a_missing_file_says_what_to_name(tmp_path: Path) -> None:
    path = tmp_path / "missing"
    assert message_of(path) == f"{path}: no such file; name a recording or a directory of recordings"


def test_a_path_through_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert message_of(tmp_path / "a" / "b").endswith("cannot be read: Not a directory")


def test_a_name_with_odd_bytes_is_told_in_one_printable_line() -> None:
    assert message_of(Path("no\nsuch\udcff")).startswith("no\ufffdsuch\ufffd: no such file")
    assert "cannot be read: embedded null byte" in message_of(Path("a\0b"))


def test_a_file_too_large_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "large.har"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert message_of(path) == f"{path}: larger than 512 MiB; split the recording"


def test_a_directory_without_recordings_says_what_is_accepted(tmp_path: Path) -> None:
    said = f"{tmp_path}: no recording in this directory; {ACCEPTED}, in files named *.json, *.har, *.yaml, *.yml, *.vcr"
    assert message_of(tmp_path) == said
    grow(tmp_path, a_txt="x", b_json="")
    assert message_of(tmp_path) == said


def test_a_directory_with_cassettes_of_others_only_is_no_mistake(tmp_path: Path, reading: Callable[..., Any]) -> None:
    grow(tmp_path, a_yaml=OTHERS)
    assert reading(tmp_path).observations == []


def test_standard_input_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch, reading: Callable[..., Any]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RUN.encode())))
    seen = reading(Path("-"), status=203).one
    assert (seen.body, seen.status, seen.source) == (RUN.encode(), 203, "standard input")


def test_standard_input_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitors.recordings.reading.MAX_FILE_BYTES", 2**20)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(2**20 + 1))))
    assert message_of(Path("-")) == "standard input: larger than 1 MiB; split the recording"


def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    """A file that opens and then refuses to be read, whoever asks: memory that nobody mapped."""
    path = tmp_path / "a.json"
    path.symlink_to("/proc/self/mem")
    assert message_of(path).endswith("cannot be read: Input/output error")


def test_a_path_that_cannot_even_be_looked_at_is_told(tmp_path: Path) -> None:
    class Guarded(type(Path())):  # type: ignore[misc]  # the concrete class is chosen by the platform
        def is_dir(self) -> bool:
            raise PermissionError(13, "Permission denied")

    assert "no such file" in message_of(Guarded(tmp_path / "x"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_recording_in_utf_16_is_read_as_what_it_is(
    tmp_path: Path, reading: Callable[..., Any], encoding: str
) -> None:
    """As PowerShell redirects it to a file; a raw body so written stays the flaw it would be on the wire."""
    bom = "" if encoding == "utf-16" else "\N{ZERO WIDTH NO-BREAK SPACE}"
    wide = tmp_path / "a.yaml"
    wide.write_bytes((bom + CASSETTE).encode(encoding))
    (observation,) = reading(wide).observations
    assert (observation.run_id, observation.body) == ("1", b"{}")
    body = tmp_path / "a.json"
    body.write_bytes((bom + RUN).encode(encoding))
    (observation,) = reading(body).observations
    assert observation.body == body.read_bytes()
    body.write_bytes((bom + RUN).encode(encoding)[:-1])
    (observation,) = reading(body).observations
    assert observation.body == body.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        CASSETTE.replace("interactions", '"interactions"'),
        """{interactions: [{request: {method: GET, uri: 'https://h/api/v2/model-lab-api/runs/1'},
        response: {status: {code: 200}, body: {string: '{}'}, headers: {}}}], version: 1}""",
    ],
    ids=["quoted", "flow style"],
)
def test_a_cassette_may_be_written_in_any_style_of_yaml(tmp_path: Path, reading: Callable[..., Any], text: str) -> None:
    (observation,) = reading(grow(tmp_path, a_yaml=text) / "a.yaml").observations
    assert (observation.run_id, observation.status) == ("1", 200)

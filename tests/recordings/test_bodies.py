"""Content codings are undone where the recorder left them, and never without a bound."""

from __future__ import annotations

import base64
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.recordings.bodies import MAX_DECODED_BYTES, undo_codings

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = '{"name": "naïve"}'.encode() * 20


def packed(data: bytes) -> bytes:
    """Compress without the time of day: the same bytes, and so the same test ids, in every worker."""
    return gzip.compress(data, mtime=0)


def bare_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


@pytest.mark.parametrize(
    ("coding", "raw"),
    [
        ("gzip", packed(TEXT)),
        ("x-gzip", packed(TEXT[:100]) + packed(TEXT[100:]) + b"trailing"),
        ("GZIP, gzip", packed(packed(TEXT))),
        ("deflate, gzip", packed(zlib.compress(TEXT))),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT, 0)),
        ("deflate", bare_deflate(TEXT)),
    ],
)
def test_a_coding_is_undone(coding: str, raw: bytes) -> None:
    body = undo_codings(raw, (("content-encoding", coding),))
    assert (body.content, body.wire_size, body.failure) == (TEXT, len(raw), None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("text", [TEXT, b"", b"Forbidden", b"<html>"])
def test_what_the_recorder_has_undone_already_stays_as_it_is(coding: str, text: bytes) -> None:
    body = undo_codings(text, (("content-encoding", coding),))
    assert (body.content, body.wire_size, body.failure) == (text, None, None)


def test_without_any_header_gzip_is_told_by_its_first_bytes() -> None:
    assert undo_codings(packed(TEXT), ()).content == TEXT
    raw = packed(TEXT)
    assert undo_codings(raw, (("content-type", "application/json"),)).content == raw


@pytest.mark.parametrize(
    "raw",
    [packed(TEXT)[:-9], packed(TEXT)[:-2] + b"xx", b"\x1f\x8bxx\xff", packed(b"") * 101],
    ids=["cut", "wrong-sum", "garbage", "members"],
)
def test_a_coding_that_cannot_be_undone_is_a_failure_of_the_answer(raw: bytes) -> None:
    body = undo_codings(raw, (("content-encoding", "gzip"),))
    assert body.content == b""
    assert body.failure is not None
    assert body.failure.rule == "response-body-undecodable"


def test_a_gzip_bomb_is_stopped_at_the_cap() -> None:
    stream = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(stream.compress(bytes(2**20)) for _ in range(MAX_DECODED_BYTES // 2**20 + 1)) + stream.flush()
    body = undo_codings(bomb, (("content-encoding", "gzip"),))
    assert body.content == b""
    assert body.failure is not None
    assert body.failure.rule == "response-body-too-large"


def test_a_coding_nobody_here_can_undo_is_left_aside_not_judged(
    reading_bytes: Callable[..., Any], cassette: Callable[..., Any]
) -> None:
    body = {"base64_string": base64.b64encode(b"\x8b\x03\x80{}\xff").decode()}
    seen = reading_bytes(cassette(headers={"Content-Encoding": "br"}, body=body))
    assert list(seen.reasons) == [
        "unreadable entry: the body is in the content coding 'br'; record it uncompressed or as gzip"
    ]


def test_bodies_that_add_up_to_far_more_than_the_file_are_refused(
    reading_bytes: Callable[..., Any], interaction: Callable[..., Any]
) -> None:
    bomb = base64.b64encode(packed(packed(bytes(60 * 2**20)))).decode()
    one = interaction(headers={"Content-Encoding": "gzip, gzip"}, body={"base64_string": bomb})
    with pytest.raises(Exception, match="add up to more than 100 times the file"):
        reading_bytes({"interactions": [one, one]})


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "identity", "gzip, deflate", ""]))
def test_any_bytes_under_any_coding_are_a_body_or_a_failure(raw: bytes, coding: str) -> None:
    body = undo_codings(raw, (("content-encoding", coding),))
    assert body.failure is None or body.content == b""


@given(st.binary(max_size=300))
def test_what_was_compressed_comes_back(content: bytes) -> None:
    assert undo_codings(packed(content), (("content-encoding", "gzip"),)).content == content

"""Each fault of an answer really does on the wire what its row says."""

from __future__ import annotations

import gzip
import json
import ssl
import zlib
from typing import TYPE_CHECKING

import h11
import pytest

from mock_site.faults import FAULTS, AnswerFault
from mock_site.faults.bodies import BOMB_BYTES, DEEP, inserted
from mock_site.faults.framing import chunked
from mock_site.faults.streams import FLOOD_HEADERS, HUGE_BYTES
from mock_site.wire import MAX_FAULT_BYTES

if TYPE_CHECKING:
    from conftest import Client, Understood

ANSWERS = [fault for fault in FAULTS.values() if isinstance(fault, AnswerFault)]
HARMLESS = [fault.name for fault in ANSWERS if fault.rule is None]
MALFORMED = [fault.name for fault in ANSWERS if fault.rule == "response-malformed"]
TRUNCATED = [fault.name for fault in ANSWERS if fault.rule == "response-body-truncated"]
REDIRECTS = [fault.name for fault in ANSWERS if fault.rule == "redirected"]


@pytest.fixture(scope="module")
def healthy(client: Client) -> Understood:
    return client.ask()


# --- harmless ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_oddity_carries_the_very_same_answer(
    client: Client, healthy: Understood, name: str, *, tls: bool
) -> None:
    heard = client.fault(name, tls=tls)
    answer = client.understand(heard.data)
    body = gzip.decompress(answer.body) if "content-encoding" in answer.headers else answer.body
    assert (answer.status, body) == (200, healthy.body)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("http-1.0-close", b"HTTP/1.0 200 OK\r\n"),
        ("tiny-chunks", b"\r\n1\r\n{\r\n1\r\n"),
        ("trailers", b"0\r\nx-checksum: none\r\n\r\n"),
        ("unasked-continue", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
        ("early-hints", b"HTTP/1.1 103 Early Hints\r\n"),
        ("headers-upper-case", b"\r\nCONTENT-TYPE: application/json\r\n"),
        ("headers-spaced", b"\r\ncontent-type: \t application/json\t \r\n"),
        ("headers-twice", b"\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"),
        ("headers-latin-1", b"\r\nx-note: caf\xe9\r\n"),
        ("no-reason", b"HTTP/1.1 200 \r\n"),
        ("trailing-garbage", b"}\x00garbage\r\n\r\n"),
        ("gzip", b"\r\ncontent-encoding: gzip\r\n"),
    ],
)
def test_a_harmless_oddity_is_there(client: Client, name: str, there: bytes) -> None:
    assert there in client.fault(name).data


def test_a_close_delimited_answer_announces_no_length(client: Client) -> None:
    head = client.fault("close-delimited").data.partition(b"\r\n\r\n")[0]
    assert b"content-length" not in head
    assert b"transfer-encoding" not in head


def test_small_pieces_arrive_one_by_one(client: Client) -> None:
    with client.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nPrefer: fault=small-pieces\r\n\r\n")
        assert len(sock.recv(65_536)) <= 64


def test_a_ragged_end_says_no_goodbye_within_tls(client: Client) -> None:
    assert client.fault("ragged-end", tls=True).end == "cut"
    assert client.fault("close-delimited", tls=True).end == "closed"


# --- HTTP ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_by_a_strict_client(client: Client, name: str, *, tls: bool) -> None:
    heard = client.fault(name, tls=tls)
    assert heard.data
    assert heard.end == "closed"
    with pytest.raises(h11.RemoteProtocolError):
        client.understand(heard.data)


@pytest.mark.parametrize("name", TRUNCATED)
def test_what_is_truncated_ends_too_early(client: Client, name: str) -> None:
    heard = client.fault(name)
    assert heard.end == "closed"
    assert heard.data.startswith(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(h11.RemoteProtocolError, match="closed"):
        client.understand(heard.data)


def test_a_length_too_small_cuts_the_json_and_leaves_bytes_over(client: Client, healthy: Understood) -> None:
    heard = client.fault("content-length-too-small")
    body = client.understand(heard.data).body
    assert healthy.body.startswith(body)
    assert len(body) == len(healthy.body) // 2
    assert heard.data.endswith(healthy.body)


def test_a_status_of_no_class_is_sent(client: Client) -> None:
    assert client.understand(client.fault("status-999").data).status == 999


def test_the_bare_body_has_no_head(client: Client, healthy: Understood) -> None:
    assert client.fault("http-0.9").data == healthy.body


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("name", REDIRECTS)
def test_a_redirect_leads_where_it_says(client: Client, name: str, *, tls: bool) -> None:
    path, host = "/api/v2/model-lab-api/runs/1", "api.us5.datadoghq.com"
    scheme = "https" if tls else "http"
    expected = {
        "redirect-same-host": (301, "/api/v3/moved"),
        "redirect-other-host": (302, f"{scheme}://elsewhere.invalid{path}"),
        "redirect-loop": (307, path),
        "redirect-to-http": (308, f"http://{host}{path}"),
        "redirect-nowhere": (302, None),
    }
    answer = client.understand(client.fault(name, tls=tls).data)
    assert (answer.status, answer.headers.get("location")) == expected[name]


# --- bodies --------------------------------------------------------------------------------------------------------


def body_of(client: Client, name: str) -> bytes:
    answer = client.understand(client.fault(name).data)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)
    return answer.body


def test_invalid_utf8_breaks_nothing_but_the_encoding(client: Client) -> None:
    body = body_of(client, "invalid-utf8")
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert json.loads(body.decode("latin-1"))["data"]["id"] == "1"


def test_utf_16_is_the_same_text(client: Client, healthy: Understood) -> None:
    assert body_of(client, "utf-16").decode("utf-16") == healthy.body.decode()


def test_a_byte_order_mark_comes_first(client: Client, healthy: Understood) -> None:
    assert body_of(client, "byte-order-mark") == b"\xef\xbb\xbf" + healthy.body


@pytest.mark.parametrize(("name", "word"), [("nan", "NaN"), ("infinity", "-Infinity")])
def test_a_number_is_not_finite(client: Client, name: str, word: str) -> None:
    seen: list[str] = []
    body = body_of(client, name)
    json.loads(body, parse_constant=seen.append)
    assert seen == [word]


def test_a_member_is_named_twice(client: Client, healthy: Understood) -> None:
    body = body_of(client, "duplicate-member")
    pairs: list[list[str]] = []
    json.loads(body, object_pairs_hook=lambda members: pairs.append([name for name, _ in members]) or dict(members))
    assert pairs[-1] == ["data", "data"]
    assert json.loads(body) == json.loads(healthy.body)


@pytest.mark.parametrize(("name", "opened"), [("deep-arrays", b"["), ("deep-objects", b'{"a":')])
def test_the_nesting_is_deep(client: Client, name: str, opened: bytes) -> None:
    body = body_of(client, name)
    assert opened * DEEP in body
    with pytest.raises(RecursionError):
        json.loads(body)


@pytest.mark.parametrize("name", ["cut-json", "two-documents"])
def test_the_body_is_no_json(client: Client, name: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(body_of(client, name))


@pytest.mark.parametrize(
    ("name", "status", "content_type", "start"),
    [
        ("html-200", 200, "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("html-as-json", 200, "application/json", b"<!DOCTYPE html>"),
        ("html-403", 403, "text/html", b"<html>"),
        ("html-502", 502, "text/html", b"<html>"),
        ("envelope-502", 502, "application/json", b'{"status":"error","code":502,'),
        ("text-503", 503, "text/plain", b"upstream connect error"),
        ("empty-200", 200, "application/json", b""),
        ("no-content", 204, None, b""),
        ("wrong-content-type", 200, "text/plain; charset=utf-8", b'{"data":'),
        ("no-content-type", 200, None, b'{"data":'),
    ],
)
def test_another_answer_comes_than_was_asked_for(
    client: Client,
    name: str,
    status: int,
    content_type: str | None,
    start: bytes,
) -> None:
    answer = client.understand(client.fault(name).data)
    assert (answer.status, answer.headers.get("content-type")) == (status, content_type)
    assert answer.body.startswith(start)
    assert bool(answer.body) == bool(start)


def test_the_bomb_is_valid_gzip_of_valid_json(client: Client, healthy: Understood) -> None:
    answer = client.understand(client.fault("gzip-bomb").data)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 500_000
    reader, size, last = zlib.decompressobj(16 + zlib.MAX_WBITS), 0, b""
    data = answer.body
    while not reader.eof:
        piece = reader.decompress(data, 1 << 20)
        data, size, last = reader.unconsumed_tail, size + len(piece), (last + piece)[-len(healthy.body) :]
    assert size == BOMB_BYTES + len(healthy.body)
    assert last == healthy.body


@pytest.mark.parametrize("name", ["bad-gzip", "truncated-gzip", "not-gzip"])
def test_the_gzip_cannot_be_undone(client: Client, name: str) -> None:
    answer = client.understand(client.fault(name).data)
    assert answer.headers["content-encoding"] == "gzip"
    with pytest.raises((zlib.error, EOFError, gzip.BadGzipFile)):
        gzip.decompress(answer.body)


def test_the_content_coding_is_unknown(client: Client) -> None:
    answer = client.understand(client.fault("unknown-content-encoding").data)
    assert answer.headers["content-encoding"] == "x-nobody-knows"


def test_a_body_fault_happens_to_errors_and_odd_bodies_too() -> None:
    assert json.loads(inserted(b'{"errors":[]}', b'"a":1')) == {"a": 1, "errors": []}
    assert json.loads(inserted(b"{}", b'"a":1')) == {"a": 1}
    assert json.loads(inserted(b"[1]", b'"a":1')) == {"a": 1}
    assert json.loads(inserted(b"", b'"a":1')) == {"a": 1}


@pytest.mark.parametrize("name", ["invalid-utf8", "nan", "duplicate-member"])
def test_a_body_fault_happens_to_a_404_too(client: Client, name: str) -> None:
    answer = client.ask(f"Prefer: fault={name}", path="/api/v2/model-lab-api/runs/9223372036854775807")
    assert answer.status == 404
    body = answer.body.decode("latin-1")
    assert {"invalid-utf8": "\xff", "nan": '"value":NaN', "duplicate-member": '"errors":null,"errors"'}[name] in body


# --- time and size -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_silence_is_kept_until_the_client_goes(client: Client, *, tls: bool) -> None:
    heard = client.fault("silent", tls=tls, wait_s=0.3)
    assert (heard.data, heard.end) == (b"", "open")


@pytest.mark.parametrize(
    ("name", "starts", "end"),
    [
        ("reset-before-headers", b"", "reset"),
        ("close-before-headers", b"", "closed"),
        ("close-in-headers", b"HTTP/1.1 200 OK\r\n", "closed"),
        ("reset-after-headers", b"HTTP/1.1 200 OK\r\n", "reset"),
        ("reset-in-body", b"HTTP/1.1 200 OK\r\n", "reset"),
    ],
)
def test_the_connection_ends_as_the_fault_says(client: Client, name: str, starts: bytes, end: str) -> None:
    heard = client.fault(name)
    assert heard.end == end
    assert heard.data.startswith(starts)
    assert bool(heard.data) == bool(starts)


def test_where_a_reset_comes_in_the_answer(client: Client, healthy: Understood) -> None:
    assert b"\r\n\r\n" not in client.fault("close-in-headers").data
    assert client.fault("reset-after-headers").data.endswith(b"\r\n\r\n")
    body = client.fault("reset-in-body").data.partition(b"\r\n\r\n")[2]
    assert body == healthy.body[: len(healthy.body) // 2]


@pytest.mark.parametrize("name", ["reset-before-headers", "reset-after-headers"])
def test_a_reset_within_tls_is_a_reset_of_tcp(client: Client, name: str) -> None:
    with client.connect(tls=True) as sock:
        sock.sendall(client.request(f"Prefer: fault={name}"))
        try:
            while sock.recv(65_536):
                pass
        except (ConnectionResetError, ssl.SSLEOFError):
            # Python reports a reset under TLS as either; only writing tells what TCP knows.
            with pytest.raises(OSError, match=r"Broken pipe|reset|EOF"):
                sock.sendall(b"x")
        else:
            pytest.fail("the connection ended in good order")


def test_headers_drip(client: Client) -> None:
    heard = client.fault("drip-header", wait_s=0.7)
    assert heard.end == "open"
    assert 2 <= len(heard.data) <= 4
    assert b"HTTP/1.1".startswith(heard.data)


def test_a_body_drips_after_whole_headers(client: Client) -> None:
    heard = client.fault("drip-body", wait_s=0.7)
    assert heard.end == "open"
    assert 1 <= len(heard.data.partition(b"\r\n\r\n")[2]) <= 4


@pytest.mark.parametrize(
    ("name", "repeated"),
    [
        ("endless-body", b" "),
        ("endless-header", b"a"),
        ("interim-flood", b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"),
    ],
    ids=["body", "header", "interim"],
)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_never_ends_is_still_coming_after_a_megabyte(
    client: Client, name: str, repeated: bytes, *, tls: bool
) -> None:
    heard = client.fault(name, tls=tls, limit=1 << 20)
    assert heard.end == "open"
    assert len(heard.data) >= 1 << 20
    assert repeated * 100 in heard.data


def test_what_never_ends_does_end_at_the_cap(client: Client) -> None:
    total, last = 0, b""
    with client.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nPrefer: fault=endless-body\r\n\r\n")
        while piece := sock.recv(1 << 20):
            total, last = total + len(piece), piece
    assert MAX_FAULT_BYTES - 100_000 < total <= MAX_FAULT_BYTES
    assert not last.endswith(b"0\r\n\r\n")


def test_the_huge_body_is_whole_and_as_long_as_announced(client: Client, healthy: Understood) -> None:
    head, total, last = b"", 0, b""
    with client.connect() as sock:
        sock.sendall(client.request("Prefer: fault=huge-body"))
        while piece := sock.recv(1 << 20):
            if b"\r\n\r\n" not in head:
                head += piece
            total, last = total + len(piece), (last + piece)[-len(healthy.body) :]
    announced = HUGE_BYTES + len(healthy.body)
    assert b"\r\ncontent-length: %d\r\n" % announced in head
    assert total - announced == head.index(b"\r\n\r\n") + 4
    assert last == healthy.body


def test_the_header_flood_is_whole(client: Client, healthy: Understood) -> None:
    data = client.fault("header-flood").data
    assert data.count(b"\r\nx-flood-") == FLOOD_HEADERS
    assert data.endswith(b"\r\n\r\n" + healthy.body)


# --- HEAD ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["truncated-body", "close-delimited", "gzip-bomb", "nan", "endless-body", "huge-body"])
def test_a_head_request_gets_no_body_whatever_the_fault(client: Client, name: str) -> None:
    heard = client.fault(name, method="HEAD")
    assert heard.end == "closed"
    assert heard.data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard.data.endswith(b"\r\n\r\n")
    assert heard.data.count(b"\r\n\r\n") == 1


def test_chunks_are_of_the_size_asked_for() -> None:
    assert chunked(b"abcde", 2) == b"2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"

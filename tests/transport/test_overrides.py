"""`--resolve` and `--connect-to`, written as for curl."""

from __future__ import annotations

from typing import Any

import pytest

from monitors.checks import CHECKS
from monitors.errors import UsageError
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import Overrides, parse_overrides

US5 = SITES["US5"]


@pytest.mark.parametrize(
    ("text", "host", "places"),
    [
        ("api.us5.datadoghq.com:443:127.0.0.1", "api.us5.datadoghq.com", ["127.0.0.1:443"]),
        ("API.us5.datadoghq.com:443:127.0.0.1", "api.us5.datadoghq.com", ["127.0.0.1:443"]),
        ("host:443:127.0.0.1,[::1]", "host", ["127.0.0.1:443", "[::1]:443"]),
        ("host:443:::1,127.0.0.1", "host", ["[::1]:443", "127.0.0.1:443"]),
        ("+host:443:127.0.0.1", "host", ["127.0.0.1:443"]),
        ("*:443:127.0.0.1", "anything", ["127.0.0.1:443"]),
        ("[::1]:443:127.0.0.1", "::1", ["127.0.0.1:443"]),
    ],
)
def test_resolve_gives_addresses(text: str, host: str, places: list[str]) -> None:
    overrides = parse_overrides([text])
    assert [address.place for address in overrides.addresses_of(host, 443)] == places
    assert overrides.addresses_of(host, 80) == []


def test_resolve_leaves_other_hosts_alone() -> None:
    assert parse_overrides(["host:443:127.0.0.1"]).addresses_of("other", 443) == []


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("host:443:other:8443", ("other", 8443)),
        ("HOST:443:[::1]:8443", ("::1", 8443)),
        ("::127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("host:443::8443", ("host", 8443)),
        ("host:443:other:", ("other", 443)),
        ("host:80:other:8080", ("host", 443)),
        ("elsewhere::other:8080", ("host", 443)),
    ],
)
def test_connect_to_changes_the_destination(text: str, destination: tuple[str, int]) -> None:
    assert parse_overrides(connect_to=[text]).destination("host", 443) == destination


def test_the_first_that_fits_counts() -> None:
    overrides = parse_overrides(connect_to=["host:443:first:1", "host:443:second:2"])
    assert overrides.destination("host", 443) == ("first", 1)


RESOLVE_FORM = "HOST:PORT:ADDRESS[,ADDRESS], e.g. api.us5.datadoghq.com:443:127.0.0.1"
CONNECT_TO_FORM = "HOST:PORT:TO_HOST:TO_PORT, e.g. api.us5.datadoghq.com:443:127.0.0.1:8443"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host:443",
        "host:443:",
        ":443:1.2.3.4",
        "host:x:1.2.3.4",
        "host:0:1.2.3.4",
        "host:65536:1.2.3.4",
        "-host:443",
    ],
)
def test_a_resolve_that_does_not_parse_shows_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_overrides([text])
    assert str(caught.value) == f"--resolve {text!r}: write {RESOLVE_FORM}"


def test_a_resolve_to_a_name_says_that_an_address_is_wanted() -> None:
    with pytest.raises(UsageError) as caught:
        parse_overrides(["host:443:127.0.0.1,other"])
    assert str(caught.value) == f"--resolve host:443:127.0.0.1,other: 'other' is no IP address; write {RESOLVE_FORM}"


@pytest.mark.parametrize("text", ["", "host", "a:1:b", "a:1:b:c", "a:99999:b:1", "a:1:b:0", "a:1:b:2:3"])
def test_a_connect_to_that_does_not_parse_shows_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_overrides(connect_to=[text])
    assert str(caught.value) == f"--connect-to {text!r}: write {CONNECT_TO_FORM}"


def test_nothing_given_changes_nothing() -> None:
    assert parse_overrides() == Overrides()
    assert Overrides().destination("host", 443) == ("host", 443)


def test_both_work_together_as_in_curl(serve: Any, target: Any, authority: Any) -> None:
    """First the destination changes, then the new host and port are looked up among the addresses."""
    server = serve(b"HTTP/1.1 204 No Content\r\n\r\n", tls=authority.server())
    overrides = parse_overrides([f"other:{server.port}:127.0.0.1"], [f"{US5.api_host}:443:other:{server.port}"])
    seen = probe(target(server, overrides=overrides), CHECKS["run"])
    assert (seen.status, seen.phases.resolve_s) == (204, None)

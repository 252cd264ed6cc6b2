"""What TLS tells: version and certificate of a good site, and exactly what is wrong with a bad one."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from monitors.checks import CHECKS
from monitors.errors import UsageError
from monitors.model import Phase, TlsInfo
from monitors.probe import probe
from monitors.sites import SITES
from monitors.transport import parse_overrides, tls, tls_context
from monitors.transport.failures import broken_connection
from monitors.transport.tls import unverified_context, unverified_details

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

US5 = SITES["US5"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=900)
YESTERDAY = NOW - timedelta(days=1)
TOMORROW = NOW + timedelta(days=1)


def test_a_good_site_shows_version_cipher_and_certificate(look: Any, authority: Any) -> None:
    expiry = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    seen = look(OK, tls=authority.server(US5.api_host, "other.invalid", not_after=expiry))
    assert seen.failure is None
    assert (seen.tls.version, seen.tls.verified, seen.tls.not_after) == ("TLSv1.3", True, expiry)
    assert seen.tls.subject_names == (US5.api_host, "other.invalid")
    assert seen.tls.cipher.startswith("TLS_")
    assert seen.tls.issuer.startswith("trustme")
    assert seen.phases.tls_s > 0


def test_a_certificate_seen_before_is_known_again_under_another_version(look: Any, authority: Any) -> None:
    server = authority.server()
    first = look(OK, tls=server)
    assert look(OK, tls=server).tls is first.tls
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    assert look(OK, tls=server).tls.version == "TLSv1.2"


def test_an_expired_certificate_says_when_it_expired(look: Any, authority: Any) -> None:
    seen = look(OK, tls=authority.server(not_before=LONG_AGO, not_after=YESTERDAY))
    assert (seen.failure.rule, seen.failure.phase) == ("tls-certificate-expired", Phase.TLS)
    assert seen.failure.message == f"the certificate expired on {YESTERDAY:%Y-%m-%d at %H:%M} UTC"
    assert seen.tls.not_after == YESTERDAY.replace(microsecond=0)
    assert seen.tls.verified is False
    assert seen.tls.subject_names == (US5.api_host,)


def test_a_certificate_not_valid_yet_says_from_when(look: Any, authority: Any) -> None:
    seen = look(OK, tls=authority.server(not_before=TOMORROW))
    assert seen.failure.rule == "tls-certificate-not-yet-valid"
    assert f"only from {TOMORROW:%Y-%m-%d at %H:%M} UTC" in seen.failure.message


def test_a_certificate_for_other_hosts_says_which(look: Any, authority: Any) -> None:
    names = [f"host{number}.invalid" for number in range(7)]
    seen = look(OK, tls=authority.server(*names))
    assert seen.failure.rule == "tls-certificate-wrong-host"
    assert seen.failure.message == (
        "the certificate is for host0.invalid, host1.invalid, host2.invalid, host3.invalid, host4.invalid, …, "
        "not for api.us5.datadoghq.com"
    )


def _untrusted(**options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA(organization_name="Somebody Else").issue_cert(US5.api_host, **options).configure_cert(context)
    return context


def test_an_unknown_authority_is_named(look: Any) -> None:
    seen = look(OK, tls=_untrusted())
    assert seen.failure.rule == "tls-certificate-untrusted"
    assert "issued by" in seen.failure.message
    assert "Somebody Else" in seen.failure.message


def test_a_certificate_both_untrusted_and_expired_says_both(look: Any) -> None:
    seen = look(OK, tls=_untrusted(not_before=LONG_AGO, not_after=YESTERDAY))
    assert seen.failure.rule == "tls-certificate-untrusted"
    assert f"it also expired on {YESTERDAY:%Y-%m-%d}" in seen.failure.message


@pytest.mark.parametrize(
    ("times", "rule", "message"),
    [
        ({"not_before": LONG_AGO, "not_after": YESTERDAY}, "expired", "has expired"),
        ({"not_before": TOMORROW}, "not-yet-valid", "is not valid yet"),
    ],
)
def test_an_authority_out_of_its_time_is_not_blamed_on_the_certificate(
    look: Any, tmp_path: Path, times: dict[str, datetime], rule: str, message: str
) -> None:
    """The certificate itself is in order; the one above it is not."""
    chain = _chain(times)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain["server"].configure_cert(context)
    chain["root"].cert_pem.write_to_path(str(tmp_path / "root.pem"))
    seen = look(OK, tls=context, context=tls_context(tmp_path / "root.pem"))
    assert seen.failure.rule == f"tls-certificate-{rule}"
    assert seen.failure.message == f"a certificate above the one of {US5.api_host} {message}"


def _chain(times: dict[str, datetime]) -> dict[str, Any]:
    """Return a root that is out of its time and a server's certificate that is not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Out of Time")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.not_valid_before(times["not_before"])
    builder = builder.not_valid_after(times.get("not_after", NOW + timedelta(days=900)))
    root = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    ca = trustme.CA.from_pem(root.public_bytes(pem), private)
    return {"root": ca, "server": ca.issue_cert(US5.api_host)}


def test_no_byte_of_http_reaches_a_site_whose_certificate_is_bad(serve: Any, target: Any, authority: Any) -> None:
    heard: list[bytes] = []

    def script(opened: Any) -> None:
        with wrong.wrap_socket(opened, server_side=True) as secure:
            heard.append(secure.recv(1024))

    wrong = authority.server("elsewhere.invalid")
    server = serve(script, heads_first=False)
    seen = probe(target(server, **_over_tls(server)), CHECKS["run"])
    assert seen.failure.rule == "tls-certificate-wrong-host"
    assert server.connections == 2
    assert not any(heard)


def _over_tls(server: Any) -> dict[str, Any]:
    return {
        "base_url": f"https://{US5.api_host}",
        "overrides": parse_overrides(connect_to=[f"::127.0.0.1:{server.port}"]),
    }


def _handshake(serve: Any, target: Any, script: Callable[[Any], None] | bytes) -> Any:
    server = serve(script, heads_first=False)
    return probe(target(server, **_over_tls(server)), CHECKS["run"])


def _reset(opened: socket.socket) -> None:
    opened.recv(65536)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()


def _alert(description: int) -> Callable[[Any], None]:
    def script(opened: Any) -> None:
        opened.recv(65536)
        opened.sendall(bytes([0x15, 3, 3, 0, 2, 2, description]))

    return script


HANDSHAKES = {
    "cut": (lambda opened: opened.recv(65536), "tls-handshake-failed", "was closed during the handshake"),
    "reset": (_reset, "connection-reset", "reset the connection during the TLS handshake"),
    "plain HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls-handshake-failed", "does not speak TLS"),
    "alert: handshake failure": (_alert(40), "tls-handshake-failed", "alert handshake failure"),
    "alert: protocol version": (_alert(70), "tls-protocol-unsupported", "no TLS version of at least 1.2"),
}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_broken_handshake_says_how(serve: Any, target: Any, name: str) -> None:
    script, rule, message = HANDSHAKES[name]
    seen = _handshake(serve, target, script)
    assert (seen.failure.rule, seen.failure.phase) == (rule, Phase.TLS)
    assert message in seen.failure.message
    assert seen.status is None


def _old(server: ssl.SSLContext) -> ssl.SSLContext:
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    server.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="deprecated"):
        server.maximum_version = ssl.TLSVersion.TLSv1_1
    return server


def test_a_site_of_old_protocols_is_told_from_a_broken_one(look: Any, authority: Any) -> None:
    expiry = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    seen = look(OK, tls=_old(authority.server(not_after=expiry)))
    assert seen.failure.rule == "tls-protocol-unsupported"
    assert "speaks TLSv1.1" in seen.failure.message
    assert (seen.tls.version, seen.tls.verified, seen.tls.not_after) == ("TLSv1.1", False, expiry)


def test_an_old_site_that_closes_without_a_word_is_found_out(serve: Any, target: Any, authority: Any) -> None:
    """A server that never sends its alert looks like a cut handshake until it is asked for an old version."""
    old = _old(authority.server())

    def script(opened: Any) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = old.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                return secure.do_handshake()
            except ssl.SSLWantReadError:
                opened.sendall(outgoing.read())
                incoming.write(opened.recv(65536))
            except ssl.SSLError:
                return None
            finally:
                if secure.version():
                    opened.sendall(outgoing.read())

    seen = _handshake(serve, target, script)
    assert seen.failure.rule == "tls-protocol-unsupported"


def test_a_refusal_after_the_handshake_is_still_one_of_tls(look: Any, authority: Any) -> None:
    """A site that wants a client's certificate says so, in TLS 1.3, only once the client has finished."""
    server = authority.server()
    server.verify_mode = ssl.CERT_REQUIRED
    authority.ca.configure_trust(server)
    seen = look(OK, tls=server)
    assert seen.failure.rule == "tls-handshake-failed"
    assert "certificate required" in seen.failure.message


def test_a_connection_that_breaks_oddly_is_reset_to_whoever_reads() -> None:
    failure = broken_connection(OSError(113, "No route to host"), Phase.TRANSFER, 5).failure
    assert (failure.rule, failure.message) == (
        "connection-reset",
        "the connection broke after 5 bytes of an answer: no route to host",
    )


def test_a_site_gone_before_the_second_look_keeps_its_first_failure(serve: Any, target: Any, authority: Any) -> None:
    wrong = authority.server("elsewhere.invalid")
    gone: list[Any] = []

    def script(opened: Any) -> None:
        gone[0].close()
        with contextlib.suppress(OSError), wrong.wrap_socket(opened, server_side=True) as secure:
            secure.recv(1)

    gone.append(serve(script, heads_first=False))
    seen = probe(target(gone[0], **_over_tls(gone[0])), CHECKS["run"])
    assert seen.failure.message == "the certificate is for other names, not for api.us5.datadoghq.com"
    assert seen.tls is None


def _bare_certificate(issuer: list[x509.NameAttribute[str]]) -> bytes:
    """Return a certificate without any names but those of its issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(x509.Name(issuer), x509.Name([]), key.public_key(), 1, LONG_AGO, YESTERDAY)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ([], None),
        ([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Somebody")], "Somebody"),
        (
            [
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Somebody"),
                x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root"),
            ],
            "Root",
        ),
    ],
)
def test_a_certificate_may_lack_every_name(issuer: list[x509.NameAttribute[str]], shown: str | None) -> None:
    details = unverified_details(_bare_certificate(issuer))
    assert (details["issuer"], details["subject_names"]) == (shown, ())
    assert details["not_after"] == YESTERDAY.replace(microsecond=0)


@given(st.binary(max_size=50))
def test_a_certificate_that_does_not_parse_says_nothing(der: bytes) -> None:
    assert unverified_details(der) == {}


def test_what_is_odd_in_a_certificate_hides_nothing_else(recwarn: pytest.WarningsRecorder) -> None:
    """A duplicate extension costs the names only, a negative serial number nothing; no warning goes to stderr."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("elsewhere.invalid")])
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 0x7777, LONG_AGO, YESTERDAY)
    der = (
        builder.add_extension(names, critical=False)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    assert unverified_details(der)["subject_names"] == ("elsewhere.invalid",)
    twice = unverified_details(der.replace(bytes.fromhex("0603551d25"), bytes.fromhex("0603551d11")))
    assert (twice["subject_names"], twice["not_after"]) == ((), YESTERDAY.replace(microsecond=0))
    negative = unverified_details(der.replace(bytes.fromhex("02027777"), bytes.fromhex("0202ff77")))
    assert negative["subject_names"] == ("elsewhere.invalid",)
    assert unverified_details(der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"))) == {}
    assert not recwarn.list


def test_a_name_in_the_subject_alone_is_no_name(look: Any, authority: Any) -> None:
    """As browsers, Go and Java have it: the common name says nothing about hosts."""
    context = authority.server("elsewhere@example.invalid", common_name=US5.api_host)
    seen = look(OK, tls=context)
    assert seen.failure.rule == "tls-certificate-wrong-host"
    assert seen.failure.message == f"the certificate is for other names, not for {US5.api_host}"


def test_a_certificate_for_other_hosts_that_has_expired_says_both(look: Any, authority: Any) -> None:
    seen = look(OK, tls=authority.server("elsewhere.invalid", not_before=LONG_AGO, not_after=YESTERDAY))
    assert seen.failure.rule == "tls-certificate-wrong-host"
    assert "it also expired on" in seen.failure.message


def test_the_memory_of_certificates_is_bounded(look: Any, authority: Any) -> None:
    for number in range(3):
        tls.CERTIFICATES.update({bytes([number, other]): TlsInfo(None, None, verified=True) for other in range(30)})
        look(OK, tls=authority.server())
    assert len(tls.CERTIFICATES) <= 64


# --- authorities ---------------------------------------------------------------------------------------------------


def test_one_context_is_built_per_file_and_shared(authority: Any) -> None:
    context = tls_context(authority.file, {})
    assert tls_context(authority.file, {"SSL_CERT_FILE": "ignored"}) is context
    assert tls_context(None, {"SSL_CERT_FILE": str(authority.file)}).cert_store_stats()["x509_ca"] == 1
    assert tls_context(None, {}) is tls_context(None, {"SSL_CERT_FILE": ""})
    assert unverified_context() is unverified_context()


def test_a_file_of_authorities_replaces_the_default_ones(authority: Any) -> None:
    assert tls_context(authority.file, {}).cert_store_stats()["x509_ca"] == 1
    assert tls_context(None, {}).cert_store_stats()["x509_ca"] > 50


def test_a_directory_of_authorities_is_taken_from_the_environment(authority: Any) -> None:
    context = tls_context(None, {"SSL_CERT_DIR": str(authority.file.parent)})
    assert context.cert_store_stats()["x509_ca"] == 0  # OpenSSL reads a directory only when it verifies


def test_old_protocols_are_never_offered_where_anything_is_sent(authority: Any) -> None:
    assert tls_context(authority.file).minimum_version is ssl.TLSVersion.TLSv1_2
    assert tls_context(None, {}).verify_mode is ssl.CERT_REQUIRED


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    with pytest.raises(UsageError) as caught:
        tls_context(missing)
    assert str(caught.value) == f"--ca-file: cannot read {missing}: no such file or directory"


def test_a_file_without_certificates_is_a_usage_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here\n")
    with pytest.raises(UsageError) as caught:
        tls_context(None, {"SSL_CERT_FILE": str(empty)})
    assert str(caught.value) == f"SSL_CERT_FILE: {empty} holds no certificates in PEM form"

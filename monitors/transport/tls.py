"""TLS: one shared context, the certificate as data, and what exactly is wrong with a handshake."""

from __future__ import annotations

import os
import ssl
import warnings
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from monitors.errors import UsageError
from monitors.model import Phase, TlsInfo
from monitors.transport.failures import ProbeError, reason_of, tls_reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SHOWN_NAMES = 5
_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED and …_NOT_YET_VALID of OpenSSL's x509_vfy.h
_WRONG_HOST = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH and …_IP_ADDRESS_MISMATCH
_OLD_PROTOCOL = {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"}
_OLD_VERSIONS = {"SSLv3", "TLSv1", "TLSv1.1"}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
_CACHED_CERTIFICATES = 64

CERTIFICATES: dict[bytes, TlsInfo] = {}
"""Every certificate seen lately, parsed, by its bytes."""


def tls_context(ca_file: Path | None = None, environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return the context for verified connections, TLS 1.2 or newer; building one costs 20 ms, so each is made once.

    `ca_file` replaces the default authorities, as curl's `--cacert` does; else `SSL_CERT_FILE` and `SSL_CERT_DIR`
    count, else the authorities httpx brings (certifi). Raises `UsageError` for a file that is no list of certificates.
    """
    if ca_file is not None:
        return _context("--ca-file", str(ca_file), None)
    file, directory = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    return _context("SSL_CERT_FILE" if file else "SSL_CERT_DIR", file or None, directory or None)


@lru_cache(maxsize=16)
def _context(origin: str, file: str | None, directory: str | None) -> ssl.SSLContext:
    context = _bare_context()
    if file is None and directory is None:
        import certifi  # noqa: PLC0415 - not needed where the user names authorities

        file = certifi.where()
    try:
        context.load_verify_locations(file, directory)
    except ssl.SSLError as error:
        message = f"{origin}: {file or directory} holds no certificates in PEM form"
        raise UsageError(message) from error
    except OSError as error:
        message = f"{origin}: cannot read {file or directory}: {reason_of(error)}"
        raise UsageError(message) from error
    return context


@lru_cache(maxsize=1)
def unverified_context() -> ssl.SSLContext:
    """Return the context that only ever looks at a site that failed: it verifies nothing and takes any version.

    No HTTP byte may be sent on its connections.
    """
    context = _bare_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A certificate whose name stands in the subject alone is refused by browsers and by most languages' clients.
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    return context


def tls_info(connection: ssl.SSLSocket, *, verified: bool) -> TlsInfo:
    """Return version, cipher and certificate of a connection whose handshake is done.

    Certificates are parsed once each, for they change every few weeks and are seen every few seconds.
    """
    der = connection.getpeercert(binary_form=True) or b""
    version, cipher = connection.version(), (connection.cipher() or (None,))[0]
    known = CERTIFICATES.get(der)
    if known is not None and (known.version, known.cipher, known.verified) == (version, cipher, verified):
        return known
    details = _verified_details(connection.getpeercert() or {}) if verified else unverified_details(der)
    info = TlsInfo(version=version, cipher=cipher, verified=verified, **details)
    if len(CERTIFICATES) >= _CACHED_CERTIFICATES:
        CERTIFICATES.clear()
    CERTIFICATES[der] = info
    return info


def _verified_details(certificate: Mapping[str, Any]) -> dict[str, Any]:
    issuer = {name: value for row in certificate.get("issuer", ()) for name, value in row}
    return {
        "not_before": _moment(certificate.get("notBefore")),
        "not_after": _moment(certificate.get("notAfter")),
        "subject_names": tuple(value for _, value in certificate.get("subjectAltName", ())),
        "issuer": issuer.get("commonName") or issuer.get("organizationName"),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else None


def unverified_details(der: bytes) -> dict[str, Any]:
    """Parse a certificate that was not verified; one that does not parse says nothing."""
    from cryptography import x509  # noqa: PLC0415 - 30 ms, and needed only once something is wrong

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd about somebody's certificate is no matter of stderr
            certificate = x509.load_der_x509_certificate(der)
        return {
            "not_before": certificate.not_valid_before_utc,
            "not_after": certificate.not_valid_after_utc,
            "subject_names": _names(x509, certificate),
            "issuer": _issuer(x509, certificate),
        }
    except (ValueError, x509.InvalidVersion):
        return {}


def _names(x509: Any, certificate: Any) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ()  # the dates beside them are still worth telling
    return tuple(str(name.value) for name in extension.value if isinstance(name, x509.DNSName | x509.IPAddress))


def _issuer(x509: Any, certificate: Any) -> str | None:
    for oid in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME):
        for attribute in certificate.issuer.get_attributes_for_oid(oid):
            return str(attribute.value)
    return None


def handshake_failure(error: OSError, host: str, info: TlsInfo | None) -> ProbeError:
    """Return the failure of a handshake that broke for any reason but the certificate.

    `info` is what a second look brought, which takes old versions too: some sites just close where others explain.
    """
    reason = getattr(error, "reason", None) or ""
    if info and info.version in _OLD_VERSIONS:
        message = f"{host} speaks {info.version}, not the 1.2 or newer that is safe"
        return ProbeError(Phase.TLS, "tls-protocol-unsupported", message)
    if reason in _OLD_PROTOCOL:
        return ProbeError(Phase.TLS, "tls-protocol-unsupported", f"{host} speaks no TLS version of at least 1.2")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return ProbeError(Phase.TLS, "connection-reset", f"{host} reset the connection during the TLS handshake")
    if reason in _NOT_TLS:
        said = "what answers does not speak TLS"
    elif isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        said = "the connection was closed during the handshake"
    else:
        said = tls_reason(error)
    return ProbeError(Phase.TLS, "tls-handshake-failed", f"TLS handshake with {host}: {said}")


def certificate_failure(error: ssl.SSLCertVerificationError, host: str, info: TlsInfo | None) -> ProbeError:
    """Return the failure of a certificate that does not verify; `info` is what was read of it, if it could be."""
    rule, message = _judged(error, host, info)
    return ProbeError(Phase.TLS, rule, message)


def _judged(error: ssl.SSLCertVerificationError, host: str, info: TlsInfo | None) -> tuple[str, str]:
    code, reason = error.verify_code, error.verify_message
    start, end = (info.not_before, info.not_after) if info else (None, None)
    now = datetime.now(UTC)
    if code == _EXPIRED:
        if end is not None and end > now:
            return "tls-certificate-expired", f"a certificate above the one of {host} has expired"
        return "tls-certificate-expired", f"the certificate expired{_on(end)}"
    if code == _NOT_YET_VALID:
        if start is not None and start < now:
            return "tls-certificate-not-yet-valid", f"a certificate above the one of {host} is not valid yet"
        return "tls-certificate-not-yet-valid", f"the certificate is not valid yet{_from(start)}"
    also = f"; it also expired{_on(end)}" if end is not None and end <= now else ""
    if code in _WRONG_HOST:
        names = info.subject_names if info else ()
        shown = ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
        return "tls-certificate-wrong-host", f"the certificate is for {shown or 'other names'}, not for {host}{also}"
    issuer = f", issued by {info.issuer}" if info and info.issuer else ""
    return "tls-certificate-untrusted", f"the certificate is not trusted: {reason}{issuer}{also}"


def _on(moment: datetime | None) -> str:
    return f" on {moment:%Y-%m-%d at %H:%M} UTC" if moment else ""


def _from(moment: datetime | None) -> str:
    return f", only from {moment:%Y-%m-%d at %H:%M} UTC" if moment else ""

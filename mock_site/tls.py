"""A certificate authority made for one run of the mock, and what its sites show in the TLS handshake."""

from __future__ import annotations

import ipaddress
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""What the certificates carry beside the sites' host names, for clients that connect to the bare address."""

_DAY = timedelta(days=1)
# In good order, a certificate outlives any run of the mock and is not so long-lived that strict clients refuse it.
_VALID = 300 * _DAY
SOON = 3 * _DAY
_ORGANIZATION = "model-lab-monitor mock site"


class Authority:
    """The throw-away authority and the TLS contexts it vouches for; those of faults are made when first needed."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """Make the authority (elliptic curve keys, a few milliseconds) for these host names."""
        self._hosts = tuple(hosts)
        self._ca = trustme.CA(organization_name=_ORGANIZATION)
        self._now = datetime.now(UTC)

    @property
    def ca_pem(self) -> bytes:
        """The authority's own certificate, for the clients to trust."""
        return self._ca.cert_pem.bytes()

    @cached_property
    def good(self) -> ssl.SSLContext:
        """A context with nothing wrong: all host names, TLS 1.2 and 1.3, HTTP/1.1."""
        return _context(self._leaf(self._ca))

    @cached_property
    def expired(self) -> ssl.SSLContext:
        """A certificate that ended yesterday."""
        return _context(self._leaf(self._ca, valid_from=-_VALID, valid_to=-_DAY))

    @cached_property
    def not_yet_valid(self) -> ssl.SSLContext:
        """A certificate that begins in a day."""
        return _context(self._leaf(self._ca, valid_from=_DAY))

    @cached_property
    def expires_soon(self) -> ssl.SSLContext:
        """A valid certificate with three days left."""
        return _context(self._leaf(self._ca, valid_to=SOON))

    @cached_property
    def self_signed(self) -> ssl.SSLContext:
        """A certificate that vouches for itself."""
        return _context_of(_self_signed_pem(self._all_names(), self._now))

    @cached_property
    def untrusted(self) -> ssl.SSLContext:
        """A certificate of an authority nobody trusts."""
        return _context(self._leaf(trustme.CA(organization_name=_ORGANIZATION)))

    @cached_property
    def incomplete_chain(self) -> ssl.SSLContext:
        """A certificate of an intermediate authority whose own certificate is not sent along."""
        leaf = self._leaf(self._ca.create_child_ca())
        return _context_of(leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes())

    @cached_property
    def wrong_host(self) -> ssl.SSLContext:
        """A certificate for a host that is none of the sites."""
        return _context(self._leaf(self._ca, names=("wrong.host.invalid",)))

    @cached_property
    def old_protocol(self) -> ssl.SSLContext:
        """A server that knows TLS 1.0 and 1.1 only."""
        context = _context(self._leaf(self._ca))
        with warnings.catch_warnings():
            # That they are deprecated is the point.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        # OpenSSL 3 has no signature old enough for these versions above security level 0.
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def _leaf(
        self,
        ca: trustme.CA,
        *,
        names: tuple[str, ...] | None = None,
        valid_from: timedelta = -_DAY,
        valid_to: timedelta = _VALID,
    ) -> trustme.LeafCert:
        return ca.issue_cert(
            *(names or self._all_names()),
            organization_name=_ORGANIZATION,
            not_before=self._now + valid_from,
            not_after=self._now + valid_to,
        )

    def _all_names(self) -> tuple[str, ...]:
        return (*self._hosts, *LOOPBACK_NAMES)


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    return _context_of(leaf.private_key_and_cert_chain_pem.bytes())


def _context_of(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(pem).tempfile() as path:
        context.load_cert_chain(path)
    # A client that offers HTTP/2 as well is told which one it gets.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _self_signed_pem(names: Iterable[str], now: datetime) -> bytes:
    """Return a key and a certificate signed with it; the library makes none that names hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, _ORGANIZATION)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return key_pem + certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)

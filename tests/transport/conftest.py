from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from monitors.checks import CHECKS
from monitors.config import Credentials, SiteSettings
from monitors.probe import Target, probe, target_for
from monitors.sites import SITES
from monitors.transport import parse_overrides, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitors.model import Observation

US5 = SITES["US5"]
KEYS = Credentials("0123456789abcdef0123456789abcdef", "fedcba98/76543210+fedcba9876543210fedcba")


@dataclass
class RawServer:
    """A listener on loopback that does to each connection what its script says, and keeps what it was sent."""

    script: Callable[[Any], None] | bytes
    tls: ssl.SSLContext | None = None
    heads_first: bool = True
    family: socket.AddressFamily = socket.AF_INET
    received: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server(
            ("::1" if self.family is socket.AF_INET6 else "127.0.0.1", 0), family=self.family
        )
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(opened,), daemon=True).start()

    def _serve(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(10)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(opened)
            if self.tls is not None:
                opened = stack.enter_context(self.tls.wrap_socket(opened, server_side=True))
            if self.heads_first:
                self.received.append(_head(opened))
            if isinstance(self.script, bytes):
                opened.sendall(self.script)
            else:
                self.script(opened)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self.listener.close()


def _head(opened: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n") and (data := opened.recv(65536)):
        head += data
    return head


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(script: Callable[[Any], None] | bytes, **options: Any) -> RawServer:
        servers.append(RawServer(script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@dataclass
class Authority:
    """A throw-away authority, with the server's contexts it vouches for."""

    ca: trustme.CA
    file: Path

    def server(self, *names: str, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or (US5.api_host,)), **options).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem")
    authority.ca.cert_pem.write_to_path(str(authority.file))
    return authority


@pytest.fixture
def target(authority: Authority) -> Callable[..., Target]:
    """Make a target whose site is a server's port: by its real name over TLS, by its address over plain HTTP."""

    def make(server: RawServer | int, *, credentials: Credentials | None = KEYS, **options: Any) -> Target:
        port = server if isinstance(server, int) else server.port
        tls = not isinstance(server, int) and server.tls is not None
        options = {"environ": {}, "timeout_s": 2.0, "context": tls_context(authority.file), **options}
        if tls:
            options.setdefault("overrides", parse_overrides(connect_to=[f"{US5.api_host}:443:127.0.0.1:{port}"]))
        else:
            options.setdefault("base_url", f"http://127.0.0.1:{port}")
        return target_for(SiteSettings(US5, credentials, 7), **options)

    return make


@pytest.fixture
def look(serve: Callable[..., RawServer], target: Callable[..., Target]) -> Callable[..., Observation]:
    """Return what is observed of a server that plays a script."""

    def observe(
        script: Callable[[Any], None] | bytes,
        *,
        check: str = "run",
        method: str = "GET",
        tls: Any = None,
        **options: Any,
    ) -> Observation:
        return probe(target(serve(script, tls=tls), **options), CHECKS[check], method=method)

    return observe

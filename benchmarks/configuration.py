"""The configuration of the benchmarks in which `watch` runs whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TEXT = """
[incidents]
failure_threshold = 2
failure_window = 3
success_threshold = 2
update_interval_s = 0
[watch]
connectivity = []
budget_per_minute = 1000
"""


def write_configuration(folder: Path, port: int, sinks: Iterable[str], watch: str = "") -> Path:
    """Write nine sites, signed webhooks on a port, thresholds that are soon reached and more lines of `watch`."""
    keys = 'run_id = 42\napi_key_env = "MOCK_API_KEY"\napp_key_env = "MOCK_APP_KEY"\n'
    sites = "".join(f"[sites.{site}]\n{keys}" for site in SITES)
    hooks = "".join(
        f'[sinks.{name}]\ntype = "webhook"\nurl = "http://127.0.0.1:{port}/{name}"\nsecret_env = "HOOK_SECRET"\n'
        for name in sinks
    )
    path = folder / "monitor.toml"
    path.write_text(f"{_TEXT}{watch}\n{sites}{hooks}", "utf-8")
    return path

"""Which store is meant, and that nothing of stand-ins gets into that of the real sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitors.store import Filter, open_store, sqlite_url

if TYPE_CHECKING:
    from conftest import Cli

QUIET = "[watch]\nconnectivity = []\nconfirm_pause_s = 0\njitter_s = 0\nmin_free_mb = 0\n"
ONE = ("--site", "US5", "--check", "unauthenticated", "--timeout", "5")


def probes(path: str) -> int:
    if not Path(path).exists():
        return 0
    with open_store(sqlite_url(Path(path))) as store:
        return len(list(store.probes(Filter())))


@pytest.mark.parametrize("where", ["file", "environment"])
def test_what_stands_in_for_a_site_never_gets_into_the_store_of_a_url(
    where: str, cli: Cli, wired: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("real").mkdir()
    Path("watch.toml").write_text(QUIET + ('[store]\nurl = "sqlite:///real/m"\n' if where == "file" else ""))
    if where == "environment":
        monkeypatch.setenv("MODEL_LAB_MONITOR_STORE_URL", "sqlite:///real/m")
    command = ("watch", "--once", *ONE, *wired, "--config", "watch.toml")
    ran = cli(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "put others in place of the real sites, whose history is not theirs" in ran.err
    assert cli(*command, "--state-dir", "own").code == 0
    monkeypatch.setenv("MODEL_LAB_MONITOR_STATE_DIR", "other")
    assert cli(*command).code == 0
    assert cli("probe", *ONE, *wired, "--config", "watch.toml").code == 0
    assert (probes("own/monitor.sqlite"), probes("other/monitor.sqlite"), probes("real/m")) == (1, 1, 0)

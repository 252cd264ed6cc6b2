"""What a single pass has to look at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitors.incidents.model import FAILED, PASSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitors.watching.keeper import Kept
    from monitors.watching.schedule import Task


def unsure(look: Sequence[Kept]) -> set[Task]:
    """Return what has to be seen again: problems not believed yet, ends not believed yet, drift not confirmed."""
    found = {
        (key.site, key.check)
        for key, track in (look[-1].book.tracks.items() if look else ())
        if track.window.endswith(PASSED if track.opened is not None else FAILED)
    }
    return found | {(drift.site or "", drift.check or "") for done in look for drift, _ in done.recalled.pending}

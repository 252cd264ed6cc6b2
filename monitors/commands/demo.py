"""`demo`: a few minutes of nine sites, played in seconds."""

from __future__ import annotations

import os
import sys
import time

import click

from monitors.checks import CHECKS
from monitors.commands.output import layout, write_stdout
from monitors.commands.progress import progress
from monitors.model import Level
from monitors.report import RENDERERS
from monitors.sites import SITES

_TIMEOUT_S = 5.0


@click.command("demo", short_help="Watch mock sites drift, fail and recover.")
@click.option(
    "--pause",
    "pause_s",
    type=click.FloatRange(0, 60),
    default=0.7,
    show_default=True,
    metavar="SECONDS",
    help="Time to read between two cycles.",
)
def command(pause_s: float) -> None:
    """Watch mock sites drift, fail and recover: a few cycles of the monitor over nine sites inside this process.

    Needs no keys and no network, and keeps nothing. The exit code is 0 whatever the sites do.
    """
    # Deferred: completion imports this module to list its options, and must not wait for servers and validators.
    from monitors.commands.cycles import probe_all  # noqa: PLC0415
    from monitors.commands.telling import telling  # noqa: PLC0415
    from monitors.contract import Policy  # noqa: PLC0415
    from monitors.demo import STORY, embedded, site_settings  # noqa: PLC0415

    settings = site_settings(list(SITES.values()))
    with embedded() as mock, telling() as told:
        for number, act in enumerate(STORY, start=1):
            if number > 1:
                time.sleep(pause_s)
            for key, scenario in act.scenarios:
                mock.set_scenario(key, scenario)
            write_stdout(f"{number}/{len(STORY)}  {act.told}\n\n")
            targets = [mock.target(row, _TIMEOUT_S) for row in settings]
            with progress("probing", len(targets) * len(CHECKS), quiet=False) as step:
                report = probe_all(
                    targets, list(CHECKS.values()), policy=Policy(), fail_on=Level.BREAKING, on_step=step
                )
            write_stdout(RENDERERS["table"](report, layout(sys.stdout, os.environ)))
            write_stdout("".join(f"  told: {line}\n" for line in told(report)) + "\n")
    write_stdout("The same on your own: model-lab-monitor watch --once --mock US5=outage --state-dir try\n")

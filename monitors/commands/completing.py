"""What a shell is told of the values of options; each function is asked only when somebody presses Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from monitors.checks import CHECKS
from monitors.sites import SITES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from monitors.sites import Site


def sites(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a list of sites."""
    done, comma, begun = incomplete.rpartition(",")
    return [CompletionItem(f"{done}{comma}{site.key}", help=site.location) for site in _sites(begun)]


def checks(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a list of checks."""
    done, comma, begun = incomplete.rpartition(",")
    return [CompletionItem(f"{done}{comma}{name}") for name in CHECKS if name.startswith(begun)]


def run_ids(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the site before a run id."""
    return [CompletionItem(f"{site.key}=", help=site.location) for site in _sites(incomplete)]


def scenarios(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a scenario of the mock sites, or one site's, or the drift or fault after its colon."""
    from monitors.demo import scenario_words  # noqa: PLC0415 - brings the mock, which no other option needs

    site, equals, begun = incomplete.partition("=")
    # A location holds "=" too, after a scenario's colon.
    if not equals or ":" in site:
        site, equals, begun = "", "", incomplete
    found = [
        CompletionItem(f"{site.upper()}{equals}{word}", help=meaning)
        for word, meaning in scenario_words()
        if word.startswith(begun) and (":" in begun or ":" not in word.rstrip(":"))
    ]
    return found if equals else [*found, *run_ids(_context, _parameter, incomplete)]


def _sites(begun: str) -> Iterable[Site]:
    return (site for site in SITES.values() if site.key.startswith(begun.upper()))

"""The ledger in print: a matrix of what was seen and of sites, with the dates it was first seen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from monitors.report.markdown import code, escaped
from monitors.report.tables import printed
from monitors.report.text import counted, dumps, for_log, listed, plain, utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from monitors.memory.ledger import Ledger
    from monitors.memory.view import Entry
    from monitors.model import JSON
    from monitors.report.value import Layout

_LONG_AGO = timedelta(days=300)
_A_DAY = timedelta(days=1)
_INDENT = "  "
_LEGEND = "First seen, UTC. Brackets: not in the site's latest answer. -: the site has not had it."


def as_table(ledger: Ledger, sites: Sequence[str], found: Sequence[Entry], layout: Layout) -> str:
    """Return the matrix for a terminal: each change on a line of its own, the sites' dates below it."""
    return printed(_parts(ledger, sites, found, layout), layout)


def _parts(ledger: Ledger, sites: Sequence[str], found: Sequence[Entry], layout: Layout) -> Iterator[RenderableType]:
    if found:
        width = max(map(cell_len, [*map(for_log, sites), *(cell for entry in found for cell in cells(entry, sites))]))
        wide = len(_INDENT) + len(sites) * (width + 1) - 1 <= layout.width
        if wide:
            yield _names(sites, width)
        for number, entry in enumerate(found):
            if wide or number:
                yield ""
            yield _headline(entry)
            yield from [_dates(sites, entry, width)] if wide else _pairs(sites, entry, width, layout)
        yield ""
        yield Text(_LEGEND, style="dim")
    yield Text(_sentence(ledger, sites, found), overflow="fold")


def _headline(entry: Entry) -> Text:
    line = Text(overflow="fold")
    line.append(f"{for_log(entry.row.check)} ", style="dim")
    line.append(for_log(entry.row.trait.location), style="bold" if entry.change else "")
    line.append(f"  {for_log(entry.row.trait.form)}", style="" if entry.documented else "yellow")
    line.append(f"  first on {listed(_plain(entry.first_on))}, {entry.first:%Y-%m-%d %H:%M}", style="dim")
    return line


def _names(sites: Sequence[str], width: int) -> Text:
    return _line(((for_log(site), "bold") for site in sites), width)


def _dates(sites: Sequence[str], entry: Entry, width: int) -> Text:
    """Return the dates of an entry, each in the column of its site."""
    return _line(((cell, _style(cell)) for cell in cells(entry, sites)), width)


def _pairs(sites: Sequence[str], entry: Entry, width: int, layout: Layout) -> Iterator[Text]:
    """Yield each site beside its date, as many on a line as there is room for."""
    across = max((layout.width - len(_INDENT) + 1) // (2 * (width + 1)), 1)
    pairs = [*zip(map(for_log, sites), cells(entry, sites), strict=True)]
    for start in range(0, len(pairs), across):
        some = pairs[start : start + across]
        yield _line((part for site, cell in some for part in ((site, "bold"), (cell, _style(cell)))), width)


def _style(cell: str) -> str:
    return "dim" if cell == "-" else ""


def _line(parts: Iterable[tuple[str, str]], width: int) -> Text:
    """Return cells of so many columns, a blank apart, below an indent; a table of rich's takes ten times as long."""
    line = Text(_INDENT, no_wrap=True, overflow="ignore")
    for text, style in parts:
        line.append(text, style=style).append(" " * (width + 1 - cell_len(text)))
    line.rstrip()
    return line


def cells(entry: Entry, sites: Sequence[str]) -> list[str]:
    """Return for each site when it was first seen there: a clock, a day or a month, as the row's spread asks for."""
    spread = max(seen.first for seen in entry.sites.values()) - entry.first
    form = "%Y-%m" if spread > _LONG_AGO else "%m-%d" if spread >= _A_DAY else "%H:%M"
    return [_cell(entry, site, form) for site in sites]


def _cell(entry: Entry, site: str, form: str) -> str:
    if site not in entry.sites:
        return "-"
    text = entry.sites[site].first.strftime(form)
    return text if site in entry.latest else f"({text})"


def _sentence(ledger: Ledger, sites: Sequence[str], found: Sequence[Entry]) -> str:
    answers = sum(seen.count for (site, _), seen in ledger.answers.items() if site in sites)
    if not answers:
        return "Nothing is remembered yet; `model-lab-monitor probe` does."
    since = min(seen.first for (site, _), seen in ledger.answers.items() if site in sites)
    changes = sum(entry.change for entry in found)
    scope = f"{counted(answers, 'answer')} of {counted(len(sites), 'site')} since {since:%Y-%m-%d}"
    rest = f", {counted(len(found) - changes, 'other row')}" if len(found) > changes else ""
    said = counted(changes, "change") if changes else "No change"
    return f"{said}{rest} ({scope})."


def _plain(names: Sequence[str]) -> list[str]:
    return [plain(name) for name in names]


def as_markdown(ledger: Ledger, sites: Sequence[str], found: Sequence[Entry]) -> str:
    """Return the matrix as one Markdown table, changes in bold."""
    head = ["check", "location", "seen", "first on", *map(escaped, sites)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"] if found else []
    for entry in found:
        place, form = code(plain(entry.row.trait.location)), code(plain(entry.row.trait.form))
        first = f"{listed([escaped(site) for site in entry.first_on])}, {entry.first:%Y-%m-%d %H:%M}"
        place = f"**{place}**" if entry.change else place
        lines.append(f"| {' | '.join([escaped(entry.row.check), place, form, first, *cells(entry, sites)])} |")
    legend = [_LEGEND, ""] if found else []
    return "\n".join([*lines, "", *legend, _sentence(ledger, sites, found)]).strip() + "\n"


def as_json(ledger: Ledger, sites: Sequence[str], found: Sequence[Entry]) -> str:
    """Return `sites` (answers by site and check) and `rows`; times in UTC, `latest` where the latest answer has it."""
    answers: dict[str, JSON] = {
        site: {
            check: _times(seen.first, seen.last, seen.count)
            for (asked, check), seen in ledger.answers.items()
            if asked == site
        }
        for site in sites
    }
    document: dict[str, JSON] = {"sites": answers, "rows": [_row(entry) for entry in found]}
    return dumps(document, indent=2) + "\n"


def _row(entry: Entry) -> dict[str, JSON]:
    trait = entry.row.trait
    return {
        "check": entry.row.check,
        "location": trait.location,
        "type": trait.type,
        "format": trait.format or None,
        "value": trait.value or None,
        "documented": entry.documented,
        "change": entry.change,
        "first_on": [*entry.first_on],
        "sites": {
            site: {**_times(seen.first, seen.last, seen.count), "latest": site in entry.latest}
            for site, seen in entry.sites.items()
        },
    }


def _times(first: datetime, last: datetime, count: int) -> dict[str, JSON]:
    return {"first": utc(first), "last": utc(last), "count": count}

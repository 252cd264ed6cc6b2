"""Reports: one value that says what a command found, and a table of ways to print it.

A renderer takes a `Report` and a `Layout` and returns text that ends in a line end. It is pure, and whatever text
came off the wire is made harmless for the medium.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from monitors.report.value import Layout, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMATS", "RENDERERS", "Layout", "Renderer", "Report"]


class Renderer(Protocol):
    """What every renderer looks like from outside."""

    def __call__(self, report: Report, layout: Layout = ...) -> str:
        """Return the report as text of one format."""
        ...


_MODULES = {
    "table": "table",
    "json": "json_object",
    "ndjson": "json_lines",
    "junit": "junit",
    "markdown": "markdown",
    "github": "github",
}

FORMATS = tuple(_MODULES)
"""The words `--format` takes."""


def _renderer(module: str) -> Renderer:
    def render(report: Report, layout: Layout = Layout()) -> str:  # noqa: B008 - a frozen value
        # Deferred: only the table needs rich, only junit needs XML.
        text: str = import_module(f"monitors.report.{module}").render(report, layout)
        return text

    return render


RENDERERS: Mapping[str, Renderer] = {name: _renderer(module) for name, module in _MODULES.items()}
"""Every renderer by the name of its format."""

"""The configuration: one TOML file for what may be written down, the environment for secrets.

`load` gives `Settings` or raises `ConfigError`, which lists every mistake at once.
"""

from monitors.config.alerting import Maintenance, Retention, SinkSettings, Thresholds, WatchSettings
from monitors.config.credentials import Credentials
from monitors.config.describing import SECTIONS, describe, markdown
from monitors.config.loading import FILE_NAME, FILE_VARIABLE, Settings, load, load_store
from monitors.config.mistakes import in_a_line
from monitors.config.row import Row
from monitors.config.scheduled import STORE_VARIABLE
from monitors.config.site import SiteSettings
from monitors.config.strays import strays

__all__ = [
    "FILE_NAME",
    "FILE_VARIABLE",
    "SECTIONS",
    "STORE_VARIABLE",
    "Credentials",
    "Maintenance",
    "Retention",
    "Row",
    "Settings",
    "SinkSettings",
    "SiteSettings",
    "Thresholds",
    "WatchSettings",
    "describe",
    "in_a_line",
    "load",
    "load_store",
    "markdown",
    "strays",
]

"""The configuration: one TOML file for what may be written down, the environment for secrets.

`load` gives `Settings` or raises `ConfigError`, which lists every mistake at once.
"""

from monitors.config.credentials import Credentials
from monitors.config.loading import FILE_NAME, FILE_VARIABLE, Settings, load
from monitors.config.site import SiteSettings
from monitors.config.strays import strays
from monitors.config.table import Row, describe, markdown

__all__ = [
    "FILE_NAME",
    "FILE_VARIABLE",
    "Credentials",
    "Row",
    "Settings",
    "SiteSettings",
    "describe",
    "load",
    "markdown",
    "strays",
]

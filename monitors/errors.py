"""What can go wrong with the harness itself; what goes wrong with a site is a finding, never an exception.

MonitorError
├── UsageError           exit 2: the command line, the configuration or an input file is wrong
│   └── ConfigError      exit 2: one mistake in the configuration, with its place
└── HarnessError         exit 4: the harness itself failed
    └── RefusedError     exit 4: a request this project never sends (another method, a foreign host)
"""


class MonitorError(Exception):
    """Base of every exception this project raises on purpose; its text is one line meant for a person."""

    exit_code = 4


class UsageError(MonitorError):
    """The user asked for something that cannot be done; the text says what, where, and what to write instead."""

    exit_code = 2


class ConfigError(UsageError):
    """One mistake in the configuration file or the environment."""


class HarnessError(MonitorError):
    """The harness itself failed: a full disk, a broken resolver, a bug. Never a site's fault."""


class RefusedError(HarnessError):
    """A request that must never leave this project: a method but GET and HEAD, or keys to a foreign host."""

"""Every setting of the file that says how sites are probed and what becomes an incident, as data.

The same rows check the file, make the tables of docs/configuration.md and write the file of `config init`.
"""

from __future__ import annotations

from monitors.checks import INT64_MAX
from monitors.config import readers
from monitors.config.row import rows

_MAX_DAYS = 3650
_MAX_TIMES = 1000
_MAX_WINDOW_S = 3650 * 24 * 3600
_MAX_INTERVAL_S = 30 * 24 * 3600
_DAY_S = 24 * 3600

TOP = rows(
    (
        "timeout_s",
        "seconds, 0.1 to 300",
        "`10`",
        "How long one probe may take from the name lookup to the last byte.",
        readers.number(0.1, 300),
    ),
    (
        "certificate_warning_days",
        f"days, 0 to {_MAX_DAYS}",
        "`14`",
        "A certificate that expires within so many days is a warning; 0 turns the warning off.",
        readers.whole(0, _MAX_DAYS, "a whole number of days"),
    ),
    (
        "fail_on",
        "`info`, `warning` or `breaking`",
        '`"breaking"`',
        "The lowest level that makes a command fail; `--fail-on` has the last word.",
        readers.level("info", "warning", "breaking"),
    ),
    (
        "availability",
        "`warning` or `breaking`",
        '`"breaking"`',
        "The level of a site that is unavailable. What is only a warning by its rule, like throttling, stays one.",
        readers.level("warning", "breaking"),
    ),
    (
        "pause_s",
        "seconds, 0 to 60",
        "`1`",
        "The least time between two requests of the contract tests to one real site.",
        readers.number(0, 60),
    ),
    (
        "confirm_count",
        f"integer, 1 to {_MAX_TIMES}",
        "`2`",
        "How often a site must show a drift that only memory tells before it is declared; 1 declares at once.",
        readers.whole(1, _MAX_TIMES),
    ),
    (
        "confirm_window_s",
        f"seconds, 0 to {_MAX_WINDOW_S}",
        "`86400`",
        "The time within which that must be; in answers that follow each other it may take longer.",
        readers.number(0, _MAX_WINDOW_S),
    ),
    (
        "compare_after",
        f"integer, 1 to {_MAX_TIMES}",
        "`3`",
        "How many answers two sites must have given before they are compared.",
        readers.whole(1, _MAX_TIMES),
    ),
)
_INTERVAL = ("interval_s", f"seconds, 1 to {_MAX_INTERVAL_S}")
_READ_INTERVAL = readers.number(1, _MAX_INTERVAL_S)
CHECK = rows(
    (
        *_INTERVAL,
        "by check",
        (
            "How often this check is made; 60 for `run`, 300 for `unauthenticated`, 3600 for `not-found` and "
            "`bad-request` where nothing is said."
        ),
        _READ_INTERVAL,
        "60",
    ),
)
SITE_CHECK = rows((*_INTERVAL, "none", "How often this check is made on this site.", _READ_INTERVAL, "30"))
SITE = rows(
    (
        "run_id",
        f"integer, 1 to {INT64_MAX}",
        "none",
        "The canary run of this site; best a finished one, as it never changes.",
        readers.file_run_id,
        "42",
    ),
    (
        "api_key_env",
        "name in capitals",
        "none",
        "The environment variable that holds the API key of this site.",
        readers.variable,
        '"US5_READER_API_KEY"',
    ),
    (
        "api_key_file",
        "path, relative to the configuration file",
        "none",
        "The file that holds the API key of this site.",
        readers.secret_path("key"),
        '"keys/us5-api-key"',
    ),
    (
        "app_key_env",
        "name in capitals",
        "none",
        "The environment variable that holds the application key of this site.",
        readers.variable,
        '"US5_READER_APP_KEY"',
    ),
    (
        "app_key_file",
        "path, relative to the configuration file",
        "none",
        "The file that holds the application key of this site.",
        readers.secret_path("key"),
        '"keys/us5-app-key"',
    ),
    (
        *_INTERVAL,
        "none",
        "How often each check is made on this site, whatever is said of the check elsewhere.",
        _READ_INTERVAL,
        "300",
    ),
)
WATCH = rows(
    (
        *_INTERVAL,
        "by check",
        "How often each check is made of which nothing more exact is said.",
        _READ_INTERVAL,
        "120",
    ),
    (
        "jitter_s",
        "seconds, 0 to 3600",
        "`5`",
        "Each probe starts up to so much later than it is due, so that not all start at once.",
        readers.number(0, 3600),
    ),
    (
        "vantage",
        "text, at most 60 characters",
        '`""`',
        "What to call the place probes are sent from; the name of the machine where nothing is said.",
        readers.words(60),
    ),
    (
        "connectivity",
        "list of `host:port`",
        '`["1.1.1.1:443", "8.8.8.8:443"]`',
        (
            "What is reachable whenever the monitor itself is online; asked only after a probe got no answer. "
            "An empty list never asks."
        ),
        readers.addresses,
    ),
    (
        "min_free_mb",
        "MB, 0 to 1000000",
        "`100`",
        "With less free space where the store is, the monitor reports itself.",
        readers.whole(0, 1_000_000, "a whole number of megabytes"),
    ),
    (
        "max_clock_error_s",
        f"seconds, 1 to {_DAY_S}",
        "`300`",
        (
            "When most sites, two at least, agree within a minute, and this clock is off theirs by more than that, the "
            "monitor reports it."
        ),
        readers.number(1, _DAY_S),
    ),
    (
        "budget_per_minute",
        "integer, 1 to 6000",
        "`20`",
        "The most requests to one site in a minute; where more are asked for, all its checks are made more rarely.",
        readers.whole(1, 6000),
    ),
    (
        "budget_reserve",
        "share, 0 to 0.95",
        "`0.5`",
        "The share of the vendor's rate limit that is left to others who use the same keys.",
        readers.number(0, 0.95, "a number"),
    ),
    (
        "stop_s",
        "seconds, 0 to 600",
        "`30`",
        "How long the end may take, so that probes under way and notices are finished.",
        readers.number(0, 600),
    ),
    (
        "sink_failing_after_s",
        "seconds, 10 to 604800",
        "`900`",
        "A sink that fails for so long is itself reported, through the others.",
        readers.number(10, 7 * _DAY_S),
    ),
    (
        "confirm_pause_s",
        "seconds, 0 to 600",
        "`10`",
        "How long `watch --once` waits before it looks again at what it has to see twice.",
        readers.number(0, 600),
    ),
    (
        "digest_cron",
        "five fields, as crontab has them",
        '`""`',
        "When sinks with `digest = true` get a digest of what was since the last one; never where nothing is said.",
        readers.cron_or_nothing,
        '"0 7 * * MON-FRI"',
    ),
    ("digest_timezone", "IANA time zone", '`"UTC"`', "The time zone that `digest_cron` is meant in.", readers.zone),
    (
        "statuspage",
        "`true` or `false`",
        "`false`",
        "Quote the vendor's status page of a site beside its incidents; it never keeps one from being told.",
        readers.boolean,
    ),
)
INCIDENTS = rows(
    (
        "failure_threshold",
        f"integer, 1 to {_MAX_TIMES}",
        "`3`",
        "So many failed results among the last `failure_window` of a check on a site make it unavailable.",
        readers.whole(1, _MAX_TIMES),
    ),
    (
        "failure_window",
        f"integer, 1 to {_MAX_TIMES}",
        "`5`",
        "How many results are looked back on; at least `failure_threshold`.",
        readers.whole(1, _MAX_TIMES),
    ),
    (
        "success_threshold",
        f"integer, 1 to {_MAX_TIMES}",
        "`2`",
        "So many results in a row without the problem end the incident.",
        readers.whole(1, _MAX_TIMES),
    ),
    (
        "level",
        "`info`, `warning` or `breaking`",
        '`"warning"`',
        "The lowest level of a finding that becomes an incident.",
        readers.level("info", "warning", "breaking"),
    ),
    (
        "update_interval_s",
        f"seconds, 0 to {_DAY_S}",
        "`300`",
        "The least time between two updates on one incident.",
        readers.number(0, _DAY_S),
    ),
    (
        "reminder_s",
        f"seconds, 0 to {30 * _DAY_S}",
        "`86400`",
        "An incident still open after so long is told again; 0 never reminds.",
        readers.number(0, 30 * _DAY_S),
    ),
)
MAINTENANCE = rows(
    ("sites", "list of sites", "all", "The sites that are maintained.", readers.site_list, '["US5", "EU1"]'),
    (
        "cron",
        "five fields, as crontab has them",
        "none",
        "When each window begins; with `duration_s`.",
        readers.cron,
        '"30 2 * * SUN"',
    ),
    (
        "duration_s",
        f"seconds, 60 to {31 * _DAY_S}",
        "none",
        "How long each window lasts.",
        readers.number(60, 31 * _DAY_S),
        "7200",
    ),
    ("timezone", "IANA time zone", '`"UTC"`', "The time zone that `cron` is meant in.", readers.zone),
    (
        "start",
        "date-time with offset",
        "none",
        "When a window that comes once begins, in place of `cron`.",
        readers.moment,
        "2026-03-01T22:00:00+01:00",
    ),
    (
        "end",
        "date-time with offset",
        "none",
        "When it ends.",
        readers.moment,
        "2026-03-02T02:00:00+01:00",
    ),
)

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitors.config.alerting import SinkSettings
from monitors.incidents.model import Book, Incident, NoticeKind, Spell, Told
from monitors.model import Finding, Kind, Level
from monitors.notify.errors import SinkError
from monitors.watching.metering import Metering

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from conftest import Log

    from monitors.cycle import Result

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Plain:
    """A sink that takes notices and nothing else."""

    settings: SinkSettings = field(default_factory=lambda: SinkSettings("plain", "stdout"))

    def send(self, *_: Any) -> None:
        raise AssertionError


@dataclass
class Taking(Plain):
    """One that takes metrics too, or fails to."""

    fails: Exception | None = None
    taken: queue.SimpleQueue[tuple[list[Any], str, datetime]] = field(default_factory=queue.SimpleQueue)
    stands: list[list[Any]] = field(default_factory=list)

    def measure(self, measures: list[Any], host: str, at: datetime, standing: Any = ()) -> None:
        if self.fails is not None:
            raise self.fails
        self.stands.append([*standing])
        self.taken.put((measures, host, at))


def test_metrics_of_a_cycle_reach_the_sinks_that_take_them(
    make_result: Callable[..., Result], make_observed: Any, log: Log
) -> None:
    sink = Taking()
    metering = Metering(lambda: [Plain(), sink], log)
    metering.offer([(make_result(make_observed("US5")), True)], "here", AT)
    measures, host, at = sink.taken.get(timeout=10)
    assert (host, at) == ("here", AT)
    assert [(each.metric, dict(each.tags)["site"]) for each in measures] == [
        ("model_lab.site.available", "US5"),
        ("model_lab.probe.duration_ms", "US5"),
    ]
    metering.offer([(make_result(make_observed("EU1")), False)], "here", AT)
    assert sink.taken.get(timeout=10)[0][0].value == 0.0
    assert log.lines == []


def test_how_things_stand_goes_along_once_a_minute_as_long_as_they_last(
    make_result: Callable[..., Result], make_observed: Any, log: Log
) -> None:
    sink = Taking()
    metering = Metering(lambda: [sink], log)
    finding = Finding("server-error", Level.BREAKING, Kind.AVAILABILITY, "503", at=AT)
    spell = Spell("US5", AT, Level.BREAKING, "server-error", "503")
    incident = Incident(1, "outage", finding, Level.BREAKING, AT, AT, (spell,))
    told = Told(1, "plain", 1, NoticeKind.OPENED, AT, ("US5",), Level.BREAKING)
    book = Book("5f0c", incidents={1: incident}, told={(1, "plain"): told})
    measured = []
    for seconds in (0, 30, 60, 90, 125):
        results = [(make_result(make_observed(site)), site == "EU1") for site in ("US5", "EU1")]
        metering.offer(results, "here", AT + timedelta(seconds=seconds), book)
        measured.append(sink.taken.get(timeout=10)[0])
    assert [[each.site for each in stands] for stands in sink.stands] == [["US5"], [], ["US5"], [], ["US5"]]
    for measures in measured:
        open_there = {dict(m.tags)["site"]: m.value for m in measures if m.metric == "model_lab.site.incidents"}
        assert open_there == {"US5": 1.0, "EU1": 0.0}


def test_without_such_a_sink_and_without_results_nothing_is_done(
    make_result: Callable[..., Result], make_observed: Any, log: Log
) -> None:
    before = threading.active_count()
    Metering(lambda: [Plain()], log).offer([(make_result(make_observed()), True)], "here", AT)
    Metering(lambda: [Taking()], log).offer([], "here", AT)
    assert threading.active_count() == before


def test_a_sink_that_fails_costs_the_others_nothing(
    make_result: Callable[..., Result], make_observed: Any, log: Log
) -> None:
    works = Taking()
    named = [SinkSettings(name, "datadog") for name in ("one", "two")]
    metering = Metering(
        lambda: [Taking(named[0], SinkError("answered 500")), Taking(named[1], KeyError("a secret")), works], log
    )
    metering.offer([(make_result(make_observed()), True)], "here", AT)
    assert works.taken.get(timeout=10)
    metering.offer([(make_result(make_observed()), True)], "here", AT)
    assert works.taken.get(timeout=10)
    said = log.of("metrics were not taken")
    assert said[:2] == [
        {"sink": "one", "reason": "answered 500"},
        {"sink": "two", "reason": "failed with KeyError"},
    ]


def test_what_cannot_be_sent_in_time_is_dropped_but_the_latest(
    make_result: Callable[..., Result], make_observed: Any, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(_self: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    sink = Taking()
    metering = Metering(lambda: [sink], log)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", cannot)
        for number in range(30):
            metering.offer([(make_result(make_observed()), True)], str(number), AT)
    assert log.of("metrics wait")[0] == {"reason": "this machine cannot start a thread: can't start new thread"}
    metering.offer([(make_result(make_observed()), True)], "30", AT)
    assert [sink.taken.get(timeout=10)[1] for _ in range(10)] == [str(number) for number in range(21, 31)]

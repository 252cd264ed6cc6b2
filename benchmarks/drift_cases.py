"""Sixty real changes, judged by us and by a peer in the same run; and what the engine costs on large contracts."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from genson import SchemaBuilder
from jsonschema import Draft202012Validator
from measure import Row, interleaved, markdown
from servers import npm_tool

import schemas
from mock_site.catalogue import NAMED_RUNS, run_body, run_document
from monitors.drift.resolve import Home, Part
from monitors.drift.samples import SampleJudge, judge_sample
from monitors.drift.schema_diff import diff
from monitors.drift.shape import learn, merge
from monitors.model import verdict
from monitors.rules import judge

CASES = json.loads((Path(__file__).parent.parent / "tests" / "drift" / "data" / "cases.json").read_text())
TOTAL = len(CASES)
PEER = "@redocly/cli@2.77.0"


def harm(word: str) -> str:
    """Count `info` and `none` as one."""
    return "harmless" if word in {"info", "none"} else word


def ours_of_pairs() -> int:
    """Return how many verdicts of two contracts agree, three-way."""
    return sum(harm(verdict(judge(diff(c["before"], c["after"])))) == harm(c["verdict"]) for c in CASES)


def ours_of_samples() -> dict[str, str]:
    """Return the verdict of each case from answers alone: the old contract, one answer before, one after."""
    return {
        c["id"]: harm(verdict(judge(judge_sample(c["before"], [c["sample_before"]], [], c["sample_after"]))))
        for c in CASES
    }


def document(which: str) -> dict[str, Any]:
    """Return one OpenAPI document with a path for each case."""
    paths = {}
    for case in CASES:
        schema = {key: value for key, value in case[which].items() if key != "$schema"}
        content = {"application/json": {"schema": schema}}
        get = {"operationId": case["id"], "responses": {"200": {"description": "a body", "content": content}}}
        paths[f"/{case['id'].lower()}"] = {"get": get}
    servers = [{"url": "http://cases.invalid"}]
    return {"openapi": "3.1.0", "info": {"title": "cases", "version": "1"}, "servers": servers, "paths": paths}


def traffic() -> dict[str, Any]:
    """Return a HAR with the later answer of each case."""
    empty: dict[str, Any] = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": -1}
    entries = []
    for case in CASES:
        request = {
            "method": "GET",
            "url": f"http://cases.invalid/{case['id'].lower()}",
            "headers": [],
            "queryString": [],
        }
        headers = [{"name": "content-type", "value": "application/json"}]
        text = json.dumps(case["sample_after"])
        content = {"size": len(text), "mimeType": "application/json", "text": text}
        answer = {"status": 200, "statusText": "OK", "headers": headers, "content": content, "redirectURL": ""}
        entry = {"startedDateTime": "2026-01-01T00:00:00Z", "time": 1, "cache": {}, "timings": {}}
        entries.append({**entry, "request": {**empty, **request}, "response": {**empty, **answer}})
    return {"log": {"version": "1.2", "creator": {"name": "cases", "version": "1"}, "entries": entries}}


def peer() -> tuple[str, str, int]:
    """Return how many of the 60 the peer tells rightly from contracts and from answers, and how many false alarms.

    It has one level of alarm: a major change, any finding. Read as `breaking`, it agrees three-way as we must; read as
    "breaking or warning", it only has to raise an alarm or none. Both are told.
    """
    command = npm_tool(PEER, "redocly")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, value in (("before", document("before")), ("after", document("after")), ("traffic", traffic())):
            (place / f"{name}.{'har' if name == 'traffic' else 'json'}").write_text(json.dumps(value))
        runs = (
            ["diff", "before.json", "after.json", "--format", "json", "-o", "diff.json", "--fail-on", "none"],
            ["drift", "traffic.har", "--api", "before.json", "--format", "json", "-o", "drift.json"],
        )
        for arguments in runs:
            subprocess.run([command, *arguments], cwd=place, check=False, capture_output=True)
        changes = json.loads((place / "diff.json").read_text())["changes"]
        problems = json.loads((place / "drift.json").read_text())["problems"]
    major = {change["path"].split("/")[2].removeprefix("~1") for change in changes if change["impact"] == "major"}
    seen = {problem["path"].removeprefix("/") for problem in problems}
    false = sum(c["id"].lower() in seen for c in CASES if harm(c["verdict"]) == "harmless")
    return _agreement(major), _agreement(seen), false


def _agreement(alarmed: set[str]) -> str:
    labels = {case["id"].lower(): harm(case["verdict"]) for case in CASES}
    three_way = sum(
        (label == "breaking") if name in alarmed else (label == "harmless") for name, label in labels.items()
    )
    either = sum((name in alarmed) == (label != "harmless") for name, label in labels.items())
    return f"{three_way} of {TOTAL} ({either} as alarm or none)"


def large(properties: int, *, extra: int) -> dict[str, Any]:
    """Return a schema of so many properties, `extra` of them of another type."""
    members = {f"property_{n}": {"type": "integer" if n < extra else "string"} for n in range(properties)}
    return {"type": "object", "properties": members, "required": sorted(members)}


def costs() -> list[Row]:
    """Return what a diff and an update of a shape cost, at two sizes each."""
    found = []
    for count in (2_500, 5_000):
        before, after = large(count, extra=0), large(count, extra=50)
        text = json.dumps([before, after])
        assert len(diff(before, after)) == 50
        ours_s, theirs_s = interleaved(
            lambda before=before, after=after: diff(before, after),
            lambda text=text: json.loads(text), rounds=5, ours_n=1, theirs_n=5,
        )  # fmt: skip
        each_us = ours_s / count * 1e6
        found.append(
            Row(f"diff of two schemas of {count:,} properties, 50 changed, against `json.loads` of both",
                f"{ours_s * 1e3:.0f} ms ({each_us:.0f} µs each)", f"{theirs_s * 1e3:.1f} ms",
                f"{ours_s / theirs_s:.0f} ×", "linear", True)
        )  # fmt: skip
    for name in ("typical", "huge"):
        body = run_body("US5", NAMED_RUNS[name])
        value = json.loads(body)
        shape = learn([value])
        ours_s, theirs_s = interleaved(
            lambda value=value, shape=shape: merge(shape, learn([value])),
            lambda body=body: json.loads(body), rounds=7, ours_n=3, theirs_n=3,
        )  # fmt: skip
        ratio = ours_s / theirs_s
        found.append(
            Row(f"updating a shape with a body of {len(body):,} bytes against `json.loads` of it",
                f"{ours_s * 1e3:.2f} ms", f"{theirs_s * 1e3:.2f} ms", f"{ratio:.2f} ×", "≤ 6 ×", ratio <= 6)
        )  # fmt: skip
    return found


def control() -> list[Row]:
    """Return how many runs raise an alarm for merely lacking optional members that other runs have.

    First against fifty other runs, of which some have each member; then against one run that has them all, the very
    same for a peer: `genson` infers a schema from that run and `jsonschema` validates by it.
    """
    bodies = [run_document("US5", run_id) for run_id in range(1, 201)] + [run_document("US5", NAMED_RUNS["empty"])]
    fullest = run_document("US5", NAMED_RUNS["all-members"])
    others = [run_document("US5", run_id) for run_id in range(1_001, 1_050)]
    inferred = SchemaBuilder()
    inferred.add_object(fullest)
    peer_validator = Draft202012Validator(inferred.to_schema())
    peer_alarms = sum(not peer_validator.is_valid(body) for body in bodies)
    many, one = _alarms(bodies, [*others, fullest]), _alarms(bodies, [fullest])
    return [
        Row(f"control: of {len(bodies)} runs that merely lack what 50 other runs have, alarms",
            str(many), "–", "–", "0", many == 0),
        Row("control: the same against one run that has every member; `genson` and `jsonschema` given the same",
            str(one), str(peer_alarms), "–", "0", one == 0),
    ]  # fmt: skip


def _alarms(bodies: list[Any], samples: list[Any]) -> int:
    schema = schemas.document("run")
    judge_of = SampleJudge((Part(schema, Home(schema)),), [], samples)
    return sum(verdict(judge(judge_of.judge(body))) in {"warning", "breaking"} for body in bodies)


def rows() -> list[Row]:
    """Return the verdicts of both sides, then the costs."""
    pairs, told = ours_of_pairs(), ours_of_samples()
    samples = sum(told[case["id"]] == harm(case["verdict"]) for case in CASES)
    harmless = [case["id"] for case in CASES if harm(case["verdict"]) == "harmless"]
    false = sum(told[name] != "harmless" for name in harmless)
    silent = sum(told[case["id"]] == "harmless" for case in CASES if harm(case["verdict"]) != "harmless")
    peer_pairs, peer_samples, peer_false = peer()
    return [
        Row(f"{TOTAL} real changes from two contracts: verdicts that agree three-way, against `{PEER}` `diff`",
            f"{pairs} of {TOTAL}", peer_pairs, "–", "≥ 59", pairs >= 59),
        Row("the same from answers alone, against `drift` of the same peer",
            f"{samples} of {TOTAL}", peer_samples, "–", "≥ 57", samples >= 57),
        Row("of these, alarms on harmless changes", f"{false} of {len(harmless)}", f"{peer_false} of {len(harmless)}",
            "–", "0", false == 0),
        Row("of these, breaking or warning changes that stay silent", str(silent), "–", "–", "0", silent == 0),
        *control(),
        *costs(),
    ]  # fmt: skip


if __name__ == "__main__":
    print(markdown(rows()))

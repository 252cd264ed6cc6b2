"""The monitor's own troubles in a few words: what it means first, then the cause, before a phone cuts it off.

A finding about the monitor says where before it says what, as a log should: that may fill a whole title.
"""

from __future__ import annotations

import re

# An address, or the path of a file, and a colon.
_PLACE = re.compile(r"^(?:\S*/\S*|\S+\.sqlite)(?<!:): ")
_LINE = re.compile(r"^\S+?:(\d+): ")
_MANY = re.compile(r"^(\d+) mistakes in the configuration: (.*)$", re.DOTALL)
_HINT = re.compile(r"[;.] (?:did you mean|Known:) .*$", re.DOTALL)
# What the drivers of a server say before they come to the point.
_PREAMBLE = re.compile(
    r"(?:connection is bad|connection failed|OperationalError): |connection to server (?:at|on) .*?failed: |FATAL: +"
)
_SINK = re.compile(r"^(\S+) takes no notices since (?:.*?) UTC: (.*)$", re.DOTALL)
_OFFLINE = re.compile(r"^(.*?): this machine is offline, nothing is judged$", re.DOTALL)


def in_short(rule: str, message: str) -> str:
    """Return what is wrong with the monitor, its consequence or its cause within the first 75 characters.

    A rule nobody knows and a message of another form are told as they are, the place left out.
    """
    if rule == "monitor-config-refused":
        return _of_configuration(message)
    if rule == "monitor-store-failed":
        return _of_store(message)
    if rule == "monitor-sink-failing" and (found := _SINK.match(message)):
        return f"{found[1]} takes no notices: {found[2]}"
    if rule == "monitor-offline" and (found := _OFFLINE.match(message)):
        return f"this machine is offline, nothing is judged: {found[1]}"
    return _PLACE.sub("", message)


def _of_configuration(message: str) -> str:
    many = _MANY.match(message)
    first, _, others = (many[2] if many else message).partition("; /")
    found = _LINE.match(first)
    cause = f"line {found[1]}: {first[found.end() :]}" if found else _PLACE.sub("", first)
    count = f" (1 of {many[1]} mistakes)" if many and others else ""
    return f"configuration refused, the old one stays in force: {_HINT.sub('', cause)}{count}"


def _of_store(message: str) -> str:
    said = _PREAMBLE.sub("", _PLACE.sub("", message))
    if said.startswith(("the ", "another ")):
        return said
    return f"the store {'' if said.startswith(('cannot ', 'is ')) else 'fails: '}{said}"

"""Who answered, and in which of the vendor's forms: told by the bytes, before any contract is asked."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitors.jsonbody import Parsed


class Form(enum.Enum):
    """The forms an answer's body takes."""

    OTHER = "another JSON value"
    OBJECTS = "a list of error objects"
    STRINGS = "a list of error strings"
    EDGE = "the edge's JSON envelope"
    MARKUP = "HTML"
    TEXT = "text that is no JSON"
    BROKEN = "broken JSON"
    EMPTY = "nothing"


_STARTS_OF_JSON = (b"{", b"[", b'"', b"\xff", b"\xfe", b"\x00")
"""First bytes of what was meant to be JSON, be it in UTF-16 or UTF-32."""


def form_of(body: bytes, parsed: Parsed) -> Form:
    """Return the form of a body.

    The edge's envelope is `{"status": "error", "code": …, "errors": […]}`, its HTML any markup; both seen in public
    reports. Which error statuses come with objects and which with strings: 1,520 recorded interactions of the v2 API.
    """
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        return Form.EMPTY
    if start == b"<":
        return Form.MARKUP  # no JSON text starts so
    if not parsed.usable:
        return Form.BROKEN if start in _STARTS_OF_JSON else Form.TEXT
    return _json_form(parsed.value)


def _json_form(value: Any) -> Form:
    if not isinstance(value, dict):
        return Form.OTHER
    errors = value.get("errors")
    if "code" in value and "status" in value and "data" not in value:
        return Form.EDGE
    if not isinstance(errors, list) or not errors:
        return Form.OTHER
    if all(isinstance(error, str) for error in errors):
        return Form.STRINGS
    return Form.OBJECTS if all(isinstance(error, dict) for error in errors) else Form.OTHER

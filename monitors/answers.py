"""Who answered, and in which of the vendor's forms: told by the bytes, before any contract is asked."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitors.jsonbody import Parsed

_HTML = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|head|body|\?xml|center|h1|title)\b?", re.IGNORECASE | re.DOTALL
)
_LOOKED_AT = 2048


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


def form_of(body: bytes, parsed: Parsed) -> Form:
    """Return the form of a body.

    The edge's envelope is `{"status": "error", "code": …, "errors": […]}`, its HTML any markup; both seen in public
    reports. Which error statuses come with objects and which with strings: 1,520 recorded interactions of the v2 API.
    """
    if not body.strip():
        return Form.EMPTY
    if _HTML.match(body[:_LOOKED_AT]):
        return Form.MARKUP
    if not parsed.usable:
        return Form.BROKEN if body.lstrip()[:1] in (b"{", b"[", b"\xef", b"\xff", b"\xfe") else Form.TEXT
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

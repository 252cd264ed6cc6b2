"""A pair of keys that cannot be printed, pickled or sent as more than one header value."""

from __future__ import annotations

from typing import NoReturn, final

from monitors.errors import ConfigError

MASK = "***"
KEY_FORM = "a key is printable ASCII without spaces or line ends"


def key_flaw(key: str) -> str | None:
    """Return what makes a text unfit for a header value, or None; the text itself is never part of the answer."""
    if not key:
        return "is empty"
    for position, character in enumerate(key, start=1):
        if "!" <= character <= "~":
            continue
        what = "whitespace" if character.isspace() else "something other than printable ASCII"
        return f"has {what} at character {position} of {len(key)}"
    return None


@final
class Credentials:
    """The API key and the application key of one site.

    Not a dataclass on purpose: `asdict`, `vars` and pickling would each carry the keys somewhere unasked.
    Raises `ConfigError`, without the key in it, for a key that could not stand in one header.
    """

    __slots__ = ("_api_key", "_app_key")

    def __init__(self, api_key: str, app_key: str) -> None:
        """Hold the two keys once they are known to be printable ASCII without whitespace."""
        for name, key in (("API", api_key), ("application", app_key)):
            if flaw := key_flaw(key):
                message = f"the {name} key {flaw}; {KEY_FORM}"
                raise ConfigError(message)
        self._api_key = api_key
        self._app_key = app_key

    @property
    def api_key(self) -> str:
        """The value of the header DD-API-KEY."""
        return self._api_key

    @property
    def app_key(self) -> str:
        """The value of the header DD-APPLICATION-KEY."""
        return self._app_key

    def __repr__(self) -> str:
        """Return the masked form, which `str` and `format` use too."""
        return f"Credentials(api_key='{MASK}', app_key='{MASK}')"

    def __eq__(self, other: object) -> bool:
        """Say whether both pairs hold the same keys."""
        if not isinstance(other, Credentials):
            return NotImplemented
        return (self._api_key, self._app_key) == (other._api_key, other._app_key)

    def __hash__(self) -> int:
        """Return a hash of the pair."""
        return hash((self._api_key, self._app_key))

    def __copy__(self) -> Credentials:
        """Return the pair itself: it never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Credentials:
        """Return the pair itself: it never changes, and `dataclasses.asdict` around it must not fail."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: keys must not reach a file or another process by accident."""
        message = "credentials are never pickled; pass the settings' place instead and load them there"
        raise TypeError(message)

"""How much must be seen before the monitor believes it."""

from __future__ import annotations

from dataclasses import dataclass

_DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """When a drift is declared, and when two sites may be compared.

    A drift is declared once a site showed it `count` times within `window_s` seconds, or `count` times in a row
    however far apart (a nightly probe is never twice within a day). It is over once `count` answers in a row lack it.
    Two sites are compared once both have answered `enough` times.
    """

    count: int = 2
    window_s: float = _DAY_S
    enough: int = 3

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.count < 1 or self.enough < 1 or self.window_s < 0:
            message = f"patience wants positive numbers, not {self}"
            raise ValueError(message)

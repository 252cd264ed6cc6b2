"""Libraries below the sinks log addresses and headers, in which secrets stand: none of that goes anywhere."""

from __future__ import annotations

import logging


def quieten(*names: str) -> None:
    """Keep loggers of these names, and those below them, from saying anything; our own errors tell what matters."""
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def keep_to_itself(name: str) -> None:
    """Keep what a logger says within its library, which reads it itself."""
    logger = logging.getLogger(name)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False

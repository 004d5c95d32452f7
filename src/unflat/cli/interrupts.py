"""Ctrl-C and SIGTERM: remembered, because foreign code may swallow the exception that Python raises for them.

A compiler's callback that is interrupted prints the exception and goes on. What was seen here is never lost: the next
stage stops, and the command ends with 130 however else it would have ended.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any

seen = False


def watch() -> None:
    """Take over both signals, except where they are ignored (a background job) or already somebody else's."""
    for word, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(word) == usual:
            signal.signal(word, _interrupt)
    sys.unraisablehook = _hushed


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    global seen  # noqa: PLW0603  (a signal is the process's own state)
    seen = True
    raise KeyboardInterrupt


def _hushed(unraisable: Any) -> None:
    """What callbacks could not raise is told as ever, unless an interrupt is the reason."""
    if not seen:
        sys.__unraisablehook__(unraisable)

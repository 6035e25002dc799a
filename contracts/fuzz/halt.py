"""Ctrl-C and SIGTERM while a server is fuzzed: the first asks for the end, and more of them do not spoil it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_HEEDED = (signal.SIGINT, signal.SIGTERM)


class Halt:
    """Whether one came. `signal`: which, None so far. `wake`: what is called when it comes.

    As long as there is nobody to be woken, whatever is under way is interrupted.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.wake: Callable[[], None] | None = None

    def take(self, number: int, _frame: FrameType | None = None) -> None:
        """Take a signal; all but the first are passed over, for the end is under way."""
        if self.signal is not None:
            return
        self.signal = number
        if self.wake is not None:
            self.wake()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise SystemExit(self.exit_status)

    @property
    def why(self) -> str | None:
        """Why it ends early; None where it does not."""
        if self.signal is None:
            return None
        return "it was interrupted" if self.signal == signal.SIGINT else "it was told to end"

    @property
    def exit_status(self) -> int | None:
        """As a shell has it: 130 after Ctrl-C, 143 after SIGTERM; None where none came."""
        return None if self.signal is None else 128 + self.signal


@contextlib.contextmanager
def halting() -> Iterator[Halt]:
    """Heed the signals; after one came, the process is at its end, and more of them stay without effect."""
    halt = Halt()
    if threading.current_thread() is not threading.main_thread():  # where there are none
        yield halt
        return
    heeded = [each for each in _HEEDED if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, halt.take) for each in heeded}
    try:
        yield halt
    finally:
        for each, handler in before.items():
            signal.signal(each, handler if halt.signal is None else signal.SIG_IGN)

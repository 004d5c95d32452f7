"""Every failure of the house, as one tree.

    UnflatError                 70  our fault, unless a child says otherwise
    ├── InputError               2  the input or the call is wrong
    │   └── ShapeError           2  an array has the wrong shape, type or values
    ├── UnitError                3  metres were asked of a relative depth
    ├── MissingExtraError        4  an optional package is not installed
    ├── WeightsError             5  a model's weights are missing or damaged
    ├── MemoryLimitError         6  the work does not fit in memory
    ├── ConsentError             7  a person's leave is missing
    ├── RightsError              8  the rights of the source forbid it
    └── OutputError              9  the disk is full or the place cannot be written

Each error says what is wrong (its message), what to do about it (``hint``) and with which code the
command ends (``exit_code``). An interrupted command ends with 130.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_OK = 0
EXIT_INTERRUPTED = 130


class UnflatError(Exception):
    """The root of the tree.

    Args:
        message: What is wrong, in one line.
        hint: What the user can do about it, in one line.
    """

    exit_code: ClassVar[int] = 70
    default_hint: ClassVar[str] = "This is a fault in unflat; run again with --debug and report what it prints."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint


class InputError(UnflatError):
    """The input file or the call is wrong."""

    exit_code = 2
    default_hint = "Check the file and the options; 'unflat COMMAND --help' lists them."


class ShapeError(InputError):
    """An array has the wrong shape, type or values for the noun that should hold it."""

    default_hint = "The docstring of the type states the shapes it takes."


class UnitError(UnflatError):
    """Metres were asked of a depth that is only known up to a factor or offset."""

    exit_code = 3
    default_hint = "Give one known length: --known-length X1,Y1,X2,Y2=METRES."


class MissingExtraError(UnflatError):
    """An optional package is not installed."""

    exit_code = 4

    def __init__(self, need: str, extra: str) -> None:
        super().__init__(f"{need} needs the extra '{extra}'", hint=f'pip install "unflat[{extra}]"')


class WeightsError(UnflatError):
    """The weights of a model are missing, damaged or not what their card says."""

    exit_code = 5
    default_hint = "'unflat models' lists the models and where their weights come from."


class MemoryLimitError(UnflatError):
    """The work does not fit in memory."""

    exit_code = 6
    default_hint = "Use a smaller picture, or close other programs."


class ConsentError(UnflatError):
    """A person's leave to make a likeness is missing."""

    exit_code = 7
    default_hint = "State the basis: --people allow --basis TEXT, or use --people blur."


class RightsError(UnflatError):
    """The rights stated in the source forbid this use."""

    exit_code = 8
    default_hint = "Ask the holder of the rights."


class OutputError(UnflatError):
    """The output cannot be written: full disk, no permission, or it exists already."""

    exit_code = 9
    default_hint = "Choose another place with -o, or make room."

"""The optional packages of unflat: what each extra is for, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement

PURPOSES: dict[str, tuple[str, bool]] = {
    "raw": ("RAW photographs", True),
    "examples": ("the photographs of the examples and of the README", True),
    "video": ("films", True),
    "scan": ("many views into one scene", True),
    "volume": ("CT and MRI into surfaces", True),
    "serve": ("the local web app", False),
    "cluster": ("a library on many machines", False),
    "models": ("depth networks from outside, run by torch", True),
}
"""Extra to what it is for, and whether this version has the journey that uses it."""
HIDDEN = frozenset({"test", "all"})
"""Extras that are no feature of their own."""


@dataclass(frozen=True, slots=True)
class Extra:
    """The state of one extra on this machine.

    Attributes:
        purpose: What it is for.
        used: Whether this version has code that uses it.
        packages: Package to its installed version, or None.
        unavailable: What it asks for elsewhere but has no wheel for here.
    """

    purpose: str
    used: bool
    packages: dict[str, str | None]
    unavailable: tuple[str, ...]

    @property
    def installed(self) -> bool:
        """Everything it asks for on this machine is there."""
        return all(self.packages.values())


def base_packages() -> dict[str, str | None]:
    """The installed version of everything that unflat itself asks for on this machine."""
    here, _ = _asked("")
    return {name: installed_version(name) for name in sorted(here, key=str.lower)}


def extras() -> dict[str, Extra]:
    """Every extra that the installed package declares, in the order of :data:`PURPOSES`."""
    declared = set(metadata("unflat").get_all("Provides-Extra") or []) - HIDDEN
    return {name: _extra(name) for name in [*PURPOSES, *sorted(declared - PURPOSES.keys())] if name in declared}


def _extra(name: str) -> Extra:
    here, elsewhere = _asked(name)
    purpose, used = PURPOSES[name]
    packages = {package: installed_version(package) for package in sorted(here, key=str.lower)}
    return Extra(purpose, used, packages, tuple(sorted(elsewhere, key=str.lower)))


def _asked(extra: str) -> tuple[set[str], set[str]]:
    """What an extra (the empty word: unflat itself) asks for on this machine, and what only on others."""
    here: set[str] = set()
    elsewhere: set[str] = set()
    for line in requires("unflat") or []:
        wanted = Requirement(line)
        text = str(wanted.marker or "")
        if (f'extra == "{extra}"' not in text) if extra else ("extra ==" in text):
            continue
        there = wanted.marker is None or wanted.marker.evaluate({"extra": extra})
        if wanted.name == "unflat":  # one extra may stand on another
            for other in wanted.extras if there else ():
                more, less = _asked(other)
                here |= more
                elsewhere |= less
        else:
            (here if there else elsewhere).add(wanted.name)
    return here, elsewhere - here


def installed_version(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None

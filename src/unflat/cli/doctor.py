"""``unflat doctor``: what is installed, what is missing, what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import Annotated, Any

from cyclopts import Parameter
from packaging.requirements import Requirement

from unflat import __version__
from unflat.cli.console import say, say_json
from unflat.errors import WeightsError
from unflat.models.card import ModelCard
from unflat.models.registry import cards
from unflat.models.weights import weights_path

_HIDDEN = {"test", "all"}
"""Extras that are no feature of their own."""


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Say what is installed and what is missing. Ends with 70 if something that must be there is not.

    Args:
        json: Print a machine-readable report on stdout.
    """
    packages = _versions("")
    extras = {
        extra: all(_versions(extra).values())
        for extra in metadata("unflat").get_all("Provides-Extra") or []
        if extra not in _HIDDEN
    }
    missing = [name for name, found in packages.items() if found is None]
    weights = {card.name: _weights(card) for card in cards() if card.file}
    report: dict[str, Any] = {
        "unflat": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": packages,
        "missing": missing,
        "weights": weights,
        "extras": extras,
    }
    healthy = not missing and all(state == "ok" for state in weights.values())
    if json:
        say_json({**report, "healthy": healthy})
    else:
        _show(report, healthy)
    return 0 if healthy else 70


def _versions(extra: str) -> dict[str, str | None]:
    """The installed version of everything that unflat, or one of its extras, asks for on this machine."""
    wanted = [Requirement(line) for line in requires("unflat") or []]
    base = {one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    chosen = (
        base
        if not extra
        else {one.name for one in wanted if one.marker is not None and one.marker.evaluate({"extra": extra})} - base
    )
    return {name: _version(name) for name in sorted(chosen, key=str.lower)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _weights(card: ModelCard) -> str:
    try:
        weights_path(card)
    except WeightsError as error:
        return str(error)
    return "ok"


def _show(report: dict[str, Any], healthy: bool) -> None:
    say(f"unflat {report['unflat']}, Python {report['python']} ({sys.executable}), {report['system']}")
    say(f"{report['cores']} cores")
    for name, state in report["packages"].items():
        say(f"  {name:24} {state or 'missing'}")
    for name, state in report["weights"].items():
        say(f"  weights of {name:13} {state}")
    for name, there in report["extras"].items():
        told = "installed" if there else f'not installed; pip install "unflat[{name}]"'
        say(f"  extra {name:18} {told}")
    say("all is well" if healthy else "something is missing: pip install --force-reinstall unflat")

"""``unflat doctor``: what is installed, what is missing, what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

from unflat import __version__
from unflat.cli.console import one_line, say, say_json
from unflat.cli.extras import base_packages, extras
from unflat.errors import MissingExtraError, WeightsError
from unflat.models.card import ModelCard
from unflat.models.devices import devices
from unflat.models.registry import broken
from unflat.models.weights import CARDS, weights_path


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Say what is installed and what is missing. Ends with 70 if something that must be there is not.

    Args:
        json: Print a machine-readable report on stdout.
    """
    packages = base_packages()
    missing = [name for name, found in packages.items() if found is None]
    weights = {card.name: _weights(card) for card in CARDS.values()}
    report: dict[str, Any] = {
        "unflat": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": packages,
        "missing": missing,
        "weights": weights,
        "devices": list(devices()) if packages["onnxruntime"] else [],
        "mv_hevc": None if missing else _mv_hevc(),
        "broken_models": {one.name: one.error for one in broken()},
        "extras": {name: {**asdict(extra), "installed": extra.installed} for name, extra in extras().items()},
    }
    healthy = not missing and all(state == "ok" for state in weights.values())
    if json:
        say_json({**report, "healthy": healthy})
    else:
        _show(report, healthy)
    return 0 if healthy else 70


def _mv_hevc() -> str:
    """The encoder of spatial films, or why there is none."""
    from unflat.formats.mv_segment import find_encoder

    try:
        return str(find_encoder())
    except MissingExtraError as error:
        return f"{error}. {error.hint}"


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
    say(f"  {'devices':24} {' '.join(report['devices'])}")
    if report["mv_hevc"]:
        say(one_line_of("spatial films", report["mv_hevc"]))
    for name, error in report["broken_models"].items():
        say(one_line_of(f"model {name}", f"broken: {error}"))
    for name, extra in report["extras"].items():
        say(one_line_of(f"extra {name}", _told(name, extra)))
    say("all is well" if healthy else "something is missing: pip install --force-reinstall unflat")


def one_line_of(name: str, told: str) -> str:
    """A row of the listing."""
    return f"  {one_line(name):24} {one_line(told)}"


def _told(name: str, extra: dict[str, Any]) -> str:
    """What an extra is for, whether it is there, and whether this version has any use for it."""
    absent = [package for package, found in extra["packages"].items() if not found]
    state = f'not installed ({", ".join(absent)}); pip install "unflat[{name}]"' if absent else "installed"
    later = "" if extra["used"] else "; nothing in this version uses it yet, the journeys that do come later"
    without = f"; no {', '.join(extra['unavailable'])} for this machine" if extra["unavailable"] else ""
    return f"{extra['purpose']}: {state}{without}{later}"

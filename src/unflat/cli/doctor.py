"""``unflat doctor``: what is installed, what is missing, what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Annotated, Any

from cyclopts import Parameter

from unflat import __version__
from unflat.cli.console import say, say_json
from unflat.errors import WeightsError
from unflat.models.registry import cards
from unflat.models.weights import weights_path

_MODULES = {
    "numpy": "numpy",
    "pillow": "PIL",
    "pi-heif": "pi_heif",
    "opencv-python-headless": "cv2",
    "onnxruntime": "onnxruntime",
    "numba": "numba",
    "OpenEXR": "OpenEXR",
    "usd-core": "pxr",
    "manifold3d": "manifold3d",
    "cyclopts": "cyclopts",
    "rich": "rich",
}
_EXTRAS = {"raw": ("rawpy", "RAW photographs"), "examples": ("skimage", "the photographs of the README")}


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Say what is installed and what is missing. Ends with 70 if something that must be there is not.

    Args:
        json: Print a machine-readable report on stdout.
    """
    packages = {name: _version(name) for name in _MODULES}
    missing = [name for name, module in _MODULES.items() if find_spec(module) is None and _needed(name)]
    weights = {card.name: _weights(card) for card in cards() if card.file}
    extras = {name: find_spec(module) is not None for name, (module, _) in _EXTRAS.items()}
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


def _needed(package: str) -> bool:
    """Whether this machine's platform is meant to have the package at all (some have no wheel for it)."""
    lines = [line for line in requires("unflat") or [] if line.lower().startswith(package.lower())]
    return not (platform.machine() == "ARM64" and any("ARM64" in line for line in lines))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _weights(card: Any) -> str:
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
        say(f"  extra {name:18} {told} ({_EXTRAS[name][1]})")
    say("all is well" if healthy else "something is missing: pip install --force-reinstall unflat")

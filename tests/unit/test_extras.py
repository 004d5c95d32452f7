"""The extras that are declared, the extras that ``unflat doctor`` tells of, and their licences."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from test_licences import COPYLEFT, PERMISSIVE
from unflat.cli import extras as table
from unflat.cli.main import run

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
ISSUE = {"video", "scan", "volume", "serve", "cluster", "models", "all", "test"}
"""The extras that the project promises."""
LICENCES = {
    "av": "BSD-3-Clause",
    "dask": "BSD-3-Clause",
    "distributed": "BSD-3-Clause",
    "fast-simplification": "MIT",
    "fastapi": "MIT",
    "huggingface-hub": "Apache-2.0",
    "manifold3d": "Apache-2.0",
    "pycolmap": "BSD-3-Clause",
    "pydicom": "MIT",
    "pylibjpeg": "MIT",
    "pylibjpeg-openjpeg": "MIT",
    "python-gdcm": "Apache-2.0",
    "python-multipart": "Apache-2.0",
    "rawpy": "MIT",
    "scikit-image": "BSD-3-Clause",
    "torch": "BSD-3-Clause",
    "transformers": "Apache-2.0",
    "uvicorn": "BSD-3-Clause",
    "xatlas": "MIT",
}
"""Of the packages that the extras name, as their projects state it."""
CARRIES = {
    "av": "the wheel carries FFmpeg (LGPL) with libx264 and libx265 (GPL) as shared libraries; an image says so",
    "pycolmap": "SuiteSparse's CHOLMOD (LGPL, its supernodal part GPL) is compiled in; an image says so",
    "rawpy": "the wheel carries LibRaw (LGPL or CDDL) as a shared library",
}
"""Wheels with more than permissive code inside: depended on, never copied by us."""


def declared() -> dict[str, list[Requirement]]:
    """Extra to what it asks for, as written in pyproject.toml; extras inside extras are followed."""
    written = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]

    def followed(extra: str) -> list[Requirement]:
        found: list[Requirement] = []
        for one in map(Requirement, written[extra]):
            found += [more for other in one.extras for more in followed(other)] if one.name == "unflat" else [one]
        return found

    return {extra: followed(extra) for extra in written}


def test_what_is_promised_is_declared_and_told() -> None:
    written = set(declared())
    assert written >= ISSUE
    assert set(metadata("unflat").get_all("Provides-Extra") or []) == written
    assert set(table.PURPOSES) == written - table.HIDDEN == set(table.extras())


def test_doctor_names_each_package_of_each_extra(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["extras"]
    for extra in table.PURPOSES:
        names = {one.name.lower() for one in declared()[extra]}
        assert {name.lower() for name in (*told[extra]["packages"], *told[extra]["unavailable"])} == names
        assert told[extra]["installed"] == all(told[extra]["packages"].values())
    assert told["raw"]["used"] and told["scan"]["used"] and told["volume"]["used"] and not told["serve"]["used"]


def test_doctor_does_not_promise_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    run(["doctor"])
    lines = {line.split()[1]: line for line in capsys.readouterr().out.splitlines() if line.startswith("  extra ")}
    assert set(lines) == set(table.PURPOSES)
    for name, line in lines.items():
        assert ("nothing in this version uses it yet" in line) is not table.PURPOSES[name][1]


def test_the_sources_use_no_package_of_an_extra_that_is_called_unused() -> None:
    """Once a journey stands on such an extra, the table must say so."""
    modules = {
        "python-gdcm": "gdcm",
        "huggingface-hub": "huggingface_hub",
        "fast-simplification": "fast_simplification",
    }
    used = {one.name for extra, (_, there) in table.PURPOSES.items() if there for one in declared()[extra]}
    later = {one.name for extra, (_, there) in table.PURPOSES.items() if not there for one in declared()[extra]}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (PYPROJECT.parent / "src").rglob("*.py"))
    for package in later - used:
        module = modules.get(package, package.replace("-", "_"))
        told = f"{package} is used now: say so in PURPOSES (cli/extras.py), README.md and CHANGELOG.md"
        assert f"import {module}" not in source and f"from {module}" not in source, told


def test_all_is_the_union() -> None:
    written = declared()
    union = {str(one) for extra in table.PURPOSES for one in written[extra]}
    assert {str(one) for one in written["all"]} == union


def test_extras_are_permissive_and_what_is_inside_is_known() -> None:
    named = {one.name for extra in table.PURPOSES for one in declared()[extra]}
    assert named == set(LICENCES) and set(CARRIES) <= named
    for package, licence in LICENCES.items():
        assert any(word in licence.upper() for word in PERMISSIVE), package
        assert not any(word in licence.upper() for word in COPYLEFT), package


def test_the_readme_says_what_the_extras_are_worth() -> None:
    readme = " ".join((PYPROJECT.parent / "README.md").read_text(encoding="utf-8").split())
    assert all(f"`{extra}`" in readme for extra in {*table.PURPOSES, "all"} - {"examples"})
    assert "nothing in this version uses them yet" in readme and "3 GB" in readme

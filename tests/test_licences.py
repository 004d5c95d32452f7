"""What we ship imports only permissively licensed packages; the exceptions say why."""

from __future__ import annotations

from importlib.metadata import metadata, requires

from packaging.requirements import Requirement

PERMISSIVE = ("MIT", "BSD", "APACHE", "0BSD", "ZLIB", "CC0", "PSF", "ISC", "HPND", "MIT-CMU")
COPYLEFT = ("GPL", "MPL", "EUPL", "CDDL", "SSPL", "NONCOMMERCIAL", "NON-COMMERCIAL")
REASONS = {
    "pi-heif": "BSD code; the wheel carries libheif and libde265 (LGPL) as separate shared libraries, decoders only",
    "opencv-python-headless": "Apache-2.0; the wheel carries FFmpeg (LGPL) as separate shared libraries",
    "usd-core": "TOST-1.0 is Apache-2.0 with a changed trademark clause",
    "certifi": "MPL-2.0: a list of public certificates, brought by c2pa-python's build script; nothing here reads it",
    "openexr": "BSD-3-Clause; its metadata names no licence",
}


def needed(package: str, found: dict[str, str]) -> dict[str, str]:
    """Every package that a plain installation brings, with what its metadata says of its licence."""
    for line in requires(package) or []:
        wanted = Requirement(line)
        name = wanted.name.lower()
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        about = metadata(wanted.name)
        classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License")]
        found[name] = " ".join(
            [about.get("License-Expression") or (about.get("License") or "")[:80], *classifiers]
        ).upper()
        needed(wanted.name, found)
    return found


def test_a_plain_installation_is_permissive() -> None:
    found = needed("unflat", {})
    assert {"numpy", "onnxruntime", "numba"} <= set(found)
    for name, said in found.items():
        if name not in REASONS:
            assert any(word in said for word in PERMISSIVE), f"{name}: {said or 'says nothing'}"
            assert not any(word in said for word in COPYLEFT), f"{name}: {said}"


def test_torch_is_not_needed() -> None:
    assert not {"torch", "transformers", "scipy", "scikit-image"} & set(needed("unflat", {}))

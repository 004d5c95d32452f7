"""Reads an OpenEXR file in a process of its own, because a damaged file can crash OpenEXR itself.

Run as a script with a path, the most pixels allowed, and "plane" or "layers". It writes one line of JSON to its
standard output, then for "plane" the planes as native float32, row by row. It imports nothing of unflat.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

NAMES = ("Z", "Y", "depth", "Depth", "D", "V", "R")
"""Channels that are taken for depth, the first one first; a single channel is taken whatever its name."""
TEXT = "unflat_depth"
_FAULTS = (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError)


def read(path: str, most_pixels: int) -> tuple[dict[str, Any], list[bytes]]:
    """What the file says, and its planes: depth, then confidence if it has one.

    Raises:
        ValueError: Too many pixels, or no channel that could be depth.
        OSError: Damaged.
    """
    exact: Any = importlib.import_module("Imath")  # neither has types
    library: Any = importlib.import_module("OpenEXR")
    file, header, width, height = _opened(library, path, most_pixels)
    channels = header["channels"]
    names = [n for n, c in channels.items() if (c.xSampling, c.ySampling) == (1, 1)]
    chosen = next((n for n in NAMES if n in names), names[0] if len(names) == 1 else None)
    if chosen is None:
        raise ValueError(f"it has no channel Z, only {' '.join(map(str, channels))[:80]}")
    wanted = [chosen, *(["confidence"] if "confidence" in names else [])]
    planes = file.channels(wanted, exact.PixelType(exact.PixelType.FLOAT))
    text = header.get(TEXT)
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return {"size": [width, height], "planes": len(planes), "text": str(said) if said else None}, planes


def layers(path: str, most_pixels: int) -> tuple[dict[str, Any], list[bytes]]:
    """What layers the file has: of each its channels, the share of the picture that it covers, how much is made up.

    Raises:
        ValueError: Too many pixels.
        OSError: Damaged.
    """
    exact: Any = importlib.import_module("Imath")
    library: Any = importlib.import_module("OpenEXR")
    numpy: Any = importlib.import_module("numpy")
    file, header, *_ = _opened(library, path, most_pixels)
    rows: dict[str, dict[str, Any]] = {}
    for name in header["channels"]:
        layer, _, channel = name.rpartition(".")
        rows.setdefault(layer, {"channels": []})["channels"].append(channel)
    whole = [n for n, c in header["channels"].items() if (c.xSampling, c.ySampling) == (1, 1)]
    told = [name for name in whole if name.rpartition(".")[2] in ("A", "invented")]
    halves: list[bytes] = file.channels(told, exact.PixelType(exact.PixelType.HALF)) if told else []
    planes = {name: numpy.frombuffer(half, numpy.float16) > 0 for name, half in zip(told, halves, strict=True)}
    for layer, row in rows.items():
        start = f"{layer}." if layer else ""
        on, made = planes.get(f"{start}A"), planes.get(f"{start}invented")
        row["share"] = None if on is None else float(on.mean())
        row["invented_share"] = float(made[on].mean()) if on is not None and made is not None and on.any() else None
    return {"layers": rows}, []


def _opened(library: Any, path: str, most_pixels: int) -> tuple[Any, dict[str, Any], int, int]:
    """The file, its header, its width and height."""
    file = library.InputFile(path)
    header = file.header()
    window = header["dataWindow"]
    width, height = window.max.x - window.min.x + 1, window.max.y - window.min.y + 1
    if width < 1 or height < 1 or width * height > most_pixels:
        raise ValueError(f"it declares {width}×{height} pixels")
    return file, header, width, height


_WAYS = {"plane": read, "layers": layers}


def main() -> int:
    """Answer on standard output; 0, or 1 with a reason."""
    try:
        words, planes = _WAYS[sys.argv[3]](sys.argv[1], int(sys.argv[2]))
    except _FAULTS as error:
        words, planes = {"error": " ".join(str(error).split())[:160] or type(error).__name__}, []
    sys.stdout.buffer.write(json.dumps(words).encode() + b"\n")
    for plane in planes:
        sys.stdout.buffer.write(plane)
    return 1 if "error" in words else 0


if __name__ == "__main__":
    sys.exit(main())

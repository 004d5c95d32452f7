"""onnxruntime, told to keep to itself: the one place that imports it.

Its builds (1.31 at the latest) send Microsoft what they run on, how long and what went wrong (its Privacy.md), and
keep a device's identifier in the user's cache. The environment variable stops all of it, if it stands there before the
library starts; the call stops most where somebody else has started it.
"""

from __future__ import annotations

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]

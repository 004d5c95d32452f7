"""Two eyes for the tests: a picture with colours that tell left from right, seen from two places."""

from __future__ import annotations

import numpy as np

from unflat.types.provenance import Provenance, Rights, Source, Step
from unflat.types.stereo import StereoPair

RIGHTS = Rights(creator="Zoë Ångström", copyright="© 2026 Zoë Ångström")
STORY = Provenance(
    (Source("a.jpg", "ab" * 32, "jpeg", RIGHTS),),
    (Step("depth", "worlds", "Apache-2.0"), Step("make stereo")),
    "0.1",
    True,
    created="2026-01-01T00:00:00Z",
)


def smooth(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A picture of soft waves, (h, w, 3) uint8: what codecs keep well."""
    y, x = np.mgrid[0:height, 0:width] / 16
    waves = [np.sin(x + seed), np.cos(y - seed), np.sin(x + y + seed)]
    return np.stack([128 + 90 * wave for wave in waves], axis=-1).astype(np.uint8)


TAKEN = "2019:08:07 06:05:04 +02:00"


def a_pair(width: int = 64, height: int = 48, baseline_m: float | None = 0.063, fov: float | None = 60.0) -> StereoPair:
    """A left view of waves, and a right one whose colours differ clearly."""
    left = smooth(width, height)
    source = Source("a.jpg", None, "array", RIGHTS, TAKEN)
    return StereoPair(
        left, 255 - left, out_share=0.01, in_share=0.02, baseline_m=baseline_m, fov_x_deg=fov, source=source
    )

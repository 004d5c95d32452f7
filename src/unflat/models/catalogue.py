"""Models from outside that are known by name: where they lie, under which licence, and which of them sees best.

The rank is an opinion from the networks' own papers and comparisons (zero-shot relative depth of everyday
photographs), not a measurement of ours. Licences are those that the repositories' cards stated; what the card says when
a model is fetched counts more. ``models pull`` takes any other repository of the same families, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from unflat.trust.licences import allows_commerce
from unflat.types.depth import DepthKind


@dataclass(frozen=True, slots=True)
class Known:
    """A model that can be fetched by name.

    Attributes:
        name: The word of ``--depth`` and of ``models pull``.
        repo: Where it lies on the Hugging Face hub.
        licence: Of the weights.
        kind: What its numbers become.
        rank: The higher, the better; 0 is never picked by ``--depth auto``.
        summary: One sentence.
    """

    name: str
    repo: str
    licence: str
    kind: DepthKind
    rank: int
    summary: str

    @property
    def commercial(self) -> bool:
        """Whether the licence lets one use it at work."""
        return allows_commerce(self.licence)


_RELATIVE, _METRIC = DepthKind.DISPARITY, DepthKind.METRIC
_NC = "cc-by-nc-4.0"
_V2 = "depth-anything/Depth-Anything-V2"
CATALOGUE = (
    Known("depth-pro", "apple/DepthPro-hf", "apple-amlr", _METRIC, 90, "Sharp, metric, and slow without a GPU."),
    Known("depth-anything-v2-large", f"{_V2}-Large-hf", _NC, _RELATIVE, 80, "Fine detail; 335 million weights."),
    Known("depth-anything-v2-base", f"{_V2}-Base-hf", _NC, _RELATIVE, 70, "98 million weights."),
    Known("depth-anything-v2-small", f"{_V2}-Small-hf", "apache-2.0", _RELATIVE, 60, "25 million weights, free."),
    Known(
        "depth-anything-v1-large", "LiheYoung/depth-anything-large-hf", "apache-2.0", _RELATIVE, 58, "Large and free."
    ),
    Known("depth-anything-v1-base", "LiheYoung/depth-anything-base-hf", "apache-2.0", _RELATIVE, 50, "Free."),
    Known("depth-anything-v1-small", "LiheYoung/depth-anything-small-hf", "apache-2.0", _RELATIVE, 40, "Free."),
    Known("zoedepth", "Intel/zoedepth-nyu-kitti", "mit", _METRIC, 30, "Metric, rooms and streets."),
    Known("dpt-large", "Intel/dpt-large", "apache-2.0", _RELATIVE, 20, "MiDaS 3.0."),
    Known(
        "depth-anything-v2-metric-indoor-small",
        f"{_V2}-Metric-Indoor-Small-hf",
        "apache-2.0",
        _METRIC,
        0,
        "Rooms only, up to 20 m.",
    ),
    Known(
        "depth-anything-v2-metric-outdoor-small",
        f"{_V2}-Metric-Outdoor-Small-hf",
        "apache-2.0",
        _METRIC,
        0,
        "Streets only, up to 80 m.",
    ),
    Known("glpn-nyu", "vinvino02/glpn-nyu", "apache-2.0", _METRIC, 0, "Rooms only, up to 10 m."),
)


def known(word: str) -> Known | None:
    """The row of a name or of a repository."""
    return next((row for row in CATALOGUE if word in (row.name, row.repo)), None)

"""What will go wrong with a picture, told before it is converted, and minded while it is.

picture ─┬─ depth model ─────────► depth ──┬─► findings (mirror, glass, blank wall, cut-off subject)
         └─ network that forecasts ► marks ┘
                                       └──► confidence lowered · panes made flat (--reflections surface)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from unflat.pipelines.report import Clock, Progress, peak_memory_mb, silent
from unflat.pipelines.source import Picture
from unflat.stages.estimate_depth import Estimate, over_grey
from unflat.stages.flatten_panes import flatten_panes
from unflat.stages.forecast import cleared, doubtful, findings
from unflat.trust.lineage import Lineage
from unflat.types.forecast import Finding, Marks

if TYPE_CHECKING:
    from unflat.pipelines.photo import PhotoOptions
    from unflat.types.image import Image

BLIND_MODELS = ("ramp",)
"""Models that do not look at the picture: nothing about it can fool them."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will go wrong with one picture.

    Attributes:
        findings: All of it.
        clock: How long it took to see.
    """

    findings: tuple[Finding, ...]
    clock: Clock

    @property
    def report(self) -> dict[str, Any]:
        """As plain values: the object that ``--json`` prints."""
        return {
            "forecast": plain(self.findings),
            "seconds": {name: round(value, 4) for name, value in self.clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
        }


def plain(found: tuple[Finding, ...] | list[Finding]) -> list[dict[str, Any]]:
    """Findings as plain values, numbers rounded."""
    rows = [asdict(one) for one in found]
    for row in rows:
        row.update(box=[round(v, 4) for v in row["box"]], share=round(row["share"], 4))
        row.update(confidence=round(row["confidence"], 4))
    return rows


def forecast(picture: Picture, options: PhotoOptions | None = None, *, progress: Progress = silent) -> Forecast:
    """Say what will go wrong with a picture, and convert nothing. No frame cuts what is seen all around.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: As for :func:`unflat.pipelines.photo.photo`; only how depth is seen matters.
        progress: Told the name of each stage as it begins.

    Raises:
        UnflatError: Any of the tree; the message and hint say what to do.
    """
    from unflat.pipelines.photo import PhotoOptions, look, take_in

    clock = Clock(progress)
    with clock.stage("read"):
        image, panorama, given, options, _ = take_in(picture, options or PhotoOptions())
    seen = look(image, options, clock) if given is None else Estimate(given.depth)
    marks = _marks(image, seen, options, clock)
    return Forecast(findings(marks, None if panorama is not None else seen.depth), clock)


def minded(seen: Estimate, image: Image, options: PhotoOptions, clock: Clock, lineage: Lineage) -> Estimate:
    """The estimate with its confidence lowered where it is fooled, and panes flat where that is asked for.

    Args:
        seen: What the model saw, or the user's own depth.
        image: The upright picture.
        options: See :class:`unflat.pipelines.photo.PhotoOptions`.
        clock: Times the stage.
        lineage: Takes the findings, and a warning of each strong one.
    """
    guessed, flat = seen.card is not None, options.ahead.reflections == "surface"
    if not flat and (seen.card is None or seen.card.name in BLIND_MODELS):
        return seen
    marks = _marks(image, seen, options, clock)
    depth = seen.depth
    if guessed:
        found = findings(marks, depth)
        lineage.foresaw(found)
        for one in found:
            if one.strong and not (flat and one.trouble in ("mirror", "glass")):
                lineage.warn(f"{one.trouble}: {one.text} {one.advice}")
        if depth.confidence is not None:
            depth = replace(depth, confidence=doubtful(depth.confidence, marks))
    if flat:
        depth, made, left = flatten_panes(depth, marks)
        lineage.did("flatten_panes", flat=made, left=left)
        if not made:
            lineage.warn("No mirror or pane was made flat: none was found, or none has a flat rim to be fitted to.")
    return replace(seen, depth=depth)


def _marks(image: Image, seen: Estimate, options: PhotoOptions, clock: Clock) -> Marks:
    from unflat.models.forecast import look_ahead

    with clock.stage("forecast"):
        marks = look_ahead(over_grey(image), options.estimate.threads, options.estimate.device)
        return cleared(marks, seen.sky_probability, image.alpha)

"""One picture -> one depth map, as fine as the picture."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unflat.pipelines.forecast import plain
from unflat.pipelines.people import LeaveOptions
from unflat.pipelines.photo import PhotoOptions, believed, see, sized, take_in, told_scale
from unflat.pipelines.report import Clock, Progress, peak_memory_mb, silent
from unflat.pipelines.source import DepthSource, Picture
from unflat.stages.calibrate import CameraOptions
from unflat.stages.crop_frame import FrameOptions
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.forecast import ForecastOptions
from unflat.stages.recognise_panorama import PanoramaOptions
from unflat.stages.scale_to_metres import ScaleOptions
from unflat.stages.see_as_art import ArtOptions
from unflat.trust.lineage import Lineage
from unflat.types.depth import DepthKind, DepthMap

if TYPE_CHECKING:
    from unflat.formats.registry import ExportOptions


@dataclass(frozen=True, slots=True)
class DepthMapOptions:
    """Everything a depth map can be told. The map is as fine as the picture unless ``estimate.detail`` is smaller."""

    source: DepthSource = field(default_factory=DepthSource)
    estimate: DepthOptions = field(default_factory=lambda: DepthOptions(detail=16384))
    camera: CameraOptions = field(default_factory=CameraOptions)
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    frame: FrameOptions = field(default_factory=FrameOptions)
    ahead: ForecastOptions = field(default_factory=ForecastOptions)
    around: PanoramaOptions = field(default_factory=PanoramaOptions)
    art: ArtOptions = field(default_factory=ArtOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)


@dataclass(slots=True)
class DepthResult:
    """A depth map and the story of how it was made."""

    depth: DepthMap
    lineage: Lineage
    clock: Clock
    outputs: list[Path] = field(default_factory=list[Path])

    def save(self, *paths: str | Path, options: ExportOptions | None = None) -> DepthResult:
        """Write the depth; the suffix of each path chooses the format (.png .exr .npy .pfm .jpg).

        Raises:
            InputError: No depth format has the suffix.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats import registry

        for path in map(Path, paths):
            with self.clock.stage("write"):
                out = registry.write(self.depth, path, options)
            self.outputs.append(path)
            for note in out.notes:
                self.lineage.warn(note)
        return self

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import to_plain

        camera, confidence = self.depth.intrinsics, self.depth.confidence
        return {
            "outputs": [str(path) for path in self.outputs],
            "seconds": {name: round(value, 4) for name, value in self.clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "size": str(self.depth.size),
            "kind": self.depth.kind.value,
            "model": self.depth.origin,
            "confidence": None if confidence is None else round(float(confidence[self.depth.surface].mean()), 4),
            "along": "axis" if self.depth.panorama is None else "ray",
            "camera": camera and {"fov_x_deg": round(camera.fov_x_deg, 3), "basis": camera.basis},
            "forecast": plain(self.lineage.findings),
            "warnings": list(self.lineage.warnings),
            "provenance": to_plain(self.lineage.seal()),
        }


def depth_map(picture: Picture, options: DepthMapOptions | None = None, *, progress: Progress = silent) -> DepthResult:
    """See how far everything in one picture is.

    The depth is metric where the picture or the user tells the size (a phone's depth, a metric file, a known
    length, a panorama's eye height); otherwise it stays up to one factor, for a depth map has no need of assumed
    metres. The map of a panorama holds distances along its rays.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: See :class:`DepthMapOptions`.
        progress: Told the name of each stage as it begins.

    Raises:
        UnflatError: Any of the tree; the message and hint say what to do.
    """
    options = options or DepthMapOptions()
    clock = Clock(progress)
    with clock.stage("read"):
        told = {one.name: getattr(options, one.name) for one in fields(options)}
        image, panorama, given, journey, lineage = take_in(picture, PhotoOptions(**told))
    if panorama is not None:
        from unflat.pipelines.panorama import distance_around

        depth = distance_around(image, panorama, given, journey, clock, lineage)
        return DepthResult(replace(depth, provenance=lineage.seal()), lineage, clock)
    depth, kind = see(image, given, journey, clock, lineage, options.estimate.detail)
    if options.scale.known_length is not None or depth.kind is DepthKind.METRIC:
        with clock.stage("scale"):
            depth, size = sized(depth, kind, image, believed(journey.scale, given), lineage, told=told_scale(given))
        depth = replace(depth, scale=size)
    return DepthResult(replace(depth, provenance=lineage.seal()), lineage, clock)

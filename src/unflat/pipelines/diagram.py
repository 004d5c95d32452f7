"""A drawn cell, organ or organism -> nested solids.

picture ─ read_diagram ─► Diagram (regions in regions) ─ inflate_diagram ─► solids ─ place_diagram ─► Scene ─ formats
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unflat.errors import InputError, MissingExtraError
from unflat.formats import diagram_labels
from unflat.pipelines.people import free, meet
from unflat.pipelines.report import Clock
from unflat.pipelines.result import Form, PhotoResult
from unflat.pipelines.source import open_picture
from unflat.stages.inflate_diagram import SolidOptions
from unflat.stages.read_diagram import ReadOptions
from unflat.trust.lineage import Lineage
from unflat.types.camera import Camera
from unflat.types.depth import DepthMap
from unflat.types.diagram import Diagram, DiagramNotes
from unflat.types.image import Image
from unflat.types.scale import Scale
from unflat.types.scene import Frame, Node, Pin, Scene

if TYPE_CHECKING:
    from unflat.formats.outlet import SealOptions
    from unflat.pipelines.eye import Eye
    from unflat.pipelines.photo import PhotoOptions
    from unflat.pipelines.source import Picture


_EVEN = 4.5
"""Regions of drawings are nearer to one colour each than this, in Lab."""


@dataclass(frozen=True, slots=True)
class DiagramOptions:
    """What a drawing that is taken for a diagram becomes (--style diagram)."""

    pins: str | None = None
    """A JSON file of what the printed labels of a diagram say (--style diagram): in their order, or by pixel."""
    read: ReadOptions = field(default_factory=ReadOptions)
    solid: SolidOptions = field(default_factory=SolidOptions)


class DiagramResult(PhotoResult):
    """A drawing as solids, one node for each of its regions.

    Attributes:
        diagram: What was drawn.
        nodes: Its solids.
    """

    frame = Frame.CAMERA_RDF

    def __init__(self, picture: Image, diagram: Diagram, options: PhotoOptions, lineage: Lineage, clock: Clock) -> None:
        from unflat.stages.inflate_diagram import inflate_diagram, lighter
        from unflat.stages.name_diagram import name_diagram, pins_of
        from unflat.stages.place_diagram import depth_of, nodes_of, placing_of

        notes = DiagramNotes() if options.diagram.pins is None else diagram_labels.read(Path(options.diagram.pins))
        diagram, flags, warnings = name_diagram(diagram, notes)
        for warning in warnings:
            lineage.warn(warning)

        with clock.stage("solids"):
            solids = inflate_diagram(diagram, options.diagram.solid)
            if options.diagram.solid.solid_error:
                try:
                    solids = lighter(solids, diagram, options.diagram.solid)
                except MissingExtraError as error:
                    lineage.warn(f"The solids keep all of their triangles: {error}")
            placing = placing_of(diagram, options.scale.known_length)
            nodes = nodes_of(solids, placing)
            depth = depth_of(nodes, placing.camera)
        lineage.did("inflate_diagram", solids=len(solids), **asdict(options.diagram.solid))
        told: Scale = placing.scale
        lineage.did("scale_to_metres", basis=told.basis, detail=told.detail, low=told.low, high=told.high)
        lineage.warn("A drawing has no depth: how thick its parts are, and their backs, is made up, and marked so.")
        if told.assumed:
            lineage.warn(f"{told.detail[0].upper()}{told.detail[1:]}. Give one length with --known-length.")
        lineage.invented = True
        flat = replace(options, surface=replace(options.surface, layers="none"))
        super().__init__(picture, depth, placing.scale, flat, lineage, clock)
        self.diagram: Diagram = diagram
        self.nodes: tuple[Node, ...] = nodes
        self.pins: tuple[Pin, ...] = pins_of(flags, solids, placing)
        self._flags = flags
        self._camera: Camera = placing.camera

    @property
    def camera(self) -> Camera:  # pyright: ignore[reportIncompatibleVariableOverride]  (of the drawing's own size)
        """The eye before the drawing, at the origin of the scene."""
        return self._camera

    def as_form(self, form: Form) -> Scene:
        """The scene; all forms of solids are the same.

        Raises:
            InputError: The form is one of splats or points.
        """
        if form in ("splats", "points"):
            raise InputError(
                f"a diagram becomes solids, not {form}", hint="Write .glb, .usdz, .obj, .ply, .stl, .3mf or .html."
            )
        if form not in self._scenes:
            story = self._lineage.seal()
            self._scenes[form] = Scene(self.nodes, (self.camera,), self.frame, self.scale, story, pins=self.pins)
        return self._scenes[form]

    def save_eye(
        self, eye: Eye, *paths: str | Path, force: bool = False, seal: SealOptions | None = None
    ) -> PhotoResult:
        """A diagram has no other eye.

        Raises:
            InputError: Always.
        """
        raise InputError("a diagram has no other eye", hint="Leave out --render-eye, or --style diagram.")

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, and what was drawn."""
        names = {region.number: region.name for region in self.diagram.regions}
        regions = [
            {"name": region.name, "in": names.get(region.parent or 0), "color": list(region.color)}
            for region in self.diagram.regions
        ]
        pins = [
            {"text": flag.text, "region": names[flag.region], "at_px": [round(v, 1) for v in flag.at_px]}
            for flag in self._flags
        ]
        titles = sum(caption.region is None for caption in self.diagram.captions)
        return super().report | {"diagram": {"regions": regions, "pins": pins, "other_texts": titles}}


def diagram_to_scene(
    picture: Picture, options: PhotoOptions, clock: Clock, handed: DepthMap | object | None = None
) -> DiagramResult:
    """Turn a drawing into nested solids.

    Args:
        picture: A file, an sRGB uint8 array, or an Image.
        options: See :class:`unflat.pipelines.photo.PhotoOptions`.
        clock: Times the stages.
        handed: Depth in memory, of which a diagram has no use.

    Raises:
        InputError: The picture cannot be read, nothing in it is enclosed, or depth was given for it.
    """
    from unflat.stages.read_diagram import read_diagram, unevenness

    source = options.source
    if handed is not None or source.file is not None or source.depth != "auto":
        raise InputError("a diagram has no depth that could be given", hint="Leave out --depth, or --style diagram.")
    if options.beyond.extend:
        raise InputError("a diagram is not extended", hint="Leave out --extend, or --style diagram.")
    with clock.stage("read"):
        image = open_picture(picture)
        lineage = Lineage.begin(image.source)
        free([image.source], options.leave, lineage, commercial_only=options.estimate.commercial_only)
        image = meet(image, options.leave, lineage).image
        for note in image.notes:
            lineage.warn(note)
        lineage.did("judge_style", style="diagram", decided="given")
        diagram = read_diagram(image, options.diagram.read)
        if unevenness(image, diagram) > _EVEN:
            lineage.warn("This looks like a photograph or a painting: its parts have no outlines, and were guessed.")
        if tinted := sum(region.tinted for region in diagram.regions):
            lineage.warn(f"The colours of {tinted} regions are made up: they were drawn in outline only.")
    lineage.did(
        "read_diagram", regions=len(diagram.regions), labels=len(diagram.captions), **asdict(options.diagram.read)
    )
    return DiagramResult(image, diagram, options, lineage, clock)

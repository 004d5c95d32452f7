"""A scan (CT, MRI, slices) -> tissues that one can turn, as one scene in the patient's own axes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.looks import NOT_FOR_DIAGNOSIS
from unflat.formats.volumes import ReadOptions, Series, choose, read_volume, series_in
from unflat.formats.voxel_arrays import labels_of_array, series_of_array
from unflat.pipelines.flat import from_keywords, leaves
from unflat.pipelines.heads import face_of, shows_skin
from unflat.pipelines.people import LeaveOptions, free
from unflat.pipelines.report import Clock, Progress, peak_memory_mb, silent
from unflat.stages.crop_volume import coarser_box, coarser_seeds, cropped
from unflat.stages.deface import Shears, deface, deface_labels
from unflat.stages.extract_surface import Solid, SurfaceOptions, cut_open, extract_surface, unmet
from unflat.stages.label_tissues import LabelOptions, beside, label_tissues
from unflat.stages.place_pins import front_of
from unflat.stages.segment_volume import SegmentOptions, looks_drawn, segment_volume
from unflat.stages.tissues import Tissue
from unflat.trust.lineage import Lineage
from unflat.types.provenance import Source
from unflat.types.scale import Scale
from unflat.types.scene import Frame, Node, Pin, Scene
from unflat.types.volume import LabelMap, Volume

if TYPE_CHECKING:
    from unflat.formats.pins import PinNote
    from unflat.formats.registry import ExportOptions

MANY = 2_000_000
"""Triangles that phones and browsers are slow with."""
_EXACT = {"CT": 0.01, "MR": 0.02, "other": 0.01}
"""By how much the millimetres of scanners are off at most: tables and gradients, as their makers test them."""


@dataclass(frozen=True, slots=True)
class OrganOptions:
    """Organs by name, found by a network from outside."""

    organs: bool = False
    """Let TotalSegmentator name organs, bones, muscles and vessels, if you have installed it: pip install
    TotalSegmentator."""
    organs_fast: bool = False
    """Let it look at 3 mm only: a tenth of the time, and rougher shapes."""

    def __post_init__(self) -> None:
        if self.organs_fast and not self.organs:
            raise InputError("--organs-fast needs --organs")


@dataclass(frozen=True, slots=True)
class VolumeOptions:
    """All options of a scan."""

    read: ReadOptions = field(default_factory=ReadOptions)
    segment: SegmentOptions = field(default_factory=SegmentOptions)
    named: LabelOptions = field(default_factory=LabelOptions)
    surface: SurfaceOptions = field(default_factory=SurfaceOptions)
    by_name: OrganOptions = field(default_factory=OrganOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)
    deface: bool = False
    """Cut the face off whatever is uppermost in the scan, bone included, or say that there is no head. Without it the
    face of a head goes, too, unless --people allow keeps it, but for surfaces of bone alone."""


class VolumeResult:
    """A scan as a scene: ``.volume``, ``.scene``, ``.save("x.glb", "x.html")``. Each step is done when it is asked for.

    Attributes:
        series: What there was to choose from, the best first; empty for an array.
        options: What was asked for.
        clock: Seconds by stage.
        lineage: What was read and done.
    """

    def __init__(
        self,
        given: Path | Volume | NDArray[Any],
        options: VolumeOptions | None = None,
        *,
        labels: Path | LabelMap | NDArray[Any] | None = None,
        label_names: Path | None = None,
        pins: tuple[PinNote, ...] = (),
        progress: Progress = silent,
    ) -> None:
        """Look at what is there; nothing is read yet.

        Args:
            given: A folder, a zip, a file, or a scan in memory; an array needs ``options.read.spacing_mm``.
            options: What is wanted.
            labels: A label map that the tissues are taken from, instead of the scan's values; an array fits voxel by
                voxel.
            label_names: What its numbers are called, if the map itself does not say.
            pins: Texts for places of the model.
            progress: Told the name of each stage as it begins.

        Raises:
            InputError: There is no scan, or no series of that number.
            MissingExtraError: The extra "volume" is not installed.
        """
        self.options = options or VolumeOptions()
        self.clock, self.lineage = Clock(progress), Lineage()
        self.lineage.warn(NOT_FOR_DIAGNOSIS)
        self._given, self._labels, self._label_names, self._pins = given, labels, label_names, pins
        self._outputs: list[Path] = []
        self._solids: dict[str, Solid] = {}
        self._shears: Shears | None = None
        self._whole = False  # surfaces of bone alone keep what lies before the planes
        self._steps = (1, 1, 1)
        self.series: tuple[Series, ...] = ()
        if isinstance(given, Path):
            with self.clock.stage("look"):
                self.series = series_in(given, self.options.read)
        elif not isinstance(given, Volume):
            self.series = (series_of_array(given, self.options.read),)

    @cached_property
    def chosen(self) -> Series:
        """The series that is read: the one that was asked for, or the best.

        Raises:
            InputError: There is none of that number.
        """
        found = choose(self.series, self.options.read)
        if len(self.series) > 1 and self.options.read.series is None:
            others = "; ".join(f"{one.number}: {one.title}" for one in self.series[1:6])
            self.lineage.warn(f"Of {len(self.series)} series: {found.title}. Others, for --series: {others}")
        return found

    @cached_property
    def volume(self) -> Volume:
        """The scan that surfaces are made of: without its face, unless that may be shown or no surface is of skin."""
        if isinstance(self._given, Volume):
            volume, source, placed = self._given, Source.array(), True
        else:
            with self.clock.stage("read"):
                reading = read_volume(self.chosen, self.options.read)
            volume, source, self._steps = reading.volume, reading.source, reading.steps
            placed = reading.placed
            for note in reading.notes:
                self.lineage.warn(note)
        self.lineage.read(source)
        free([source], self.options.leave, self.lineage)
        forced, named = self.options.deface, self._labels is not None or self.options.by_name.organs
        with self.clock.stage("deface"):
            self._shears = face_of(volume, self.options.leave, self.lineage, forced=forced, placed=placed)
            if self._shears is None:
                return volume
            self.lineage.did("deface")
            self._whole = not forced and not shows_skin(volume, self.options.segment, labelled=named)
            return volume if self._whole else deface(volume, self._shears)

    @cached_property
    def tissues(self) -> tuple[Tissue, ...]:
        """The parts that become nodes."""
        volume = self.volume
        if self._labels is not None:
            self._untold("--labels")
            return self._labelled(self._labels)
        if self.options.by_name.organs:
            self._untold("--organs")
            return self._labelled(self._organs())
        untold = volume.quantity != "hu" and not _told(self.options.segment)
        if not isinstance(self._given, Volume) and untold and looks_drawn(volume):
            self.lineage.warn("This is a label map: each of its labels became a part.")
            return self._labelled(self._given)
        if idle := next(iter(_told(self.options.named)), None):
            flag = f"--{idle.replace('_', '-')}"
            raise InputError(f"{flag} chooses among labels, and this scan has none", hint="Give --labels, or leave it.")
        with self.clock.stage("segment"):
            found = segment_volume(volume, self._segment)
        for note in found.notes:
            self.lineage.warn(note)
        self.lineage.did("segment", **_told(self.options.segment))
        return found.tissues

    @property
    def _segment(self) -> SegmentOptions:
        """What was asked for, in the voxels of the volume: users count those of the files."""
        told, grid = self.options.segment, self.volume.grid
        if self._steps == (1, 1, 1):
            return told
        return replace(
            told,
            seed=None if told.seed is None else coarser_seeds(told.seed, self._steps, grid),
            roi=None if told.roi is None else coarser_box(told.roi, self._steps, grid),
        )

    def _untold(self, how: str) -> None:
        """Refuse what would be listened to and then do nothing."""
        name = next(iter(_told(self.options.segment)), None)
        if name is not None:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} has no say where {how} tells the parts", hint="Leave out the one or the other.")

    def _labelled(self, given: Path | LabelMap | NDArray[Any]) -> tuple[Tissue, ...]:
        from unflat.formats.label_maps import read_labels

        with self.clock.stage("read"):
            if isinstance(given, Path):
                labels = read_labels(given, self._label_names)
                files = {file.name.split(".")[0] for file in given.rglob("*")}
                if any(label.name in files for label in labels.labels):
                    self.lineage.warn("The parts are called as the files of their masks are.")
            else:
                labels = given if isinstance(given, LabelMap) else labels_of_array(given, self.volume.grid)
        if self._shears is not None:
            labels = deface_labels(labels, self._shears)
        with self.clock.stage("segment"):
            tissues, notes = label_tissues(labels, self.options.named)
            notes += beside(tissues, self.volume.grid)
        for note in notes:
            self.lineage.warn(note)
        self.lineage.did("labels", labels=len(tissues), **_told(self.options.named))
        return tissues

    def _organs(self) -> LabelMap:
        """What TotalSegmentator calls the parts of the scan. It sees voxels and their places, and no word."""
        import tempfile

        from unflat.formats import nifti_write
        from unflat.formats.label_maps import read_labels
        from unflat.models import total_segmentator

        if self.volume.modality == "other":
            raise InputError("organs are known by name in CT and MR only", hint="Say which it is: --modality.")
        task: total_segmentator.Task = "total" if self.volume.modality == "CT" else "total_mr"
        if total_segmentator.command() is None:
            raise total_segmentator.MissingProgramError
        with self.clock.stage("organs"), tempfile.TemporaryDirectory(prefix="unflat-") as folder:
            scan, labels = Path(folder) / "scan.nii.gz", Path(folder) / "labels.nii.gz"
            nifti_write.write(self.volume, scan)
            total_segmentator.segment(scan, labels, task=task, fast=self.options.by_name.organs_fast)
            found = read_labels(labels, None)
        self.lineage.did("organs", model=total_segmentator.NAME, licence=total_segmentator.LICENCE, task=task)
        return found

    @cached_property
    def scene(self) -> Scene:
        """Every tissue as a closed surface, in LPS metres."""
        volume, solids = self.volume, list[Solid]()
        tissues = self.tissues
        with self.clock.stage("surface"):
            solids += [extract_surface(tissue, self.options.surface) for tissue in tissues]
        if self.options.surface.cut is not None:
            with self.clock.stage("cut"):
                solids = list(cut_open(solids, self.options.surface))
        for note in unmet(tissues, solids, self.options.surface):
            self.lineage.warn(note)
        kept = [(t, s) for t, s in zip(tissues, solids, strict=True) if len(s.mesh.faces)]
        self._solids = {tissue.name: solid for tissue, solid in kept}
        moved = max((solid.moved_mm for _, solid in kept), default=0.0)
        more: dict[str, Any] = {"simplified_mm": round(moved, 4)} if moved else {}
        self.lineage.did("surface", **_told(self.options.surface), **more)
        nodes = tuple(Node(tissue.name, solid.mesh, finish=tissue.finish) for tissue, solid in kept)
        triangles = sum(len(solid.mesh.faces) for _, solid in kept)
        if triangles > MANY:
            self.lineage.warn(
                f"{triangles / 1e6:.1f} million triangles: phones and browsers are slow with that; "
                "--simplify-mm 0.1 leaves out what nobody sees"
            )
        off = _EXACT[volume.modality]
        scale = Scale("metric-source", 1 / (1 + off), 1 + off, 0.9, "the voxels' size, as the scan states it")
        pins = tuple(self._pin(note, nodes) for note in self._pins)
        roi = self._segment.roi
        faceless = deface(volume, self._shears) if self._shears is not None and self._whole else volume
        shown = faceless if roi is None else cropped(faceless, roi)
        return Scene(nodes, (), Frame.PATIENT_LPS, scale, self.lineage.seal(), pins=pins, volume=shown)

    def _pin(self, note: PinNote, nodes: tuple[Node, ...]) -> Pin:
        node = next((one for one in nodes if one.name == note.node), None)
        if note.node is not None and node is None:
            names = ", ".join(one.name for one in nodes[:12])
            raise InputError(f"the pin '{note.text[:40]}' is of a node that is not there", hint=f"Nodes: {names}")
        if note.at_mm is not None:
            x, y, z = (v / 1000 for v in note.at_mm)
        elif note.voxel is not None:
            at = (np.array([note.voxel]) + 0.5) / self._steps - 0.5
            x, y, z = self.volume.grid.lps(at)[0].tolist()
        else:
            assert node is not None
            x, y, z = front_of(node)
        return Pin(note.text, (x, y, z), note.node, note.detail)

    def save(self, *paths: str | Path, options: ExportOptions | None = None, **export: Any) -> VolumeResult:
        """Write the scene; the suffix of each path chooses the format.

        Args:
            *paths: ``x.glb``, ``x.html``, ``x.stl``, ``x.3mf``, ``x.usdz``, ``x.obj``, ``x.ply``.
            options: How files are written.
            **export: Any of the export options by name: ``force=True``.

        Returns:
            Itself, so that calls can be chained.

        Raises:
            InputError: No format has the suffix, or nothing was found in the scan.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats import registry
        from unflat.formats.atomic import check_distinct

        told = from_keywords(options or registry.ExportOptions(), export)
        places = [Path(path) for path in paths]
        for path in places:
            check_noun(path)
            registry.format_of(path).check(path, force=told.force)
        check_distinct([file for path in places for file in registry.format_of(path).targets(path)])
        scene = self.scene
        for path in places:
            with self.clock.stage("write"):
                out = registry.write(scene, path, told)
            self._outputs.append(path)
            for note in out.notes:
                self.lineage.warn(note)
        return self

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import to_plain

        scene, volume = self.scene, self.volume
        d, h, w = volume.grid.shape
        return {
            "outputs": [str(path) for path in self._outputs],
            "seconds": {name: round(value, 4) for name, value in self.clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "triangles": scene.triangles,
            "kind": "metric",
            "confidence": None,
            "scan": {
                "modality": volume.modality,
                "quantity": volume.quantity,
                "voxels": [w, h, d],
                "spacing_mm": [round(1000 * s, 6) for s in volume.grid.spacing],
            },
            "series": [{"number": one.number, "title": one.title} for one in self.series],
            "tissues": [_row(name, solid) for name, solid in self._solids.items()],
            "scale": asdict(scene.scale),
            "warnings": list(self.lineage.warnings),
            "provenance": to_plain(self.lineage.seal()),
        }

    def __repr__(self) -> str:
        return f"VolumeResult({self.chosen.title if self.series else self._given!r})"


def check_noun(path: Path) -> None:
    """Refuse a suffix that a scan has nothing for.

    Raises:
        InputError: It is of no format, or of one that does not hold surfaces.
    """
    from unflat.formats.registry import format_of

    row = format_of(path)
    if row.noun is not Scene or not {"mesh", "relief"} & set(row.keeps):
        raise InputError(
            f"{row.name} files do not hold the surfaces of a scan",
            hint="Tissues go to .html .glb .gltf .usdz .obj .ply .stl .3mf.",
        )


def _row(name: str, solid: Solid) -> dict[str, Any]:
    return {
        "name": name,
        "triangles": len(solid.mesh.faces),
        "volume_ml": round(solid.volume_ml, 4),
        "voxels_ml": round(solid.voxels_ml, 4),
        "simplified_mm": round(solid.moved_mm, 4),
    }


def _told(options: Any) -> dict[str, Any]:
    """The options that differ from their defaults, as plain values for the story."""
    usual = type(options)()
    names = [leaf.name for _, leaf, _ in leaves(type(options))]
    told = {name: getattr(options, name) for name in names if getattr(options, name) != getattr(usual, name)}
    return {
        name: value if isinstance(value, str | int | float | bool) else _plain(value) for name, value in told.items()
    }


def _plain(value: Any) -> str:
    """A value of an option's own type in words."""
    return ", ".join(f"{key} {part}" for key, part in asdict(value).items())

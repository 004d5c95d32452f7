"""``unflat volume``: a scan becomes tissues that one can turn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from unflat.cli.console import one_line, progress, say, say_json, show_report
from unflat.cli.flags import Flat, Outputs, Talk
from unflat.cli.options import flags_of, gathered
from unflat.errors import InputError
from unflat.formats import pins as pins_file
from unflat.formats.atomic import check_apart, check_distinct
from unflat.formats.registry import ExportOptions, format_of
from unflat.formats.volumes import series_in
from unflat.pipelines.volume import VolumeOptions, VolumeResult, check_noun

_VolumeFlags: Any = flags_of(VolumeOptions)
_ExportFlags: Any = flags_of(ExportOptions, ("texture_size", "texture_quality", "near", "editable"))


@dataclass(frozen=True, slots=True)
class Beside:
    """What comes with a scan."""

    labels: Path | None = None
    """A label map (NIfTI, NRRD, MetaImage, DICOM SEG, or a folder of one mask a file): each label becomes a node."""
    label_names: Path | None = None
    """What the numbers of the label map are called: JSON {"1": "spleen"}, or a table of 3D Slicer or ITK-SNAP."""
    pins: Path | None = None
    """Texts for places of the model (JSON, docs/volumes.md); pages show them."""
    list: Annotated[bool, Parameter(name="--list", negative="")] = False
    """Say which series there are, and write nothing."""


def volume(
    scan: Path,
    *,
    output: Outputs = None,
    beside: Annotated[Beside, Flat] = Beside(),  # noqa: B008
    flags: Annotated[_VolumeFlags, Flat] = _VolumeFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    writing: Annotated[_ExportFlags, Flat] = _ExportFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Turn CT or MRI slices into anatomy.

    Args:
        scan: A folder or zip of DICOM files (whatever their names), NIfTI, NRRD, MetaImage, or a folder of pictures.
    """
    told, export = gathered(VolumeOptions, flags), gathered(ExportOptions, writing)
    if not scan.exists():
        raise InputError(f"{scan} does not exist", hint="Check the spelling and the folder.")
    if beside.list:
        _list(scan, output, told, talk)
        return
    for path in output or []:
        check_noun(path)
        format_of(path).check(path, force=export.force)
    notes = () if beside.pins is None else pins_file.read(beside.pins)
    with progress(quiet=talk.quiet) as line:
        result = VolumeResult(
            scan, told, labels=beside.labels, label_names=beside.label_names, pins=notes, progress=line
        )
        paths = output or [_default(scan, result, told, labelled=beside.labels is not None)]
        written = [file for path in paths for file in format_of(path).targets(path)]
        check_distinct(written)
        given = [path for path in (scan, beside.labels, beside.label_names, beside.pins) if path and path.is_file()]
        check_apart(written, given)
        result.save(*paths, options=export)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)


def _list(scan: Path, output: list[Path] | None, told: VolumeOptions, talk: Talk) -> None:
    """Say what there is to choose from."""
    if output:
        raise InputError("--list writes nothing", hint="Leave out -o, or --list.")
    found = series_in(scan, told.read)
    if talk.json:
        say_json({"series": [{"number": one.number, "title": one.title, "notes": list(one.notes)} for one in found]})
        return
    for one in found:
        say(one_line(f"{one.number}: {one.title}{''.join(f'; {note}' for note in one.notes)}"))


def _default(scan: Path, result: VolumeResult, told: VolumeOptions, *, labelled: bool) -> Path:
    """Beside the scan, named by what it is: the scan's own name is often the patient's."""
    segment = told.segment
    part = "labels" if labelled else "part" if segment.threshold else ""
    if not part:
        part = (
            "-".join(segment.preset.names) if segment.preset else "bone" if result.chosen.modality == "CT" else "skin"
        )
    whole = scan.resolve()
    return whole.parent / f"{result.chosen.modality.lower()}-{part}.html"

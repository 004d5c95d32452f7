"""``unflat stereo``: a picture or a film for two eyes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from unflat.cli.console import one_line, progress, say_json, show_report, tell
from unflat.cli.films import FILM, PICTURE, are_films, check_flags, make_films
from unflat.cli.flags import Flat, Outputs, Talk, check_inputs, check_written
from unflat.cli.options import flags_of, gathered
from unflat.errors import InputError
from unflat.formats.atomic import check_distinct
from unflat.formats.outlet import SealOptions
from unflat.formats.registry import ExportOptions
from unflat.formats.stereo_names import name_for
from unflat.pipelines.stereo import StereoPictureOptions
from unflat.pipelines.stereo import stereo as run_stereo
from unflat.pipelines.stereo_film import FilmOptions
from unflat.pipelines.stereo_result import default_place, place_of
from unflat.types.stereo import Layout


@dataclass(frozen=True, slots=True)
class Everything:
    """All that the command can be told."""

    picture: StereoPictureOptions = field(default_factory=StereoPictureOptions)
    film: FilmOptions = field(default_factory=FilmOptions)


@dataclass(frozen=True, slots=True)
class Saving:
    """How files are written."""

    force: Annotated[bool, Parameter(negative="")] = False
    """Replace files that exist."""
    quality: int = 95
    """Quality of JPEG, WebP, AVIF and HEIC pictures, 1 to 100."""

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise InputError(f"--quality {self.quality} is out of range", hint="Give 1 to 100.")


_Flags: Any = flags_of(Everything, ("familiar", "eye_height", "depth_bits"))
_SAVING = Saving()
_SealFlags: Any = flags_of(SealOptions)


def stereo(
    *pictures: Path,
    output: Outputs = None,
    flags: Annotated[_Flags, Flat] = _Flags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    saving: Annotated[Saving, Flat] = _SAVING,
    sealing: Annotated[_SealFlags, Flat] = _SealFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Show one or more pictures or films to two eyes.

    Args:
        pictures: JPEG, PNG, WebP, TIFF, AVIF or HEIC; or films: MP4, MOV, MKV, WebM, AVI and others.
    """
    if not pictures:
        raise InputError("no picture was given", hint="unflat stereo PICTURE [-o OUT]")
    check_inputs(*pictures)
    everything, seal = gathered(Everything, flags), gathered(SealOptions, sealing)
    if are_films(pictures):
        for told in (flags, saving):
            check_flags(told, FilmOptions, FILM)
        usual = partial(_beside, layout=everything.film.lay.layout)
        make_films(
            pictures, output, everything.film, "stereo", usual, talk, ExportOptions(force=saving.force, seal=seal)
        )
        return
    check_flags(flags, StereoPictureOptions, PICTURE)
    options = everything.picture
    plan = [(picture, _places(picture, output, options, many=len(pictures) > 1)) for picture in pictures]
    files: list[Path] = []
    for picture, paths in plan:
        mine = [file for path in paths for file in place_of(path, options.lay, options.eyes).files]
        check_written(mine, picture, _known, force=saving.force)
        files += mine
    check_distinct(files)
    reports: list[dict[str, Any]] = []
    for picture, paths in plan:
        with progress(quiet=talk.quiet) as line:
            result = run_stereo(picture, options, progress=line)
            result.save(*paths, force=saving.force, quality=saving.quality, seal=seal)
        reports.append(result.report)
        if not talk.json:
            _show(result.report, quiet=talk.quiet)
    if talk.json:
        outputs = [path for report in reports for path in report["outputs"]]
        say_json(reports[0] if len(reports) == 1 else {"outputs": outputs, "pictures": reports})


def _beside(film: Path, layout: str | None) -> Path:
    """Where a film goes if nobody said: beside its source, with a name that players understand."""
    return film.with_name(name_for(Layout(layout or "full-sbs"), film.stem) + ".mp4")


def _known(_path: Path) -> None:
    """The suffix was looked at when the layout was settled."""


def _show(report: dict[str, Any], *, quiet: bool) -> None:
    """What was laid out how where the user left that to the name, and the report as ever."""
    if not quiet:
        for path, layout in zip(report["outputs"], report["layouts"], strict=True):
            if layout.endswith(")"):
                tell(one_line(f"{Path(path).name}: {layout}"))
    show_report(report, as_json=False, quiet=quiet)


def _places(picture: Path, output: list[Path] | None, options: StereoPictureOptions, *, many: bool) -> list[Path]:
    """Where the views of one picture go."""
    usual = default_place(picture, options.lay, options.eyes)
    if not output:
        return [usual]
    folders = [path for path in output if path.is_dir()]
    if many and len(folders) < len(output):
        raise InputError("several pictures need a folder to go to", hint="Give an existing folder: -o FOLDER.")
    return [path / usual.name if path in folders else path for path in output]

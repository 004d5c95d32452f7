"""One film -> a film for two eyes, its depth, or a clip to move in.

clip ─ frames with steady depth (film_line) ─► two_eyes ─► laid out ─► segments ─► joined with sound and subtitles
                                             └► depth, or picture and depth in one frame for a page
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unflat import __version__
from unflat.errors import InputError, UnitError
from unflat.formats.film_depth import DepthFilmOptions
from unflat.formats.film_write import EncodeOptions
from unflat.formats.outlet import Handing, SealOptions, handed_out, named
from unflat.geometry.bands import side_by_side
from unflat.geometry.bars import Window, window_of
from unflat.pipelines.film_line import Cut, Line, Run
from unflat.pipelines.film_span import ShotOptions, SpanOptions, WorkOptions, read_settings
from unflat.pipelines.people import LeaveOptions, free, meet_film
from unflat.pipelines.photo import say_depth
from unflat.pipelines.report import Clock, Progress, peak_memory_mb, silent
from unflat.pipelines.source import DepthSource
from unflat.pipelines.two_eyes import TwoEyes, whole_shots
from unflat.stages.calibrate import CameraOptions, calibrate
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.judge_film import BURST, FilmSigns, judge_film
from unflat.stages.lay_out import LayoutOptions
from unflat.stages.plan_stereo import StereoOptions
from unflat.stages.restore_film import RestoreOptions, small_copy
from unflat.stages.stabilise_depth import SteadyOptions
from unflat.trust.label import label_text
from unflat.trust.lineage import Lineage
from unflat.trust.mark import with_mark
from unflat.types.arrays import U8
from unflat.types.clip import Clip, TimedFrame
from unflat.types.image import Image, Size
from unflat.types.provenance import Provenance, Step

if TYPE_CHECKING:
    from unflat.formats.film_read import ReadGrey
    from unflat.pipelines.film_kinds import FilmKind

_SHAPE = 0.02
"""A film of depth may differ by so much in its proportions."""
_SAMPLES = 5
"""Frames all over the film in which bars are looked for."""


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """Everything a film's journey can be told."""

    source: DepthSource = field(default_factory=DepthSource)
    estimate: DepthOptions = field(default_factory=lambda: DepthOptions(detail=4096))
    camera: CameraOptions = field(default_factory=CameraOptions)
    old: RestoreOptions = field(default_factory=RestoreOptions)
    steady: SteadyOptions = field(default_factory=SteadyOptions)
    eyes: StereoOptions = field(default_factory=StereoOptions)
    lay: LayoutOptions = field(default_factory=LayoutOptions)
    span: SpanOptions = field(default_factory=SpanOptions)
    shot: ShotOptions = field(default_factory=ShotOptions)
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    deep: DepthFilmOptions = field(default_factory=DepthFilmOptions)
    work: WorkOptions = field(default_factory=WorkOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)


@dataclass(frozen=True, slots=True)
class DepthFilm:
    """What the depth of a film can be told: of :class:`FilmOptions` all that is not about two eyes."""

    source: DepthSource = field(default_factory=DepthSource)
    estimate: DepthOptions = field(default_factory=lambda: DepthOptions(detail=16384))
    old: RestoreOptions = field(default_factory=RestoreOptions)
    steady: SteadyOptions = field(default_factory=SteadyOptions)
    span: SpanOptions = field(default_factory=SpanOptions)
    deep: DepthFilmOptions = field(default_factory=DepthFilmOptions)
    work: WorkOptions = field(default_factory=WorkOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)

    @property
    def whole(self) -> FilmOptions:
        """The same as options of a film."""
        return FilmOptions(**{one.name: getattr(self, one.name) for one in fields(self)})


Purpose = Literal["stereo", "depth"]


class Film:
    """A film that is to be made for two eyes, ``.save("x_LRF_Full_SBS.mp4", "x.html")``, or a film of its depth.

    Attributes:
        path: Of the film it is made of.
        options: What the recipe was told.
        purpose: What is made of it.
        clip: What is known of that film.
        window: Where the picture is in its frames.
        lens: The camera, of a picture within the window.
        model: Who sees the depth: a model's name, never "auto", or the film of depth that was given.
        start, stop: Which part is made, in seconds; None is the film's end.
        signs: What it shows of its age; None where nobody looked.
        old: Its depth is seen on clean copies.
        layouts: What each file is, once it is saved.
        shots: What was done to each shot, once it is saved.
        frames: How many frames were made.
        flicker: How unsteady depth is over time, before and after (see SteadyState).
    """

    def __init__(
        self, path: Path, options: FilmOptions, purpose: Purpose = "stereo", progress: Progress = silent
    ) -> None:
        from unflat.formats.film_read import open_clip

        self.clock = Clock(progress)
        self.path, self.options, self._seal, self._progress = path, options, SealOptions(), progress
        self.purpose: Purpose = purpose
        self._settings = read_settings(options.shot.shots)
        if options.eyes.ipd_mm is not None:
            raise UnitError(
                "the depth of a film has no unit, so its eyes are not millimetres apart", hint="Use --strength."
            )
        with self.clock.stage("read"):
            self.clip: Clip = open_clip(path)
            self._given = self._opened_depth(options.source)
        self.start, self.stop = self._span()
        self._lineage = Lineage.begin(self.clip.source)
        free([self.clip.source], options.leave, self._lineage, commercial_only=options.estimate.commercial_only)
        with self.clock.stage("people"):
            self.clip = meet_film(self.clip, options.leave, self._lineage)
        if self._given is not None:
            self._lineage.read(self._given[0].source)
        for note in self.clip.notes:
            self._lineage.warn(note)
        with self.clock.stage("look"):
            self.window, first, bursts = self._looked()
            self.signs, self.old = self._judged(bursts)
        source = options.source
        with self.clock.stage("depth"):  # who will see it is settled now: a better model may be fetched meanwhile
            seen = None if self._given else estimate_depth(first, source.depth, options.estimate, source.depth_kind)
        self._first = seen
        self.model = source.depth if seen is None or source.depth != "auto" else seen.depth.origin
        self.lens = calibrate(first, options.camera)
        self._outputs: list[Path] = []
        self.layouts: list[str] = []
        self.shots: list[dict[str, Any]] = []
        self.frames, self.flicker = 0, {"before": 0.0, "after": 0.0}

    def _span(self) -> tuple[Fraction, Fraction | None]:
        """Which part is made; a preview within which no frame begins is one of the next frame."""
        span = self.options.span
        start, stop = span.of(self.clip)
        first = self._one(start) if span.preview is not None and span.to is None else []
        if stop is None or not first or first[0].time < stop:
            return start, stop
        return first[0].time, first[0].time + stop - start

    def _opened_depth(self, source: DepthSource) -> tuple[Clip, ReadGrey] | None:
        """The film of depth that the user gives, or None where a model looks.

        Raises:
            InputError: It cannot be read, or is of another shape.
        """
        from unflat.formats.film_read import SUFFIXES, open_depth_film

        path = Path(source.depth)
        if source.file is not None:
            raise InputError(
                f"{path.name} is the depth of one picture", hint="For a film give a film of depth: .mkv .mp4"
            )
        if path.suffix.lower() not in SUFFIXES:
            return None
        if source.depth_kind not in (None, "disparity"):
            raise InputError("a film of depth holds disparity: white is nearest", hint="Leave out --depth-kind.")
        clip, read = open_depth_film(path)
        if abs(clip.size.aspect / self.clip.size.aspect - 1) > _SHAPE:
            raise InputError(f"the film of depth has {clip.size}, {self.path.name} has {self.clip.size}: another shape")
        return clip, read

    def _looked(self) -> tuple[Window, Image, list[list[U8]]]:
        """Where the picture is in the frames, one such picture, and from all over the film some small ones in a row."""
        bursts = [burst for burst in side_by_side(self._burst, self._moments()) if burst]
        if not bursts:  # all frames are earlier than the moments
            bursts = [burst for burst in [self._burst(Fraction(0))] if burst]
        found = [first for first, _ in bursts]
        if not found:
            raise InputError(
                f"there is no frame to see in {self.path.name}", hint="Look at --from and --to, and how long it is."
            )
        window = window_of(found)
        size = self.clip.size
        if (window.right - window.left, window.bottom - window.top) != (size.width, size.height):
            inner = Size(window.right - window.left, window.bottom - window.top)
            self._lineage.warn(f"Black bars are left as they are: the picture has {inner} of {size} pixels.")
        rows = [[window.cut_small(small, size.width, size.height) for small in burst[1]] for burst in bursts]
        return window, Image(window.cut(found[0]), source=self.clip.source), rows

    def _judged(self, bursts: Sequence[Sequence[U8]]) -> tuple[FilmSigns | None, bool]:
        """What the film shows of its age, and whether its depth is to be seen on clean copies.

        Raises:
            InputError: Copies are asked for where no model looks.
        """
        said = self.options.old
        if self._given is not None:
            if said.classic not in ("auto", "no"):
                raise InputError(
                    "depth that is given fits the film as it is, not clean copies of it",
                    hint="Leave out --classic, or --depth.",
                )
            return None, False
        if not said.in_doubt:
            return None, said.classic != "no"
        signs = judge_film(bursts)
        if signs.classic:
            self.warn([f"this looks like an old film ({', '.join(signs.found)}): its depth is seen on clean copies"])
        return signs, signs.classic

    def _moments(self) -> list[Fraction]:
        """Where to look for bars: evenly through the whole film, so that all parts of it are cut alike."""
        if self.clip.seconds is None:
            return [self.start]
        whole = Fraction(self.clip.seconds).limit_denominator(1000)
        return [whole * (2 * k + 1) / (2 * _SAMPLES) for k in range(_SAMPLES)]

    def _burst(self, at: Fraction) -> tuple[U8, list[U8]] | None:
        """The frame at a moment, and it and those after it, small; None if there is none."""
        count = BURST if self._given is None and self.options.old.in_doubt else 1
        with closing(self.clip.frames(at)) as frames:
            first = next(frames, None)
            if first is None:
                return None
            return first.pixels, [small_copy(frame.pixels) for frame in chain([first], islice(frames, count - 1))]

    def _one(self, at: Fraction) -> list[TimedFrame]:
        """The frame at a moment, if there is one."""
        with closing(self.clip.frames(at)) as frames:
            frame = next(frames, None)
        return [] if frame is None else [frame]

    def save(self, *paths: str | Path, force: bool = False, seal: SealOptions | None = None) -> Film:
        """Make the films; the suffix of each path, and the words in its name, choose what it is.

        A run that is killed leaves ``NAME.parts`` beside the first film; the same call goes on from there.

        Args:
            *paths: ``x.mp4``, ``.mov``, ``.mkv`` or ``.webm``; for depth also ``x.png``, a row of files; for two eyes
                ``x.html``, a clip to move in.
            force: Replace files that exist.
            seal: Whether, and with what, the films are signed.

        Raises:
            InputError: A name is of no format.
            OutputError: A file exists already, or cannot be written.
            MissingExtraError: What writes such a film is not installed.
        """
        from unflat.pipelines.film_kinds import check_targets, film_kinds

        files, self._seal = [Path(path) for path in paths], seal or self._seal
        check_targets(files, [self.path], self.options, self.purpose, force=force)
        if self._seal.mark and self.purpose == "depth":
            self.warn(["no mark is drawn in a film of depth: it would be taken for depth"])
        kinds = film_kinds(files, self)
        self._make(kinds, force=force)
        self.layouts += [kind.told for kind in kinds for _ in kind.files]
        return self

    def _make(self, kinds: Sequence[FilmKind], *, force: bool) -> None:
        """All films of one run, from the same segments of the same frames."""
        from unflat.formats.film_parts import parts_of

        two_eyes = self.options.eyes if any(kind.two_eyes for kind in kinds) else None
        painter = TwoEyes([kind.look for kind in kinds], two_eyes, self._settings)
        suffixes = [kind.segment_suffix for kind in kinds]
        with parts_of(kinds[0].path, self._key(kinds)) as parts:
            run = Run(self._line(), painter, self._cut, parts, self._progress)
            with self.clock.stage("film"):
                run.make(lambda path, film: kinds[film].opened(path), suffixes)
            self._note(run, [parts.about(number) for number in range(parts.done)])
            for film, kind in enumerate(kinds):
                segments = [parts.segment(number, film, suffixes[film]) for number in range(parts.done)]
                with self.clock.stage("write"):
                    kind.finish(segments, self, force=force)
                self._outputs += kind.files
            parts.remove()

    @property
    def _cut(self) -> Cut:
        """Which part is made, in segments of whole frames."""
        return Cut(self.start, self.stop, max(1, round(self.options.work.segment_seconds * self.clip.fps)))

    def _line(self) -> Line:
        options = self.options
        given = None if self._given is None else self._given[1]
        old = options.old if self.old else None
        seen = self.model, options.source.depth_kind, options.estimate, options.steady
        return Line(self.clip, self.window, *seen, given, old)

    def _key(self, kinds: Sequence[FilmKind]) -> str:
        """What decides every byte of the segments; the names of the films do not."""
        from unflat.formats.film_parts import key_of

        card = None if self._first is None else self._first.card
        return key_of(
            {
                "source": self.clip.source.sha256,
                "depth": None if self._given is None else self._given[0].source.sha256,
                "version": __version__,
                "model": self.model,
                "weights": card and card.sha256,
                "options": asdict(self.options),
                "settings": [asdict(one) for one in self._settings],
                "films": [kind.words for kind in kinds],
            }
        )

    def _note(self, run: Run, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write down what was done, for the files and the report."""
        shots = whole_shots([shot for row in rows for shot in row["shots"]])
        flicker = {one.shot: one for one in run.state.shots}
        for shot in shots:
            steady = flicker.get(shot["shot"])
            shot["flicker"] = steady and {"before": steady.before, "after": steady.after}
        self.shots, self.frames = shots, run.frames
        self.flicker = {"before": run.state.before, "after": run.state.after}
        self.warn(note for shot in shots for note in shot["notes"])
        whole = self.start == 0 and self.stop is None
        if whole and self.clip.count is not None and run.frames < self.clip.count:
            self.warn([f"{self.clip.count - run.frames} of {self.clip.count} frames are damaged and were left out"])
        if self.old:
            self._lineage.did("restore film" if self.options.old.restore else "clean copies", frames=run.frames)
        self._say_depth(self._lineage, run.frames)
        self._lineage.did("stabilise depth", shots=len(shots), flicker=self.flicker["after"])
        self._lineage.invented = self.purpose == "stereo"

    def _say_depth(self, lineage: Lineage, frames: int) -> None:
        if self._first is None:
            lineage.did("depth", model=self.model, kind="disparity", frames=frames)
        else:
            say_depth(self._first, self._first.depth, lineage)

    @property
    def mark(self) -> str | None:
        """The words that are drawn into every frame: who sees the depth decides them before the first one; or None."""
        notebook = Lineage()
        self._say_depth(notebook, 0)
        return label_text(notebook.seal()) if self._seal.mark else None

    @contextmanager
    def handed_out(self, path: Path, story: Provenance, *, force: bool) -> Generator[Handing]:
        """Write a film of this run within this block; it leaves signed; see :mod:`unflat.formats.outlet`."""
        with handed_out(path, story, self._seal, force=force) as out:
            yield out
        self.warn(out.notes)

    def warn(self, notes: Iterable[str]) -> None:
        """Tell the user, each once; notes begin small and have no full stop."""
        for words in dict.fromkeys(notes):
            self._lineage.warn(words[:1].upper() + words[1:] + ".")

    def named(self, step: str, path: Path, **told: Any) -> Provenance:
        """Where a film of this run comes from, and which manifest will speak for it; ``step`` is its last."""
        story = self._lineage.seal()
        story = replace(story, steps=(*story.steps, Step(step, options=tuple(sorted(told.items())))))
        return named(with_mark(story) if self._seal.mark and self.purpose == "stereo" else story, path, self._seal)

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import to_plain

        return {
            "outputs": [str(path) for path in self._outputs],
            "layouts": self.layouts,
            "seconds": {name: round(value, 4) for name, value in self.clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "size": str(self.clip.size),
            "frames": self.frames,
            "fps": float(self.clip.fps),
            "from": float(self.start),
            "to": None if self.stop is None else float(self.stop),
            "model": self.model,
            "camera": {"fov_x_deg": round(self.lens.fov_x_deg, 3), "basis": self.lens.basis},
            "classic": {"copies": self.old, "signs": None if self.signs is None else asdict(self.signs)},
            "flicker": self.flicker,
            "shots": self.shots,
            "warnings": list(self._lineage.warnings),
            "provenance": to_plain(self._lineage.seal()),
        }

    def __repr__(self) -> str:
        return f"Film({self.clip}, {self.options.lay.layout or 'layout by name'})"

"""What two eyes see of one picture: made when a file first needs it, and written in any layout."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.outlet import SealOptions, handed_out, seal_targets
from unflat.geometry.layout import PACKED
from unflat.models.painter import painter
from unflat.pipelines.forecast import plain
from unflat.pipelines.marking import marked_pair, stamp_of
from unflat.pipelines.report import Clock, peak_memory_mb
from unflat.stages.lay_out import LayoutOptions, Pack, lay_out, shown_depth
from unflat.stages.make_stereo import Care, make_stereo
from unflat.stages.plan_stereo import DEEPEST, StereoOptions, beyond_comfort, plan_stereo
from unflat.stages.see_inverse import inverse_everywhere, reach_of
from unflat.trust.lineage import Lineage
from unflat.trust.mark import mark_in, with_mark
from unflat.types.arrays import F32, U8
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.provenance import Provenance, Step
from unflat.types.stereo import Layout, Rig, StereoPair

BETWEEN_EYES_MM = 63.0
"""Between the eyes of most grown people."""
AROUND_PERCENT = 3.0
"""Disparity across a half sphere's picture where nobody says its size, in percent of the picture's width."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """What the two views are made of.

    Attributes:
        picture: The upright picture, which the depth is of.
        pixels: (h, w, 3) uint8, the same as it is shown.
        profile: ICC profile of ``pixels``; None is sRGB.
    """

    picture: Image
    pixels: U8
    profile: bytes | None = None


class StereoResult:
    """A picture with its depth, and what two eyes see of it.

    Attributes:
        picture: The upright picture.
        depth: (h, w) depth with a camera.
        eyes: How the eyes are placed.
        lay: How their views become files.
    """

    def __init__(
        self,
        views: Views,
        depth: DepthMap,
        eyes: StereoOptions,
        lay: LayoutOptions,
        lineage: Lineage,
        clock: Clock,
        care: Care,
    ) -> None:
        self.picture = views.picture
        self.depth = depth
        self.eyes = eyes
        self.lay = lay
        self._views = views
        self._lineage = lineage
        self._clock = clock
        self._care = care
        self._outputs: list[Path] = []
        self._layouts: list[str] = []
        self._steps: dict[str, Step] = {}

    @cached_property
    def inverse(self) -> F32:
        """Inverse depth of every pixel, in the unit of the depth."""
        return inverse_everywhere(self.depth, self.picture)

    @cached_property
    def reach(self) -> tuple[float, float]:
        """Inverse depth of what is nearest and farthest."""
        return reach_of(self.inverse, self.depth)

    @cached_property
    def rig(self) -> Rig:
        """The two eyes, in pixels of the picture."""
        if self._as_measured:
            return Rig(1.0, 0.0, self.picture.size.width, self.eyes.left)
        return plan_stereo(*self.reach, self.picture.size.width, self.eyes, self._focal_px)

    @cached_property
    def pair(self) -> StereoPair:
        """What the two eyes see on a screen."""
        if not self._as_measured:
            for violation in beyond_comfort(*self.reach, self.rig, self.eyes.display):
                self._lineage.warn(f"{violation[:1].upper()}{violation[1:]}.")
        return self._seen(self.rig, self.eyes, "screen")

    @cached_property
    def around(self) -> StereoPair:
        """What the two eyes see in half a sphere: as they do outdoors, what is infinitely far at no disparity.

        Where the metres are true the eyes are as far apart as people's, unless the options say otherwise.
        """
        eyes, width = replace(self.eyes, display="headset", edge_window="none"), self.picture.size.width
        if eyes.ipd_mm is None and eyes.strength is None:
            true = self._metres and not (self.depth.scale is None or self.depth.scale.assumed)
            eyes = replace(eyes, **({"ipd_mm": BETWEEN_EYES_MM} if true else {"strength": AROUND_PERCENT}))
        rig = plan_stereo(*self.reach, width, eyes, self._focal_px)
        if eyes.ipd_mm is None:
            rig = replace(rig, gain_px=min(rig.gain_px, DEEPEST / 100 * width / self.reach[0]))
        if eyes.convergence == "auto":
            rig = replace(rig, shift_px=0.0)
        return self._seen(rig, eyes, "sphere")

    @property
    def _as_measured(self) -> bool:
        """Whether the depth is a stereo disparity in pixels and one eye is asked for: then that is where it stands."""
        free = self.eyes.strength is None and self.eyes.ipd_mm is None and self.eyes.convergence == "auto"
        return self._care.measured and self.eyes.eye != "both" and free

    @property
    def _metres(self) -> bool:
        return self.depth.kind is DepthKind.METRIC or self.depth.scale is not None

    @property
    def _focal_px(self) -> float | None:
        """Focal length in pixels of the picture, where depth is in metres."""
        camera = self.depth.intrinsics
        return camera.resized(self.picture.size).fx if camera is not None and self._metres else None

    def _seen(self, rig: Rig, eyes: StereoOptions, where: str) -> StereoPair:
        with self._clock.stage("eyes"):
            pair = make_stereo(self._views.pixels, self.inverse, rig, eyes, care=self._care).pair
            if self._as_measured and where == "screen" and self._care.still and self.picture.alpha is None:
                pair = self._seen_twice(pair)
        told: dict[str, Any] = {
            "disparity_px": rig.gain_px,
            "shift_px": rig.shift_px,
            "left": rig.left,
            "width": rig.width,
        }
        told |= {"edge_window": eyes.edge_window, "swap": eyes.swap}
        self._steps[where] = Step("make_stereo", *painter(used=self._care.still), tuple(sorted(told.items())))
        camera, focal = self.depth.intrinsics, self._focal_px
        fx = None if camera is None else camera.resized(self.picture.size).fx
        return replace(
            pair,
            source=self.picture.source,
            profile=self._views.profile,
            fov_x_deg=None if fx is None else 2 * math.degrees(math.atan(pair.size.width / 2 / fx)),
            baseline_m=None if focal is None else rig.gain_px / focal,
        )

    def _seen_twice(self, pair: StereoPair) -> StereoPair:
        """The pair's new view in the mean with that of the layers: two ways that err in different places."""
        import numpy as np

        from unflat.pipelines.eye import layered_view
        from unflat.stages.build_layers import LayerOptions

        assert self.depth.intrinsics is not None
        right = self.eyes.eye == "right"
        aside = (1 if right else -1) / self.depth.intrinsics.resized(self.picture.size).fx
        picture = replace(self.picture, pixels=self._views.pixels)
        other = layered_view(self.depth, picture, aside, LayerOptions(seam=1, threads=self._care.threads))
        name = "right" if right != self.eyes.swap else "left"
        if other.shape != getattr(pair, name).shape:
            return pair
        mean = np.rint((getattr(pair, name).astype(np.float32) + other) / 2).astype(np.uint8)
        return replace(pair, **{name: mean})

    def save(
        self, *paths: str | Path, force: bool = False, quality: int = 95, seal: SealOptions | None = None
    ) -> StereoResult:
        """Write the views; the layout of each file is that of the options, or what its name says.

        Args:
            *paths: ``x.jpg``, ``x.png`` …, ``x_LR.jpg`` (half side by side), ``x.mpo``, ``x.gif`` …
            force: Replace files that exist.
            quality: 1..100, of JPEG, WebP and AVIF.
            seal: Whether, and with what, the files are signed.

        Returns:
            Itself, so that calls can be chained.

        Raises:
            InputError: A name is of no format, or of one that the layout is not written to.
            OutputError: A file exists already, or cannot be written.
        """
        from unflat.formats.atomic import check_distinct, check_target

        if not 1 <= quality <= 100:
            raise InputError(f"the quality must be between 1 and 100, not {quality}")
        places = [place_of(Path(path), self.lay, self.eyes) for path in paths]
        files = [file for place in places for file in place.files]
        files += [beside for file in files for beside in seal_targets(file)]
        for file in files:
            check_target(file, force=force)
        check_distinct(files)
        for place in places:
            self._write(place, seal or SealOptions(), force=force, quality=quality)
        return self

    def _write(self, place: Place, seal: SealOptions, *, force: bool, quality: int) -> None:
        from unflat.formats.stereo_picture import Writing, keeps_cover, write_stereo, write_views

        pair = self._pair_for(place.layout)
        pack = None
        if place.layout in (*PACKED, Layout.ANAGLYPH):
            with self._clock.stage("lay out"):
                pack = lay_out(place.layout, pair.size, self.lay, pair.fov_x_deg)
        cover = self._cover if keeps_cover(place.path, place.layout) else None
        story = self._story(place.layout, pair)
        if seal.mark:
            story = with_mark(story)
            pair, cover = self._marked(pair, cover, place, pack, str(mark_in(story)))
        with self._clock.stage("write"), handed_out(place.path, story, seal, force=force) as out:
            how = Writing(out.story, pack, cover, quality, self.lay.wiggle_fps)
            if place.layout is None:
                number = 0 if self.eyes.eye == "left" else 1
                view = {out.path: (pair.left, pair.right)[number]}
                written = write_views(pair, view, how, cover=() if cover is None else (cover[number],))
            else:
                written, notes = write_stereo(pair, out.path, place.layout, how)
                for note in notes:
                    self._lineage.warn(f"{note[:1].upper()}{note[1:]}.")
        for note in out.notes:
            self._lineage.warn(note)
        self._outputs += [place.path.with_name(file.name) for file in written]
        self._layouts += [place.said] * len(written)

    def _marked(
        self, pair: StereoPair, cover: tuple[U8, U8] | None, place: Place, pack: Pack | None, words: str
    ) -> tuple[StereoPair, tuple[U8, U8] | None]:
        """Both views with the mark at one place, and what of them is opaque then."""
        from unflat.formats.video import fitted

        turns = place.layout is Layout.WIGGLE
        scale = fitted(place.path, pair.size).width / pair.size.width if turns else 1.0
        drawn = stamp_of(words, pair.size, pack, scale=scale)
        if cover is not None:
            cover = drawn.covering(cover[0]), drawn.covering(cover[1])
        return marked_pair(pair, drawn, place.layout), cover

    @cached_property
    def _cover(self) -> tuple[U8, U8] | None:
        """What of each view on a screen is opaque; None where the picture is not cut out."""
        import numpy as np

        if self.picture.alpha is None:
            return None
        alpha, care = np.repeat(self.picture.alpha[..., None], 3, 2), self._care._replace(still=False)
        moved = make_stereo(alpha, self.inverse, self.rig, self.eyes, care=care).pair
        return np.ascontiguousarray(moved.left[..., 0]), np.ascontiguousarray(moved.right[..., 0])

    def _pair_for(self, layout: Layout | None) -> StereoPair:
        """The views that a layout shows."""
        if layout is Layout.VR180:
            return self.around
        return self._with_depth if layout is Layout.RGBD else self.pair

    @cached_property
    def _with_depth(self) -> StereoPair:
        """The picture, and its depth in grey in the place of the right view."""
        import cv2
        import numpy as np

        size, views = self.picture.size, self._views
        grey = shown_depth(self.inverse, *self.reach)
        if grey.shape[:2] != size.shape:
            grey = np.asarray(cv2.resize(grey, (size.width, size.height), interpolation=cv2.INTER_LINEAR), np.uint8)
        return StereoPair(views.pixels, grey, source=self.picture.source, profile=views.profile)

    def _story(self, layout: Layout | None, pair: StereoPair) -> Provenance:
        """The story of one file: what all files share, how its views were seen, and how they lie in it."""
        shared = self._lineage.seal()
        made = {None: "screen", Layout.VR180: "sphere", Layout.RGBD: ""}.get(layout, "screen")
        told: dict[str, Any] = {"layout": layout.value if layout else f"{self.eyes.eye} eye"}
        told |= {"method": self.lay.anaglyph} if layout is Layout.ANAGLYPH else {}
        steps = [*([self._steps[made]] if made else []), Step("lay_out", options=tuple(sorted(told.items())))]
        invented = any(view is not None and bool(view.any()) for view in (pair.left_made, pair.right_made))
        return replace(shared, steps=(*shared.steps, *steps), invented=shared.invented or invented)

    @property
    def report(self) -> dict[str, Any]:
        """What the run says of itself, as plain values: the object that ``--json`` prints."""
        from unflat.formats.provenance_text import to_plain

        camera, confidence, scale = self.depth.intrinsics, self.depth.confidence, self.depth.scale
        story = self._lineage.seal()
        return {
            "outputs": [str(path) for path in self._outputs],
            "layouts": list(self._layouts),
            "seconds": {name: round(value, 4) for name, value in self._clock.seconds.items()},
            "peak_memory_mb": peak_memory_mb(),
            "size": str(self.picture.size),
            "eyes": {where: dict(step.options) for where, step in self._steps.items()},
            "out_percent": round(100 * self.pair.out_share, 3) if "screen" in self._steps else None,
            "in_percent": round(100 * self.pair.in_share, 3) if "screen" in self._steps else None,
            "kind": self.depth.kind.value,
            "model": self.depth.origin,
            "confidence": None if confidence is None else round(float(confidence[self.depth.surface].mean()), 4),
            "scale": None if scale is None else {"basis": scale.basis, "low": scale.low, "high": scale.high},
            "camera": camera and {"fov_x_deg": round(camera.fov_x_deg, 3), "basis": camera.basis},
            "forecast": plain(self._lineage.findings),
            "warnings": list(story.warnings),
            "provenance": to_plain(replace(story, steps=(*story.steps, *self._steps.values()))),
        }

    def __repr__(self) -> str:
        return f"StereoResult({self.picture.source.name}, {self.picture.size}, {self.depth!r})"


@dataclass(frozen=True, slots=True)
class Place:
    """An output, and what is written there.

    Attributes:
        path: As the user gave it.
        layout: How the two views lie in it; None is one view alone.
        files: What is written.
        said: The layout in words, with the reason where the user did not say it.
    """

    path: Path
    layout: Layout | None
    files: tuple[Path, ...]
    said: str


def place_of(path: Path, lay: LayoutOptions, eyes: StereoOptions) -> Place:
    """What is written to a path: the layout of the options, else of the name, else one eye alone or both side by side.

    Raises:
        InputError: A layout is not written to files of that name.
        MissingExtraError: It needs a package that is not installed.
    """
    from unflat.formats.image import check_suffix
    from unflat.formats.stereo_picture import check_place, layout_in_name, targets

    named = layout_in_name(path)
    layout = Layout(lay.layout) if lay.layout is not None else named
    if layout is None and eyes.eye != "both":
        if eyes.swap:
            raise InputError(f"{path.name} holds one view: there is nothing to swap", hint="Leave out --swap.")
        check_suffix(path)
        return Place(path, None, (path,), f"{eyes.eye} eye")
    layout = layout or Layout.FULL_SBS
    check_place(path, layout)
    why = " (its name says so)" if lay.layout is None and named is not None else ""
    if named not in (None, layout):
        why = f" (players will take it for {named.value}: its name says so)"
    return Place(path, layout, targets(path, layout), layout.value + why)


def default_place(picture: Path, lay: LayoutOptions, eyes: StereoOptions) -> Path:
    """Where the result goes when the user did not say: beside the picture, under a name that players know."""
    from unflat.formats.stereo_picture import default_name

    if lay.layout is None and eyes.eye != "both":
        return picture.with_name(f"{picture.stem}_{eyes.eye}.png")
    layout = Layout(lay.layout or Layout.FULL_SBS)
    return picture.with_name(default_name(layout, picture.stem, lay.anaglyph if layout is Layout.ANAGLYPH else ""))

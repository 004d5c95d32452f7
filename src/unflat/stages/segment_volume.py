"""Volume -> tissues, without a network: ranges of values, the body without its table, pieces, hollows and seeds.

In Hounsfield units a preset says which values a tissue has; a magnetic resonance scan has no such unit, so its outside
is found by a threshold of its own, after what its coils made too bright has been taken out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry import components, morphology
from unflat.geometry.bias import bias_of, otsu, spread_to
from unflat.geometry.bits import Packed, packed, size_of, unpacked
from unflat.geometry.marching import Limits
from unflat.geometry.roughness import roughness
from unflat.stages.crop_volume import cropped
from unflat.stages.tissues import KINDS, PLAIN, SHEER, Box, Kind, Presets, Seeds, Span, Tissue
from unflat.types.scene import Finish
from unflat.types.volume import Volume

_AIR = -400.0
"""What is less, in HU, is not body."""
_TABLE_M = 0.004
"""Half the thickness of what a body is parted from: tables, blankets, tubes."""
_LIMB = 0.02
"""Pieces of at least this share of the largest are body, too: arms, legs."""
_LUNG_HU = (-940.0, -550.0)
"""The median of a lung: gas in the bowels is emptier, what is between clothes fuller."""
_HARD_HU = 400.0
"""Every piece of bone is somewhere as dense as this."""
_BONE_CORE_HU = 450.0
_BONE_REACH_M = 0.006
_ROUGH = 2.5
"""So many times as rough as soft tissue no blood is."""
_SPONGE_M = 0.012
"""Half the width of the gaps in a cortex that thick slices leave."""
_RIM_M = 0.003
"""Half values at the skin look like fat and muscle; so thick a rim is left out of both."""
_NOISE = 3.5
"""The noise of air, whose size is what is left of two, hardly ever exceeds so many of its medians (Rayleigh)."""
_AIRLESS = 0.05
"""A scan with less air than this share lies inside the body."""
_MOST_LABELS, _EVEN = 65535, 0.7
"""So many neighbouring voxels of the parts of a label map are alike; noise makes measured ones differ."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """What is taken out of a scan, and how."""

    preset: Presets | None = None
    """Tissues by name, several with commas: bone skin lung muscle fat vessels teeth (without it: bone of a CT, the
    outside of anything else). All but skin are ranges of Hounsfield units."""
    threshold: Span | None = None
    """Take what lies between two values instead: 300, or 100..300, in the unit of the scan."""
    keep: Literal["auto", "largest", "all"] = "auto"
    """Which loose pieces stay: auto leaves out specks, largest keeps one piece, all keeps everything."""
    seed: Seeds | None = None
    """Only the pieces that hold one of these voxels: COLUMN,ROW,SLICE;COLUMN,ROW,SLICE."""
    roi: Box | None = None
    """Only this part of the voxels: COLUMNS,ROWS,SLICES such as 100:300,80:260,0:40."""
    fill: bool = False
    """Fill hollows that are enclosed on all sides, such as marrow: fewer triangles, nothing loose inside a print."""
    table: Literal["auto", "keep"] = "auto"
    """Whether what the patient lies on is taken out of a CT."""

    def __post_init__(self) -> None:
        if self.preset is not None and self.threshold is not None:
            raise InputError("--preset and --threshold exclude each other", hint="A threshold is a preset of your own.")


class Segmented(NamedTuple):
    """What was found.

    Attributes:
        volume: The scan, or the part of it that was asked for.
        tissues: In the order that they were asked for; those inside come before the skin.
        notes: What the user should know.
    """

    volume: Volume
    tissues: tuple[Tissue, ...]
    notes: tuple[str, ...]


def segment_volume(volume: Volume, options: SegmentOptions | None = None) -> Segmented:
    """Find tissues in a scan.

    Args:
        volume: Any; presets but skin need Hounsfield units.
        options: What is wanted.

    Raises:
        InputError: A preset needs Hounsfield units, the region or a seed lies outside, or nothing is left.
    """
    options = options or SegmentOptions()
    if options.roi is not None:
        volume, options = cropped(volume, options.roi), _moved_seeds(options)
    _check_seeds(volume, options.seed)
    finder = _Finder(volume, options)
    if options.threshold is not None:
        tissues = [finder.between(options.threshold)]
    elif volume.quantity == "hu":
        tissues = [finder.preset(name) for name in (options.preset or Presets(("bone",))).names]
    else:
        return _outside(volume, options)
    found = [tissue for tissue in tissues if tissue is not None]
    if not found:
        asked = " or ".join(options.preset.names) if options.preset else "bone" if options.threshold is None else "part"
        raise InputError(f"no {asked} in this scan", hint="Other --preset or --threshold values find others.")
    return Segmented(volume, _ordered(found), tuple(finder.notes))


def looks_drawn(volume: Volume) -> bool:
    """Whether a volume is a label map rather than a measurement: whole numbers in large even patches, much of it 0."""
    values = volume.values
    if not np.issubdtype(values.dtype, np.integer) or int(values.min()) < 0 or int(values.max()) > _MOST_LABELS:
        return False
    if not (values == 0).any() or not values.any():
        return False
    if int(values.max()) == 1:
        return True
    ahead, here = values[:, :, 1:], values[:, :, :-1]
    some = here > 0
    return float((ahead == here)[some].mean()) > _EVEN


def _moved_seeds(options: SegmentOptions) -> SegmentOptions:
    """Seeds are told in voxels of the whole scan."""
    box = options.roi
    if options.seed is None or box is None:
        return options
    first = (box.columns[0], box.rows[0], box.slices[0])
    moved = tuple((i - first[0], j - first[1], k - first[2]) for i, j, k in options.seed.voxels)
    return replace(options, seed=Seeds(moved))


def _check_seeds(volume: Volume, seeds: Seeds | None) -> None:
    d, h, w = volume.grid.shape
    for i, j, k in () if seeds is None else seeds.voxels:
        if not (0 <= i < w and 0 <= j < h and 0 <= k < d):
            raise InputError(
                "a --seed lies outside the part of the scan that is looked at", hint="Counting begins at 0."
            )


def _ordered(tissues: list[Tissue]) -> tuple[Tissue, ...]:
    """Skin last and sheer where it covers others."""
    if len(tissues) == 1:
        return tuple(tissues)
    sheer = [
        one._replace(finish=Finish(one.finish.color, SHEER)) if one.name == KINDS["skin"].title else one
        for one in tissues
    ]
    return tuple(sorted(sheer, key=lambda one: one.name == KINDS["skin"].title))


def _edge(values: NDArray[np.generic], limit: float, outward: float) -> float:
    """A limit between two whole numbers, so that no voxel lies exactly on the surface."""
    if not np.issubdtype(values.dtype, np.integer) or not math.isfinite(limit):
        return limit
    return math.ceil(limit) - 0.5 if outward < 0 else math.floor(limit) + 0.5


class _Finder:
    """Finds tissues in one scan; what several of them need is found once."""

    def __init__(self, volume: Volume, options: SegmentOptions) -> None:
        self.volume, self.options = volume, options
        self.notes: list[str] = []
        self._body: Packed | None = None

    def body(self) -> Packed:
        """The patient without the table: filled, hollows and lungs included."""
        if self._body is None:
            if self.options.table == "keep":
                self._body = components.filled(self._inside(Limits(_AIR, math.inf)), lids=True)
            else:
                self._body = body_of(self._inside(Limits(_AIR, math.inf)), self.volume.grid.spacing)
        return self._body

    def between(self, span: Span) -> Tissue | None:
        """What a threshold of the user's own finds; there the table stays, for it was not said what is looked for."""
        limits = self._limits(span.low, span.high)
        return self.tissue("part", self._inside(limits), limits, PLAIN, 0.0)

    def preset(self, name: str) -> Tissue | None:
        """A tissue by its name; None, with a note, where there is none."""
        kind = KINDS[name]
        limits = self._limits(kind.low, kind.high)
        finders: dict[str, Callable[[Limits], Packed]] = {
            "skin": lambda _: self.body(),
            "bone": self._bone,
            "lung": self._lung,
            "vessels": self._vessels,
            "muscle": self._soft,
            "fat": self._soft,
        }
        bits = finders.get(name, self._hard)(limits)
        tissue = self.tissue(kind.title, bits, limits, kind.finish, kind.least_ml)
        if tissue is None:
            plain = "without contrast medium they have the values of muscle"
            why = plain if name == "vessels" else f"nothing of it lies between {_words(kind)}"
            self.notes.append(f"no {name} in this scan: {why}")
        return tissue

    def tissue(self, name: str, bits: Packed, limits: Limits, finish: Finish, least_ml: float) -> Tissue | None:
        """Keep the pieces that are wanted, and fill their hollows if they are to be filled."""
        options = self.options
        if options.seed is not None:
            bits = components.holding(bits, np.array(options.seed.voxels, np.int64))
        elif options.keep == "largest":
            bits = components.largest(bits)
        elif options.keep == "auto":
            bits = components.at_least(bits, max(1, math.ceil(least_ml * 1e-6 / self.volume.grid.voxel_m3)))
        if options.fill:
            bits = components.filled(bits)
        return Tissue(name, bits, self.volume.values, self.volume.grid, limits, finish) if size_of(bits) else None

    def _limits(self, low: float, high: float) -> Limits:
        return Limits(_edge(self.volume.values, low, -1), _edge(self.volume.values, high, 1))

    def _inside(self, limits: Limits) -> Packed:
        values = self.volume.values
        return packed(values.shape, lambda k: (values[k] >= limits.low) & (values[k] <= limits.high))

    def _steps(self, metres: float) -> morphology.Steps:
        return morphology.steps_of(metres, self.volume.grid.spacing)

    def _hard(self, limits: Limits) -> Packed:
        return morphology.both(self._inside(limits), self.body())

    def _bone(self, limits: Limits) -> Packed:
        """Pieces that are as hard as bone somewhere: contrast medium seldom is."""
        bits = self._hard(limits)
        return components.meeting(bits, self._inside(Limits(_HARD_HU, math.inf)))

    def _lung(self, limits: Limits) -> Packed:
        """Air inside the body that is as full as lungs are."""
        bits = morphology.both(self._inside(limits), self.body())
        pieces = components.pieces_of(bits)
        least = KINDS["lung"].least_ml * 1e-6 / self.volume.grid.voxel_m3
        lungs = np.zeros(len(pieces.sizes), np.bool_)
        for piece in np.flatnonzero(pieces.sizes >= least):
            one = components.only(bits, pieces, np.arange(len(lungs)) == piece)
            lungs[piece] = _LUNG_HU[0] <= self._median(morphology.shrunk(one, (1, 1, 1))) <= _LUNG_HU[1]
        return components.only(bits, pieces, lungs)

    def _median(self, bits: Packed) -> float:
        """Of the values inside; infinite where there are none."""
        some = [self.volume.values[k][unpacked(bits, k)] for k in range(bits.shape[0]) if bits.words[k + 1].any()]
        return float(np.median(np.concatenate(some))) if some else math.inf

    def _soft(self, limits: Limits) -> Packed:
        """A range in the middle: without the rims of other tissues, which have the same values in passing."""
        inner = morphology.shrunk(self.body(), self._steps(_RIM_M))
        return morphology.opened(morphology.both(self._inside(limits), inner), (1, 1, 0))

    def _vessels(self, limits: Limits) -> Packed:
        """Bright, but neither bone, nor the spongy inside of bone, nor next to either."""
        bright = self._hard(limits)
        core = components.at_least(self._hard(Limits(_BONE_CORE_HU, math.inf)), 3)
        dense = self._hard(Limits(limits.low, math.inf))
        cortex = morphology.both(morphology.grown(core, self._steps(_BONE_REACH_M)), dense)
        bone = components.filled_slices(morphology.closed(cortex, self._steps(_SPONGE_M)))
        free = morphology.without(bright, morphology.grown(bone, self._steps(_BONE_REACH_M)))
        least = math.ceil(KINDS["vessels"].least_ml * 1e-6 / self.volume.grid.voxel_m3)
        free = components.at_least(morphology.opened(free, (1, 1, 0)), least)
        self.notes.append(
            f"vessels need contrast medium; what is brighter than {_BONE_CORE_HU:g} HU counts as bone, and those "
            "that run along a bone lose that side: --threshold with --seed picks single ones"
        )
        near = morphology.grown(free, self._steps(_BONE_REACH_M))
        found = morphology.both(morphology.without(bright, bone), near)
        return self._even(components.at_least(found, least))

    def _even(self, bits: Packed) -> Packed:
        """Pieces that are as even inside as soft tissue is, as blood is; what is left of spongy bone is rough.

        Pieces too thin to have an inside stay where a thicker one was found to be blood.
        """
        values = self.volume.values
        soft = self._hard(self._limits(KINDS["muscle"].low, KINDS["muscle"].high))
        noise = roughness(values, morphology.shrunk(soft, (2, 2, 2)))
        pieces = components.pieces_of(bits)
        rough = np.zeros(len(pieces.sizes))
        for piece in np.flatnonzero(pieces.sizes):
            one = components.only(bits, pieces, np.arange(len(rough)) == piece)
            rough[piece] = roughness(values, morphology.core(one))
        blood = (rough > 0) & (rough <= _ROUGH * noise)
        return components.only(bits, pieces, blood | ((rough == 0) & blood.any()))


def body_of(matter: Packed, spacing: tuple[float, float, float]) -> Packed:
    """The patient: what is thick, without what it lies on, hollows filled.

    Args:
        matter: All voxels that are not air.
        spacing: Metres of a voxel along columns, rows and slices.
    """
    steps = morphology.steps_of(_TABLE_M, spacing)
    thick = morphology.opened(components.filled(matter, lids=True), steps)
    pieces = components.pieces_of(thick)
    if not len(pieces.sizes):
        return matter
    limbs = components.only(thick, pieces, pieces.sizes >= _LIMB * pieces.sizes.max())
    near = morphology.grown(limbs, (1, 1, 1))
    return components.filled(components.meeting(morphology.both(matter, near), limbs), lids=True)


def _words(kind: Kind) -> str:
    if math.isinf(kind.high):
        return f"{kind.low:g} HU and more"
    return f"{kind.high:g} HU and less" if math.isinf(kind.low) else f"{kind.low:g} and {kind.high:g} HU"


def _outside(volume: Volume, options: SegmentOptions) -> Segmented:
    """The outer surface of a scan whose numbers mean nothing by themselves.

    Raises:
        InputError: Something else than skin was asked for, or there is nothing.
    """
    names = options.preset.names if options.preset else ("skin",)
    if names != ("skin",):
        raise InputError(
            f"{next(n for n in names if n != 'skin')} is a range of Hounsfield units, and this scan is no CT",
            hint="Give --threshold in the scan's own numbers, --labels, or --preset skin.",
        )
    if volume.values.min() == volume.values.max():
        raise InputError("every voxel of this scan has the same value", hint="There is nothing to see in it.")
    even = _evened(volume)
    level = threshold_of(even.values)
    limits = Limits(level, math.inf)
    values = even.values
    inside = packed(values.shape, lambda k: values[k] >= level)
    if options.keep == "auto":
        across = morphology.steps_of(_TABLE_M, volume.grid.spacing)[:2]
        bridged = morphology.closed(inside, (*across, 0))
        inside = body_of(components.filled_slices(bridged), volume.grid.spacing)
    tissue = _Finder(even, options).tissue(KINDS["skin"].title, inside, limits, KINDS["skin"].finish, 0.0)
    if tissue is None:
        raise InputError("there is nothing in this scan but noise", hint="Give --threshold in the scan's own numbers.")
    note = f"the threshold was chosen by the scan itself: {level + min(float(volume.values.min()), 0):.4g}"
    return Segmented(volume, (tissue,), (note,))


def _evened(volume: Volume) -> Volume:
    """The scan without what its coils made too bright, float32, its least value 0 where it was less."""
    field, least = bias_of(volume.values, volume.grid.spacing), min(float(volume.values.min()), 0.0)
    values = np.empty(volume.values.shape, np.float32)
    for k in range(len(values)):
        values[k] = (volume.values[k].astype(np.float32) - least) / spread_to(field, volume.grid.shape, k)
    return replace(volume, values=values)


def threshold_of(values: NDArray[np.float32]) -> float:
    """Where a scan's own air ends: what parts the darker of its two heaps once more.

    The brighter heap is fat or whatever the sequence shows best; skin, brain and air are in the other one. A scan that
    shows no air, for it lies wholly inside the body, is parted once.
    """
    step = max(1, round((values.size / 2e6) ** (1 / 3)))
    sample = values[::step, ::step, ::step].ravel()
    bright = otsu(sample)
    darker = sample[sample < bright]
    if not len(darker):
        return bright
    air = min(max(otsu(darker), _NOISE * float(np.median(darker))), bright)
    return bright if (sample < air).mean() < _AIRLESS else air

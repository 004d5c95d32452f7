"""Stills -> cameras and points: the door of structure from motion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import side_by_side
from unflat.models.views.features import Features, features_of
from unflat.models.views.focal import voted_focals
from unflat.models.views.judge import lost_ones, no_model, no_parallax, notes_of, too_few
from unflat.models.views.likeness import likeness
from unflat.models.views.mapper import Mapper
from unflat.models.views.match import FEWEST, Match
from unflat.models.views.matches import EASY, RATIO, matches_of
from unflat.models.views.options import ViewsOptions
from unflat.models.views.outcome import outcome
from unflat.models.views.partners import more_partners, partners
from unflat.models.views.placement import Material, Placed
from unflat.types.views import Lens, Reconstruction, Still, Stills

_WORTH = 4
"""A model of so many pictures has measured its lens well enough to begin again with it."""
Progress = Callable[[str], None]


def _silent(_told: str) -> None:
    """The progress nobody watches."""


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Pictures, how they were compared and what came of it."""

    stills: Sequence[Still]
    features: Sequence[Features]
    likeness: NDArray[np.int32]
    matches: list[Match]

    def matches_of(self, pairs: Sequence[tuple[int, int]], ratio: float = RATIO) -> list[Match]:
        return matches_of(self.features, pairs, [still.size.long_side for still in self.stills], ratio)


def reconstruct(stills: Stills, options: ViewsOptions, progress: Progress = _silent) -> Reconstruction:
    """Find where the cameras of a set stand.

    Args:
        stills: Two or more pictures of one place. Each is read once; masks are heeded.
        options: How they are compared.
        progress: Told what is going on.

    Returns:
        The largest set of pictures that fit together, in the axes of its first view, with a free unit. The others are
        in ``lost``, with the reason.

    Raises:
        InputError: Nothing can be placed: too few pictures, blank ones, no overlap, no parallax. The hint says what to
            shoot again.
    """
    items = stills.items
    too_few(items)

    def told(count: int) -> None:
        progress(f"placing cameras: {count} of {len(items)}")

    with Mapper() as mapper:
        compared = _compared(stills, options, progress)
        features, matches = compared.features, compared.matches
        no_parallax(matches)
        material = Material.of(items, features, matches, options.seed, voted_focals(matches, items))
        models, matches = _models(compared, material, mapper, told) if matches else ([], matches)
        ways = mapper.notes
    if not models:
        raise no_model(items, features, matches)
    placed = set(models[0].pictures)
    others = [other for model in models[1:] if len(other := set(model.pictures) - placed) > 1]
    lost = lost_ones(items, features, matches, placed, others)
    return outcome(models[0], items, features, lost, notes_of(items, placed, others, matches) + ways)


def _compared(stills: Stills, options: ViewsOptions, progress: Progress) -> _Compared:
    """Features of all pictures, and what any two worth comparing have in common."""
    items = stills.items
    features: list[Features] = []
    for found in side_by_side(lambda still: features_of(still, options), items):
        features.append(found)
        progress(f"looking for features: picture {len(features)} of {len(items)}")
    progress("comparing pictures")
    alike = likeness(features)
    pairs = partners(alike, ordered=stills.ordered)
    compared = _Compared(items, features, alike, [])
    return replace(compared, matches=compared.matches_of(pairs))


def _models(
    compared: _Compared, material: Material, mapper: Mapper, told: Callable[[int], None]
) -> tuple[list[Placed], list[Match]]:
    """All models, the largest first, and all matches.

    Where it lacks pictures, these are compared with more of the others and less strictly, and the lens that it has
    measured gets a try.
    """
    models = mapper.models(material, told)
    if not models or not _WORTH <= len(models[0].pictures) < len(material.taken):
        return models, compared.matches
    best = models[0]
    missing = {n for n, one in enumerate(material.taken) if len(one.xy) >= FEWEST} - set(best.pictures)
    if not missing:
        return models, compared.matches
    more = compared.matches_of(more_partners(compared.likeness, missing), EASY)
    measured = {
        material.taken[number].camera: _simple(lens) for number, lens in zip(best.pictures, best.lenses, strict=True)
    }
    taken = [
        replace(one, lens=measured[one.camera].resized(one.size)) if one.camera in measured else one
        for one in material.taken
    ]
    both = {(m.first, m.second): m for m in sorted([*material.matches, *more], key=lambda m: len(m.rows))}
    matches = [both[pair] for pair in sorted(both)]
    again = mapper.models(replace(material, taken=taken, matches=matches, largest_only=True), told)
    if again and len(again[0].pictures) > len(best.pictures):
        return [again[0], *again[1:], *models[1:]], matches
    return models, matches


def _simple(lens: Lens) -> Lens:
    """A lens with one number of distortion that does about the same: mapping begins with as little as that."""
    pin = lens.intrinsics
    focal = float(np.sqrt(pin.fx * pin.fy))
    about = (0.35 * float(np.hypot(*pin.size.shape)) / focal) ** 2
    return Lens(replace(pin, fx=focal, fy=focal), lens.k1 + lens.k2 * about)

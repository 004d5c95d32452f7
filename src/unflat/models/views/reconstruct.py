"""Stills -> cameras and points: the door of structure from motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from unflat.errors import UnflatError
from unflat.geometry.bands import side_by_side
from unflat.models.views.features import features_of
from unflat.models.views.focal import voted_focal
from unflat.models.views.judge import lost_ones, no_model, no_parallax, too_few
from unflat.models.views.mapping import UNKNOWN_FOCAL, Material, models_of, refine_lenses
from unflat.models.views.matches import likeness, matches_of
from unflat.models.views.options import ViewsOptions
from unflat.models.views.outcome import lens_of, outcome
from unflat.models.views.partners import partners
from unflat.types.views import Lens, Reconstruction, Stills

_WORTH = 4
"""A model of so many pictures has measured its lens well enough to begin again with it."""
Progress = Callable[[str], None]


def _silent(_told: str) -> None:
    """The progress nobody watches."""


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
    features = []
    for found in side_by_side(lambda still: features_of(still, options), items):
        features.append(found)
        progress(f"looking for features: picture {len(features)} of {len(items)}")
    progress("comparing pictures")
    pairs = partners(likeness(features), ordered=stills.ordered)
    matches = matches_of(features, pairs, [still.size.long_side for still in items])
    no_parallax(matches)
    focal = voted_focal(matches, [still.size for still in items]) or UNKNOWN_FOCAL
    material = Material(items, features, matches, options.seed, focal)

    def told(count: int) -> None:
        progress(f"placing cameras: {count} of {len(items)}")

    try:
        models = _models(material, told) if matches else []
    except (RuntimeError, ValueError) as error:
        raise UnflatError(f"structure from motion failed: {str(error).splitlines()[0]}") from error
    if not models:
        raise no_model(items, features, matches)
    placed = [{int(i) - 1 for i in model.reg_image_ids()} for model in models]
    others = [other - placed[0] for other in placed[1:] if len(other - placed[0]) > 1]
    lost = lost_ones(items, features, matches, placed[0], others)
    notes: tuple[str, ...] = ()
    if lost:
        notes = (f"{len(placed[0])} of {len(items)} pictures found their place",)
    if others:
        sizes = ", ".join(str(len(other)) for other in others)
        notes += (f"the set shows more than one place; {sizes} pictures belong elsewhere",)
    return outcome(models[0], items, features, lost, notes)


def _models(material: Material, told: Callable[[int], None]) -> list[Any]:
    """All models, the largest first and refined; where it lacks pictures, the lens that it has measured gets a try."""
    models = models_of(material, told)
    if not models:
        return models
    best = models[0]
    if _WORTH <= best.num_reg_images() < len(material.stills):
        lenses: dict[str, Lens] = {}
        for number in sorted(best.reg_image_ids()):
            still, camera = material.stills[int(number) - 1], best.image(number).camera
            lenses[still.camera] = lens_of(camera)
        again = models_of(replace(material, lenses=lenses), told) if lenses else []
        if again and again[0].num_reg_images() > best.num_reg_images():
            models = again
    refine_lenses(models[0])
    return models

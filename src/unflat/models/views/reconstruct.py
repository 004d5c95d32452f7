"""Stills -> cameras and points: the door of structure from motion."""

from __future__ import annotations

from collections.abc import Callable

from unflat.errors import UnflatError
from unflat.geometry.bands import side_by_side
from unflat.models.views.features import features_of
from unflat.models.views.judge import lost_ones, no_model, no_parallax, too_few
from unflat.models.views.mapping import Material, models_of
from unflat.models.views.matches import likeness, matches_of
from unflat.models.views.options import ViewsOptions
from unflat.models.views.outcome import outcome
from unflat.models.views.partners import partners
from unflat.types.views import Reconstruction, Stills

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
    material = Material(items, features, matches, options.seed)

    def told(count: int) -> None:
        progress(f"placing cameras: {count} of {len(items)}")

    try:
        models = models_of(material, told) if matches else []
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

"""Faces in scans: a head is known by its shape, and its face is taken off unless somebody said by which leave it stays.

Stricter than for photographs, which go on with a notice: nobody who has a scan taken means their face to be shown.
"""

from __future__ import annotations

from dataclasses import replace

from unflat.errors import InputError
from unflat.pipelines.people import LeaveOptions
from unflat.stages.deface import Shears, shears_if_head, shears_of
from unflat.stages.segment_volume import SegmentOptions
from unflat.trust.lineage import Lineage
from unflat.trust.people import PeopleOptions, decide
from unflat.types.image import Size
from unflat.types.people import People, Sighting
from unflat.types.provenance import Likeness
from unflat.types.volume import Volume

FINDER = "the outline of the scan"
_INSIDE = frozenset({"bone", "teeth", "lung", "vessels"})
_BONE_HU = 150.0
"""From there on skin is left out."""
_FACE = People(Size(1, 1), (Sighting("face", 0, 0, 1, 1),))


def shows_skin(volume: Volume, options: SegmentOptions, *, labelled: bool) -> bool:
    """Whether the surfaces that are asked for could show a face: all but bone, teeth, lungs and vessels of CT."""
    if labelled or volume.quantity != "hu":
        return True
    if options.threshold is not None:
        return options.threshold.low < _BONE_HU
    return options.preset is not None and not _INSIDE.issuperset(options.preset.names)


def face_of(volume: Volume, leave: LeaveOptions, lineage: Lineage, *, forced: bool, placed: bool) -> Shears | None:
    """Where the face of a scan is to be cut off; None where there is none, or where it may stay. Noted in the lineage.

    Args:
        volume: The scan.
        leave: What the user says of people.
        lineage: Of the run.
        forced: The face goes in any case.
        placed: The scan tells how the patient lay.

    Raises:
        InputError: The face was to go, and there is no head or nobody knows where its front is.
        ConsentError: It may not be shown.
    """
    from unflat.formats.consent_file import find, today

    people = leave.people
    if not placed:
        if forced or people.people in ("blur", "remove", "refuse"):
            raise InputError(
                f"{'--deface' if forced else '--people'} has to know where the front is, and this scan does not tell "
                "how the patient lay",
                hint="Give the files that the scanner wrote; nothing was made.",
            )
        lineage.likeness = Likeness(0, 0, "kept", people.basis or "unstated", (), f"nobody looked: {_UNTOLD}")
        lineage.warn(f"Nobody looked whether it shows a face: {_UNTOLD}. Look yourself before you show it to others.")
        return None
    shears = shears_of(volume) if forced else shears_if_head(volume)
    told = PeopleOptions("remove", people.basis, people.consent, people.children) if forced else _stricter(people)
    records = [find(word) for word in people.consent]
    found = _FACE if shears is not None else People(Size(1, 1))
    decision = decide(found, told, records, FINDER, name="the scan", day=today())
    lineage.likeness = decision.likeness
    if decision.redact is None:
        return None
    if not forced:
        lineage.warn(
            "This scan shows a head: its face was taken off before anything of skin was made. To keep it, say by which "
            "leave: --people allow with --basis or --consent."
        )
    return shears


_UNTOLD = "the scan does not tell how the patient lay"


def _stricter(people: PeopleOptions) -> PeopleOptions:
    """A face of which nobody said anything goes; nothing is blurred in a scan, but taken off."""
    unstated = people.people == "ask" and people.basis is None and not people.consent
    children = people.children and people.people in ("ask", "allow") and not people.consent
    return replace(people, people="remove") if unstated or children or people.people == "blur" else people

"""What a result is called where machines and people look: the IPTC's source type, and a label in words.

Source: IPTC NewsCodes, scheme digitalsourcetype (2024-09-17). ``compositeWithTrainedAlgorithmicMedia`` is media that
generative AI modified or added to, ``compositeCapture`` is made of captured elements alone, ``computationalCapture`` of
several frames of one capture, ``algorithmicallyEnhanced`` was changed by an algorithm without changing its content,
``algorithmicMedia`` was made by an algorithm that learned nothing, ``dataDrivenMedia`` shows data.
"""

from __future__ import annotations

from typing import Final, Literal

from unflat.trust.rights import is_trained
from unflat.types.provenance import Provenance

SCHEME: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI_LABEL: Final = "AI-generated 3D"
COMPUTED_LABEL: Final = "computed 3D"

SourceType = Literal[
    "compositeWithTrainedAlgorithmicMedia",
    "compositeCapture",
    "computationalCapture",
    "algorithmicallyEnhanced",
    "algorithmicMedia",
    "dataDrivenMedia",
]
_MEASURED = frozenset({"segment", "labels", "deface", "surface"})
_DRAWN = frozenset({"inflate_diagram"})
_MANY = frozenset({"track_cameras", "fuse_frames", "dense_depth", "hull"})


def has_trained(provenance: Provenance) -> bool:
    """Whether a trained network made or filled anything of a result."""
    return any(is_trained(step) for step in provenance.steps)


def source_type(provenance: Provenance) -> str:
    """The address of the source type that a result truly has.

    With a trained network: composite with trained algorithmic media, for shapes and what stands behind outlines are
    its work, and colours are the source's. Without one: data driven (slices of a scan), algorithmic (a diagram, whose
    solids a rule made up), computational capture (many pictures of one place, triangulated), composite capture (made
    of several sources otherwise), else algorithmically enhanced.
    """
    return SCHEME + _word(provenance)


def _word(provenance: Provenance) -> SourceType:
    if has_trained(provenance):
        return "compositeWithTrainedAlgorithmicMedia"
    done = {step.name for step in provenance.steps}
    if done & _DRAWN:
        return "algorithmicMedia"
    if done & _MANY:
        return "computationalCapture"
    if done & _MEASURED:
        return "dataDrivenMedia"
    return "compositeCapture" if len(provenance.sources) > 1 else "algorithmicallyEnhanced"


def label_text(provenance: Provenance) -> str:
    """The label in words: :data:`AI_LABEL` where a trained network took part, else :data:`COMPUTED_LABEL`."""
    return AI_LABEL if has_trained(provenance) else COMPUTED_LABEL

"""Where the pins of a model stand that were told by the node alone, or by a voxel."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32
from unflat.types.mesh import Mesh
from unflat.types.scene import Node

_ASIDE = 2.0
"""A place so much farther aside counts as much as one farther in front."""


def front_of(node: Node) -> tuple[float, float, float]:
    """The place on a node's surface that a pin from the front would touch: near its middle, towards the front.

    Args:
        node: A mesh in LPS metres.
    """
    assert isinstance(node.item, Mesh)
    vertices: F32 = node.item.vertices
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    off = vertices - middle
    score = -off[:, 1] - _ASIDE * np.hypot(off[:, 0], off[:, 2])
    x, y, z = vertices[int(np.argmax(score))].tolist()
    return x, y, z

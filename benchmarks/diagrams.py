"""Ten cells and organisms drawn by program: are all regions found, nested as drawn, closed, and their labels pinned?

    python -m benchmarks.diagrams [--solids]

Each is drawn in outlines, filled, flat, and flat with paper-white outlines, printed and scanned. Cells that touch have
alternating shades, since without a line, a gap or another shade nobody could tell them apart. A row says how many
regions were found of those drawn, whether they lie in each other as drawn, how many labels point at the region they
name, and with ``--solids``, for all that are printed, how many nodes are watertight (trimesh), manifold (manifold3d),
and seen from the front within the solid that holds them, and whether no two go through each other.
"""

from __future__ import annotations

import sys
import time

import manifold3d
import numpy as np
import trimesh
from tests import drawn_cells

import unflat
from unflat.formats.solid import check_solid
from unflat.pipelines.diagram import DiagramResult
from unflat.stages.read_diagram import ReadOptions, read_diagram
from unflat.types.diagram import Diagram
from unflat.types.image import Image
from unflat.types.mesh import Mesh

_OUT = 0.01
"""So much of a solid's shadow may lie outside of that of the solid that holds it."""


def main() -> None:
    """Print the table."""
    solids = "--solids" in sys.argv[1:]
    right, all_of = 0, 0
    for draw in drawn_cells.ALL:
        for look in ("lines", "filled", "flat", "gaps"):
            for scan in (False, True):
                drawing = draw()
                printed = drawn_cells.printed(drawing, look)
                picture = drawn_cells.scanned(printed.picture, tilt_deg=0, scale=1) if scan else printed.picture
                began = time.process_time()
                diagram = read_diagram(Image(picture), ReadOptions())
                seconds = time.process_time() - began
                tree, pointed = judged(diagram, drawing, printed)
                good = tree and pointed == len(printed.tips)
                right, all_of = right + good, all_of + 1
                found = sum(not region.line for region in diagram.regions)
                how = "scanned" if scan else "printed"
                row = f"{drawing.title:15} {look:7} {how:8} {found:3} of {len(drawing.parts):3}"
                row += f"  nested {'yes' if tree else 'NO '}  labels {pointed} of {len(printed.tips)}  {seconds:.1f} s"
                if solids and not scan:
                    row += f"  {solids_of(picture)}"
                print(row, flush=True)
    print(f"{right} of {all_of} as drawn")


def judged(diagram: Diagram, drawing: drawn_cells.Drawing, printed: drawn_cells.Printed) -> tuple[bool, int]:
    """Whether regions lie in each other as drawn, and how many labels point at what they name."""
    insides = {region.number: np.asarray(diagram.inside(region.number)) for region in diagram.regions}
    names: dict[int | None, str | None] = {None: None, **{r.number: r.name for r in diagram.regions}}
    for number, name in drawn_cells.matched(drawing, insides).items():
        names[number] = name
    tree = {names[r.number]: names[r.parent] for r in diagram.regions if not r.line}
    captions = [caption for caption in diagram.captions if caption.region is not None]
    meant = [name for _, _, name in printed.tips]
    pointed = sum(names[caption.region] == name for caption, name in zip(captions, meant, strict=False))
    return tree == drawing.tree, pointed


def solids_of(picture: np.ndarray) -> str:
    """How many nodes trimesh and manifold3d find closed, and whether they lie in each other and apart as designed."""
    result = unflat.photo(picture, style="diagram")
    assert isinstance(result, DiagramResult)
    tight, solids = 0, {}
    for node, region in zip(result.nodes, result.diagram.regions, strict=True):
        assert isinstance(node.item, Mesh)
        check_solid(node.item, node.name)
        seen = trimesh.Trimesh(node.item.vertices, node.item.faces, process=False)
        tight += bool(seen.is_watertight and seen.is_winding_consistent and seen.volume > 0)
        solids[region.number] = manifold3d.Manifold(manifold3d.Mesh(node.item.vertices.copy(), node.item.faces.copy()))
    sound = sum(solid.status() == manifold3d.Error.NoError for solid in solids.values())
    united = manifold3d.Manifold.batch_boolean(list(solids.values()), manifold3d.OpType.Add).volume()
    apart = abs(united / sum(solid.volume() for solid in solids.values()) - 1) < 1e-4
    inside = 0
    for region in result.diagram.regions:
        shadow = solids[region.number].project()
        out = 0.0 if region.parent is None else (shadow - solids[region.parent].project()).area()
        inside += region.line or out <= _OUT * shadow.area()
    n, triangles = len(result.nodes), result.scene.triangles
    row = f"{tight} watertight, {sound} manifold, {inside} within of {n}"
    return f"{row}, {'apart' if apart else 'NOT apart'}, {triangles} triangles"


if __name__ == "__main__":
    main()

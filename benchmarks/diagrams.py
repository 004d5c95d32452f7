"""Ten cells and organisms drawn by program: are all regions found, nested as drawn, closed, and their labels pinned?

    python -m benchmarks.diagrams [--solids]

Each is drawn in outlines, filled, flat, and flat with paper-white outlines, printed and scanned. Cells that touch have
alternating shades, since without a line, a gap or another shade nobody could tell them apart. A row says how many regions were found of those drawn,
whether they lie in each other as drawn, how many labels point at the region they name, and with ``--solids`` whether
every node is closed by two checkers of ours; tests/unit/test_diagram.py asks trimesh and manifold3d, too.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from tests import drawn_cells

import unflat
from unflat.errors import InputError
from unflat.formats.solid import check_solid
from unflat.geometry.closed_surface import is_closed
from unflat.pipelines.diagram import DiagramResult
from unflat.stages.read_diagram import ReadOptions, read_diagram
from unflat.types.diagram import Diagram
from unflat.types.image import Image
from unflat.types.mesh import Mesh


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
                if solids and look == "filled":
                    row += f"  {closed(picture)}"
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


def closed(picture: np.ndarray) -> str:
    """How many nodes are closed by both of our checkers."""
    result = unflat.photo(picture, style="diagram")
    assert isinstance(result, DiagramResult)
    sound = 0
    for node in result.nodes:
        assert isinstance(node.item, Mesh)
        try:
            check_solid(node.item, node.name)
            sound += is_closed(node.item.faces)
        except InputError as error:
            print(f"  {error}")
    return f"{sound} of {len(result.nodes)} nodes closed, {result.scene.triangles} triangles"


if __name__ == "__main__":
    main()

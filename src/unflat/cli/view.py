"""``unflat view``: look at a result in the browser, on this machine only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unflat.cli.flags import check_inputs
from unflat.errors import InputError


def view(file: Path, /, *, port: int = 0, browser: Annotated[bool, Parameter(negative="--no-browser")] = True) -> None:
    """Show a scene in the browser: a local page on 127.0.0.1, until Ctrl-C.

    Args:
        file: .glb .gltf .html .usdz .ply .obj .stl .3mf .spz .pcd
        port: Port to listen on; 0 takes a free one.
        browser: Open the browser by itself.
    """
    from unflat.view.server import serve

    check_inputs(file)
    if not 0 <= port <= 65535:
        raise InputError(f"there is no port {port}", hint="Give 0 for a free one, or 1 to 65535.")
    serve(file, port=port, open_browser=browser)

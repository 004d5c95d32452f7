"""What a shop puts on its page: the thing as GLB and USDZ, a poster, a snippet of HTML, and a report of the checks.

    NAME.glb           browsers, Android (Scene Viewer), every 3D program
    NAME.usdz          iPhone and iPad (AR Quick Look); left out where usd-core is not installed
    NAME.png           the poster, with transparency
    NAME.snippet.html  <model-viewer>, a Quick Look link and a Scene Viewer link, to be pasted into a page
    NAME.report.json   what was checked, and what it is made of

The GLB is read back and the USDZ goes through the validators of USD; nothing is repaired here. What the snippet refers
to lies beside it, except <model-viewer> itself, which is loaded from where the page's maker says.
"""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from unflat.errors import InputError
from unflat.formats import glb, registry
from unflat.formats.atomic import check_target
from unflat.formats.image import write_image
from unflat.formats.outlet import handed_out
from unflat.formats.picture_story import picture_words
from unflat.formats.provenance_text import record
from unflat.formats.pxr_late import check_usd, usd_module
from unflat.formats.registry import ExportOptions
from unflat.geometry.closed_surface import is_closed
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.scene import Scene

MOST_TRIANGLES, MOST_TEXELS = 100_000, 2048
"""What AR Quick Look and Scene Viewer take with good grace."""
MODEL_VIEWER = "https://ajax.googleapis.com/ajax/libs/model-viewer/4.0.0/model-viewer.min.js"
"""The one thing of the snippet that does not lie beside it."""
_LOADED = (
    "Who opens a page with the snippet loads <model-viewer> from this address. To have no one else told who looks, "
    "put a copy of it beside the files and write its name into the snippet."
)
_CENTRED = 1e-3


def shop_files(path: Path) -> tuple[Path, ...]:
    """Every file that :func:`write_shop` may make for NAME.glb."""
    return tuple(
        path.with_name(path.stem + suffix) for suffix in (".glb", ".usdz", ".png", ".snippet.html", ".report.json")
    )


def write_shop(scene: Scene, poster: Image, path: Path, options: ExportOptions, told: dict[str, Any]) -> dict[str, Any]:
    """Write all files of one thing.

    Args:
        scene: One closed mesh that stands at the origin.
        poster: A picture of it, with alpha.
        path: NAME.glb; the others lie beside it.
        options: How files are written.
        told: What else the report is to say; its ``checks`` come before those made here.

    Returns:
        The report.

    Raises:
        InputError: The scene holds no mesh.
        OutputError: A place cannot be written.
    """
    model, apple, picture, snippet, report = shop_files(path)
    for place in (model, apple, picture, snippet, report):
        check_target(place, force=options.force)
    options = replace(options, texture_size=min(options.texture_size, MOST_TEXELS))
    registry.write(scene, model, options)
    with_usd = _has_usd()
    if with_usd:
        registry.write(scene, apple, options)
    with handed_out(picture, scene.provenance, options.seal, force=options.force) as out:
        write_image(poster, out.path, text=picture_words(out.story))
    second = apple.name if with_usd else None
    text = snippet_of(path.stem, model.name, second, picture.name, true_size=not scene.scale.assumed)
    checks = told.get("checks", []) + checked(scene, model, apple if with_usd else None)
    whole = {
        "article": path.stem,
        "files": [n for n in (model.name, second, picture.name, snippet.name) if n is not None],
        "passed": all(check["passed"] for check in checks),
        "size": size_of(scene),
        "page": {"loads": [MODEL_VIEWER], "note": _LOADED},
        **told,
        "checks": checks,
        "record": record(scene),
    }
    with handed_out(report, scene.provenance, options.seal, force=options.force) as out:
        out.path.with_name(snippet.name).write_text(text, encoding="utf-8")
        out.path.write_text(json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")
    return whole


def _has_usd() -> bool:
    try:
        check_usd()
    except InputError:
        return False
    return True


def snippet_of(title: str, model: str, apple: str | None, poster: str, *, true_size: bool) -> str:
    """HTML to be pasted into a page that lies beside the files.

    Scene Viewer takes whole addresses only, so the link is made of the page's own when it is opened.

    Args:
        title: Of the thing.
        model: Name of the GLB.
        apple: Name of the USDZ, or None.
        poster: Name of the picture.
        true_size: The size is known: who looks at it in AR must not change it.
    """
    src, ios, png = (quote(name or "") for name in (model, apple, poster))
    say = html.escape(title, quote=True)
    apple_source = f'ios-src="{ios}" ' if apple else ""
    quick = (
        f'<a class="unflat-quick-look" rel="ar" href="{ios}"><img src="{png}" alt="{say}" width="160"></a>\n'
        if apple
        else ""
    )
    where = json.dumps({"model": src, "title": title}).replace("<", "\\u003c").replace(">", "\\u003e")
    return f"""<!-- Paste this where the object is to be shown; its files lie beside the page.
  The first script comes from Google; a copy of it beside the page, named here instead, does as well. -->
<script type="module" src="{MODEL_VIEWER}"></script>
<model-viewer src="{src}" {apple_source}poster="{png}" alt="{say}" camera-controls touch-action="pan-y"
  ar ar-modes="webxr scene-viewer{" quick-look" if apple else ""}" ar-scale="{"fixed" if true_size else "auto"}"
  shadow-intensity="1" style="width: 100%; height: 480px"></model-viewer>
{quick}<a class="unflat-scene-viewer" href="{src}">View in your room (Android)</a>
<script>
(() => {{
  const told = {where};
  const link = document.currentScript.previousElementSibling;
  const file = encodeURIComponent(new URL(told.model, location.href).href);
  const back = encodeURIComponent(location.href);
  link.href = `intent://arvr.google.com/scene-viewer/1.0?file=${{file}}&mode=ar_preferred&title=` +
    encodeURIComponent(told.title) + "#Intent;scheme=https;package=com.google.android.googlequicksearchbox;" +
    `action=android.intent.action.VIEW;S.browser_fallback_url=${{back}};end;`;
}})();
</script>
"""


def checked(scene: Scene, model: Path, apple: Path | None) -> list[dict[str, Any]]:
    """What a shop's page and phones ask of a thing: each as a name, whether it passed, and the figure.

    Args:
        scene: As it was written.
        model: Its GLB; read back.
        apple: Its USDZ, or None; judged by USD's own validators.
    """
    meshes = [node.item for node in scene.nodes if isinstance(node.item, Mesh)]
    if len(meshes) != 1:
        raise InputError(f"an object for a shop is one surface, not {len(meshes)}")
    (mesh,) = meshes
    back = [node.item for node in glb.read(model).nodes if isinstance(node.item, Mesh)]
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    extent = (high - low).astype(np.float64)
    side = 0 if mesh.texture is None else mesh.texture.size.long_side
    off = float(np.abs((low + high)[[0, 2]]).max() / 2 / max(float(extent.max()), 1e-12))
    found = [
        _check("watertight", is_closed(joined_places(mesh)), "every edge is shared by two faces"),
        _check("triangles", len(mesh.faces) <= MOST_TRIANGLES, len(mesh.faces)),
        _check("texture", 0 < side <= MOST_TEXELS, side),
        _check("on the floor", abs(float(high[1])) < 1e-6, float(high[1])),
        _check("origin in the middle of the base", off < _CENTRED, round(off, 6)),
        _check("GLB reads back", [len(one.faces) for one in back] == [len(mesh.faces)], len(back)),
    ]
    if apple is not None:
        complaints = usd_complaints(apple)
        found.append(_check("USD validators", not complaints, complaints))
    return found


def size_of(scene: Scene) -> dict[str, Any]:
    """Width, height and depth in millimetres, and whether they are known or assumed."""
    corners = np.concatenate([node.item.vertices for node in scene.nodes if isinstance(node.item, Mesh)])
    lengths = 1000 * np.ptp(corners.astype(np.float64), axis=0)
    names = ("width_mm", "height_mm", "depth_mm")
    sides = {name: round(float(length), 2) for name, length in zip(names, lengths, strict=True)}
    return {**sides, "known": not scene.scale.assumed, "how": scene.scale.detail}


def _check(name: str, passed: bool, found: object) -> dict[str, Any]:
    return {"name": name, "passed": bool(passed), "found": found}


def joined_places(mesh: Mesh) -> np.ndarray:
    """(m, 3) the faces between places instead of vertices: those along the seams of a texture stand twice."""
    _, place = np.unique(np.asarray(mesh.vertices), axis=0, return_inverse=True)
    return place.reshape(-1)[np.asarray(mesh.faces)].astype(np.uint32)


def usd_complaints(path: Path) -> list[str]:
    """What the validators of USD say of a file; nothing if all is well.

    Raises:
        InputError: usd-core is not installed.
    """
    stage = usd_module("Usd").Stage.Open(str(path))
    validation = usd_module("UsdValidation")
    judges = validation.ValidationRegistry().GetOrLoadAllValidators()
    return [f"{one.GetName()}: {one.GetMessage()}" for one in validation.ValidationContext(judges).Validate(stage)]

"""USDZ for iPhone, iPad and Vision Pro: the scene as something that stands in the room.

    scene.usdc                a tree: /Scene (standing on the floor) / Surfaces, Cameras, Materials
    textures/picture_1.jpg    at most 2048 pixels, JPEG, or PNG where the picture has alpha

All of it in one uncompressed zip whose members start at multiples of 64 bytes, the .usdc first, always with the same
time stamp, so the same scene gives the same bytes.

Choices, and why:

* Materials shine by themselves (the picture is the *emissive* colour over black that reflects nothing): a photograph
  holds its light already; lit again by the room it would come out dark or double-lit. UsdPreviewSurface has no unlit
  material, and emission is how others imitate one. Apple's classic lighting is asked for (preferredIblVersion 1),
  since the newer one adds contrast.
* ``/Scene`` is moved (never turned) so that the scene's lowest point stands on the floor, in the middle of where the
  viewer puts it. Points and cameras below it keep their true relation.
* A sky is left out: in augmented reality the room is behind the scene, and a dome of a hundred metres would swallow it.
* AR viewers want at most 100 000 triangles; the pipeline makes fewer for this format, the writer does not reduce them.

What the scene knows is in ``customLayerData["unflat"]["record"]`` as JSON; cameras repeat their pixels in
``customData``. ``pxr`` is imported only while a file is written or read.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import unflat
from unflat.errors import InputError, OutputError
from unflat.formats.atomic import replacing
from unflat.formats.gltf_parts import CAMERA_TURN, unit
from unflat.formats.linear_colour import LINEAR_FROM_SRGB8
from unflat.formats.looks import looks_of
from unflat.formats.provenance_text import record, rights_line
from unflat.formats.pxr_late import usd_module
from unflat.formats.registry import ExportOptions
from unflat.formats.texture import encoded
from unflat.formats.told_rights import all_rights
from unflat.formats.usdz_archive import pack
from unflat.formats.usdz_read import read
from unflat.geometry.transform import Door, door_from_frame, turned
from unflat.trust.label import label_text, source_type
from unflat.types.camera import Camera
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.scene import Finish, Node, Scene

__all__ = ["read", "write"]

AR_TEXTURE_SIDE = 2048
_APERTURE_MM = 36.0
_ROUGH = 0.6
"""Of what has a finish: tissue and plaster, neither dull nor wet."""


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write the surfaces and cameras of a scene, without its sky.

    Raises:
        InputError: The scene holds points or splats, or no surface but a sky.
        OutputError: The place cannot be written.
    """
    nodes = [node for node in scene.nodes if node.role != "sky" and not _empty(node)]
    if not nodes:
        raise InputError("the scene is empty: there is no triangle to write")
    with replacing(path, force=options.force) as (draft,):
        members = _members(scene, nodes, options)
        with draft.open("wb") as file:
            pack(members, file)


def _empty(node: Node) -> bool:
    if not isinstance(node.item, Mesh):
        raise InputError("USDZ files hold surfaces, not points or splats", hint="Write .glb, .ply or .splat.ply.")
    return not len(node.item.faces)


def _members(scene: Scene, nodes: list[Node], options: ExportOptions) -> list[tuple[str, bytes]]:
    """Name and bytes of every file inside the archive, the layer first."""
    Sdf, Usd = usd_module("Sdf"), usd_module("Usd")

    layer = Sdf.Layer.CreateAnonymous(".usdc")
    stage = Usd.Stage.Open(layer)
    builder = _Builder(stage, scene, min(options.texture_size, AR_TEXTURE_SIDE), options.texture_quality)
    builder.add_root([node.item for node in nodes if isinstance(node.item, Mesh)])
    for number, node in enumerate(nodes, 1):
        if isinstance(node.item, Mesh):
            builder.add_surface(f"surface_{number}", node.name, node.item, node.finish)
    for number, camera in enumerate(scene.cameras, 1):
        builder.add_camera(f"camera_{number}", camera)
    with tempfile.TemporaryDirectory(prefix="unflat-") as folder:
        exported = Path(folder) / "scene.usdc"
        try:
            layer.Export(str(exported))
        except usd_module("Tf").ErrorException as error:
            raise OutputError(f"no room for a temporary file in {folder}") from error
        return [("scene.usdc", exported.read_bytes()), *builder.textures]


class _Builder:
    """One stage in the making. The types of pxr are made at run time, so they are Any here."""

    def __init__(self, stage: Any, scene: Scene, max_side: int, quality: int) -> None:
        self.stage = stage
        self.scene = scene
        self.gl_from_frame = door_from_frame(scene.frame, Door.GL)
        self.max_side, self.quality = max_side, quality
        self.textures: list[tuple[str, bytes]] = []
        self._material_of: dict[int | Finish | None, Any] = {}

    def add_root(self, meshes: list[Mesh]) -> None:
        """Units, axes, the record, and the root that stands on the floor."""
        Gf, Kind, Usd, UsdGeom = usd_module("Gf"), usd_module("Kind"), usd_module("Usd"), usd_module("UsdGeom")

        UsdGeom.SetStageMetersPerUnit(self.stage, 1.0)
        UsdGeom.SetStageUpAxis(self.stage, UsdGeom.Tokens.y)
        told = {
            "generator": f"unflat {unflat.__version__}",
            "record": json.dumps({**looks_of(self.scene), **record(self.scene)}, ensure_ascii=False, allow_nan=False),
        }
        story = self.scene.provenance
        rights = all_rights(story)
        spare = {"copyright": rights_line(rights), "creator": rights.creator, "manifest": story.urn}
        told |= {"label": label_text(story), "sourceType": source_type(story)}
        told |= {name: text for name, text in spare.items() if text}
        layer = self.stage.GetRootLayer()
        layer.customLayerData = {"unflat": told, "Apple": {"preferredIblVersion": 1}}
        root = UsdGeom.Xform.Define(self.stage, "/Scene")
        Usd.ModelAPI(root.GetPrim()).SetKind(Kind.Tokens.component)
        self.stage.SetDefaultPrim(root.GetPrim())
        low = np.min([turned(self.gl_from_frame, m.vertices).min(0) for m in meshes], axis=0).astype(np.float64)
        high = np.max([turned(self.gl_from_frame, m.vertices).max(0) for m in meshes], axis=0).astype(np.float64)
        middle = (low + high) / 2
        root.AddTranslateOp().Set(Gf.Vec3d(-middle[0], -low[1], -middle[2]))
        for name in ("Surfaces", "Cameras"):
            UsdGeom.Xform.Define(self.stage, f"/Scene/{name}")
        UsdGeom.Scope.Define(self.stage, "/Scene/Materials")

    def add_surface(self, prim_name: str, name: str, mesh: Mesh, finish: Finish | None = None) -> None:
        """One mesh prim with its picture or, where it has neither that nor colours, its finish."""
        Sdf, UsdGeom, UsdShade, Vt = usd_module("Sdf"), usd_module("UsdGeom"), usd_module("UsdShade"), usd_module("Vt")

        prim = UsdGeom.Mesh.Define(self.stage, f"/Scene/Surfaces/{prim_name}")
        prim.GetPrim().SetDisplayName(name)
        position = turned(self.gl_from_frame, mesh.vertices)
        prim.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(position))
        prim.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([position.min(0), position.max(0)])))
        prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(mesh.faces.astype(np.int32).reshape(-1)))
        prim.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(mesh.faces), 3, np.int32)))
        prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
        prim.CreateDoubleSidedAttr(True)
        if mesh.normals is not None:
            prim.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(unit(turned(self.gl_from_frame, mesh.normals))))
            prim.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
        extra: list[tuple[str, Any, Any]] = []
        if mesh.uv is not None:
            if not np.isfinite(mesh.uv).all():
                raise InputError("the texture coordinates of a mesh must be finite")
            up = mesh.uv * np.array([1, -1], np.float32) + np.array([0, 1], np.float32)
            extra.append(("st", Sdf.ValueTypeNames.TexCoord2fArray, Vt.Vec2fArray.FromNumpy(up)))
        if mesh.colors is not None and mesh.texture is None:
            linear = Vt.Vec3fArray.FromNumpy(LINEAR_FROM_SRGB8.astype(np.float32)[mesh.colors])
            extra.append(("displayColor", Sdf.ValueTypeNames.Color3fArray, linear))
        if mesh.confidence is not None:
            confidence = Vt.FloatArray.FromNumpy(np.nan_to_num(mesh.confidence, nan=0.0).clip(0, 1))
            extra.append(("confidence", Sdf.ValueTypeNames.FloatArray, confidence))
        if mesh.invented is not None and mesh.invented.any():
            invented = Vt.FloatArray.FromNumpy(mesh.invented.astype(np.float32))
            extra.append(("invented", Sdf.ValueTypeNames.FloatArray, invented))
        for key, kind, values in extra:
            UsdGeom.PrimvarsAPI(prim).CreatePrimvar(key, kind, UsdGeom.Tokens.vertex).Set(values)
        UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(
            self._material(mesh.texture, None if mesh.colors is not None else finish)
        )

    def add_camera(self, prim_name: str, camera: Camera) -> None:
        """A camera prim, off centre where the camera is; its own pixels are beside it in customData."""
        Gf, UsdGeom = usd_module("Gf"), usd_module("UsdGeom")

        seen, size = camera.intrinsics, camera.intrinsics.size
        focal = seen.fx * _APERTURE_MM / size.width
        prim = UsdGeom.Camera.Define(self.stage, f"/Scene/Cameras/{prim_name}")
        prim.CreateProjectionAttr(UsdGeom.Tokens.perspective)
        prim.CreateFocalLengthAttr(focal)
        prim.CreateHorizontalApertureAttr(_APERTURE_MM)
        prim.CreateVerticalApertureAttr(size.height / seen.fy * focal)
        prim.CreateHorizontalApertureOffsetAttr((size.width / 2 - seen.cx) / seen.fx * focal)
        prim.CreateVerticalApertureOffsetAttr((seen.cy - size.height / 2) / seen.fy * focal)
        prim.CreateClippingRangeAttr(Gf.Vec2f(0.01, 100_000))
        pose = camera.pose.world_from_camera
        gl_from_camera = np.eye(4)
        gl_from_camera[:3, :3] = self.gl_from_frame @ pose[:3, :3] @ CAMERA_TURN.T
        gl_from_camera[:3, 3] = self.gl_from_frame @ pose[:3, 3]
        prim.AddTransformOp().Set(Gf.Matrix4d((gl_from_camera.T + 0.0).tolist()))
        prim.GetPrim().SetDisplayName(camera.name)
        numbers = {"fx": seen.fx, "fy": seen.fy, "cx": seen.cx, "cy": seen.cy}
        known = {key: float(value) for key, value in numbers.items()}
        whole = {"width": size.width, "height": size.height, "basis": seen.basis}
        prim.GetPrim().SetCustomDataByKey("unflat", {**known, **whole})

    def _material(self, texture: Image | None, finish: Finish | None) -> Any:
        """The material for a picture or a finish; surfaces that share one share it in the file, too."""
        key = finish if texture is None else id(texture)
        if key not in self._material_of:
            place = f"/Scene/Materials/material_{len(self._material_of) + 1}"
            if texture is None and finish is not None:
                self._material_of[key] = self._lit(place, finish)
            else:
                self._material_of[key] = self._new_material(place, texture)
        return self._material_of[key]

    def _lit(self, place: str, finish: Finish) -> Any:
        """A plain coloured material that the room lights."""
        Gf, Sdf, UsdShade = usd_module("Gf"), usd_module("Sdf"), usd_module("UsdShade")

        kinds = Sdf.ValueTypeNames
        material = UsdShade.Material.Define(self.stage, place)
        shader = _shader(self.stage, f"{place}/preview", "UsdPreviewSurface")
        color = [float(LINEAR_FROM_SRGB8[c]) for c in finish.color]
        shader.CreateInput("diffuseColor", kinds.Color3f).Set(Gf.Vec3f(*color))
        shader.CreateInput("roughness", kinds.Float).Set(_ROUGH)
        shader.CreateInput("metallic", kinds.Float).Set(0.0)
        shader.CreateInput("opacity", kinds.Float).Set(float(finish.opacity))
        material.CreateSurfaceOutput().ConnectToSource(shader.CreateOutput("surface", kinds.Token))
        return material

    def _new_material(self, place: str, texture: Image | None) -> Any:
        Gf, Sdf, UsdShade = usd_module("Gf"), usd_module("Sdf"), usd_module("UsdShade")

        kinds = Sdf.ValueTypeNames
        material = UsdShade.Material.Define(self.stage, place)
        shader = _shader(self.stage, f"{place}/preview", "UsdPreviewSurface")
        shader.CreateInput("diffuseColor", kinds.Color3f).Set(Gf.Vec3f(0, 0, 0))
        shader.CreateInput("roughness", kinds.Float).Set(1.0)
        shader.CreateInput("metallic", kinds.Float).Set(0.0)
        shader.CreateInput("ior", kinds.Float).Set(1.0)
        emissive = shader.CreateInput("emissiveColor", kinds.Color3f)
        material.CreateSurfaceOutput().ConnectToSource(shader.CreateOutput("surface", kinds.Token))
        if texture is None:
            reader = _shader(self.stage, f"{place}/colors", "UsdPrimvarReader_float3")
            reader.CreateInput("varname", kinds.String).Set("displayColor")
            reader.CreateInput("fallback", kinds.Float3).Set(Gf.Vec3f(0.5, 0.5, 0.5))
            emissive.ConnectToSource(reader.CreateOutput("result", kinds.Float3))
            return material
        reader = _shader(self.stage, f"{place}/st", "UsdPrimvarReader_float2")
        reader.CreateInput("varname", kinds.String).Set("st")
        sampler = _shader(self.stage, f"{place}/picture", "UsdUVTexture")
        sampler.CreateInput("file", kinds.Asset).Set(Sdf.AssetPath(self._picture(texture)))
        sampler.CreateInput("st", kinds.Float2).ConnectToSource(reader.CreateOutput("result", kinds.Float2))
        sampler.CreateInput("wrapS", kinds.Token).Set("clamp")
        sampler.CreateInput("wrapT", kinds.Token).Set("clamp")
        sampler.CreateInput("sourceColorSpace", kinds.Token).Set("sRGB")
        emissive.ConnectToSource(sampler.CreateOutput("rgb", kinds.Float3))
        if texture.alpha is not None:
            soft = bool(((texture.alpha > 0) & (texture.alpha < 255)).any())
            shader.CreateInput("opacity", kinds.Float).ConnectToSource(sampler.CreateOutput("a", kinds.Float))
            shader.CreateInput("opacityThreshold", kinds.Float).Set(0.0 if soft else 0.5)
        return material

    def _picture(self, texture: Image) -> str:
        data, mime, _ = encoded(texture, self.max_side, self.quality)
        name = f"textures/picture_{len(self.textures) + 1}{'.png' if mime == 'image/png' else '.jpg'}"
        self.textures.append((name, data))
        return name


def _shader(stage: Any, place: str, identifier: str) -> Any:
    UsdShade = usd_module("UsdShade")

    shader = UsdShade.Shader.Define(stage, place)
    shader.CreateIdAttr(identifier)
    return shader

"""Incremental structure from motion with pycolmap: from matches to cameras and points.

Schönberger, Frahm, "Structure-from-motion revisited", CVPR 2016. The steps are pycolmap's, the order and how often
everything is refined are ours: a picture is placed, its surroundings are refined, and all of it each time that it has
grown by half.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from unflat.geometry.turns import nearest_rotation
from unflat.models.views.colmap_late import library
from unflat.models.views.match import FEWEST
from unflat.models.views.placement import Material, Placed, Taken, largest_first
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Lens

_SIMPLE, _FULL = "SIMPLE_RADIAL", "OPENCV"
_MANY_VIEWS, _MANY_SEEN = 8, 2000
_SQUARE = 0.01
"""Pixels are as tall as they are wide, within this share."""
_GROWN = 1.5
_SEEN = 20
"""So many points that agree place a picture (pycolmap: 30)."""
_MIN_MODEL = 2
_EASE = (2, 4, 8)
"""A first pair is looked for with these parts of pycolmap's demands (100 matches, 16 degrees apart), one by one."""
_TRIALS = 50
_LOCAL_STEPS, _STEPS, _SETTLED = 8, 20, 1e-4
"""Steps of a refinement while the model grows, and the gain below which it ends."""
_LAST_STEPS, _LAST_SETTLED, _LOSS_PX = 25, 1e-6, 1.0
"""The same of the last one, in which errors beyond this count less and less: wrong matches do not bend the rest."""


def models_of(material: Material, told: Callable[[int], None]) -> list[Placed]:
    """All models that come of the matches, the one of most pictures first.

    Args:
        material: Pictures and matches.
        told: Called with the number of pictures of the model that grows, each time that it changes.

    Returns:
        Models of two or more pictures each; the largest is refined in full.
    """
    pycolmap = library()
    pycolmap.set_random_seed(material.seed)
    options = _options(material)
    cache = pycolmap.DatabaseCache.create(_database(material), pycolmap.DatabaseCacheOptions())
    manager = pycolmap.ReconstructionManager()
    pipeline = pycolmap.IncrementalPipeline(options, cache, manager)
    mapper = pycolmap.IncrementalMapper(cache)
    models: list[Any] = []
    placed: set[int] = set()
    while len(placed) < len(material.taken) - 1:
        model = _model(pipeline, mapper, told)
        if model is None:
            break
        fresh = set(model.reg_image_ids()) - placed
        if len(fresh) < _MIN_MODEL:
            break
        placed |= fresh
        models.append(model)
        if material.largest_only and 2 * model.num_reg_images() > len(material.taken):
            break
    models.sort(key=lambda m: (-m.num_reg_images(), -m.num_points3D()))
    if models:
        models[0] = refined_lenses(models[0])
    return largest_first([_placed(model, material) for model in models])


def _options(material: Material) -> Any:
    pycolmap, seed = library(), material.seed
    options = pycolmap.IncrementalPipelineOptions()
    options.random_seed = options.mapper.random_seed = options.triangulation.random_seed = seed
    options.num_threads = options.mapper.num_threads = 1  # sums in one order: the same cameras every time
    options.min_model_size = _MIN_MODEL
    options.extract_colors = False
    options.ba_local_max_refinements = 1
    options.mapper.abs_pose_min_num_inliers = _SEEN
    options.triangulation.ignore_two_view_tracks = False  # they are what holds views together that overlap little
    if len(material.taken) == 2:  # two pictures cannot tell their lens, too
        options.ba_refine_focal_length = options.ba_refine_extra_params = False
    options.ba_global_frames_ratio = options.ba_global_points_ratio = _GROWN
    options.ba_global_max_refinements = 2
    options.ba_local_max_num_iterations, options.ba_global_max_num_iterations = _LOCAL_STEPS, _STEPS
    options.ba_global_function_tolerance = _SETTLED
    return options


def _database(material: Material) -> Any:
    """Everything as pycolmap wants to read it, in memory."""
    pycolmap = library()
    database = pycolmap.Database.open(":memory:")
    cameras: dict[tuple[str, int, int], int] = {}
    rigs: dict[int, int] = {}
    for number, one in enumerate(material.taken, start=1):
        key = one.group
        if key not in cameras:
            cameras[key] = database.write_camera(_camera(one, material.first_lens(number - 1)))
            rig = pycolmap.Rig()
            rig.add_ref_sensor(pycolmap.sensor_t(pycolmap.SensorType.CAMERA, cameras[key]))
            rigs[cameras[key]] = database.write_rig(rig)
        image = pycolmap.Image(name=str(number), camera_id=cameras[key], image_id=number)
        database.write_image(image, use_image_id=True)
        frame = pycolmap.Frame()
        frame.rig_id = rigs[cameras[key]]
        frame.add_data_id(image.data_id)
        database.write_frame(frame)
        database.write_keypoints(number, one.xy)
    for match in material.matches:
        geometry = pycolmap.TwoViewGeometry()
        geometry.config = pycolmap.TwoViewGeometryConfiguration.UNCALIBRATED
        geometry.inlier_matches = match.rows.astype(np.uint32)
        database.write_two_view_geometry(match.first + 1, match.second + 1, geometry)
    return database


def _camera(one: Taken, lens: Lens) -> Any:
    """The lens that mapping begins with."""
    pin, size = lens.intrinsics, one.size
    numbers, model = [pin.fx, pin.fy, pin.cx, pin.cy, lens.k1, lens.k2, lens.p1, lens.p2], _FULL
    if lens.k2 == lens.p1 == lens.p2 == 0 and abs(pin.fx - pin.fy) < 1e-6 * pin.fx:
        numbers, model = [pin.fx, pin.cx, pin.cy, lens.k1], _SIMPLE
    camera = library().Camera(model=model, width=size.width, height=size.height, params=numbers)
    camera.has_prior_focal_length = one.lens is not None and not pin.guessed
    return camera


def refined_lenses(grown: Any) -> Any:
    """The model with the full distortion for each lens that many pictures share, everything adjusted once more.

    Lenses of few pictures stay as they are: more freedom than the pictures can settle bends the scene. Pictures of a
    thing on a turntable, however many, leave open how tall pixels are (a turn about one axis; Sturm, "Critical motion
    sequences", CVPR 1997): if those come out of a shape that no camera has, the model stays as it was.

    Args:
        grown: ``pycolmap.Reconstruction``; not changed.
    """
    pycolmap, model = library(), deepcopy(grown)
    seen, views = dict.fromkeys(model.cameras, 0), dict.fromkeys(model.cameras, 0)
    for number in model.reg_image_ids():
        image = model.image(number)
        seen[image.camera_id] += image.num_points3D
        views[image.camera_id] += 1
    settled = [k for k in views if views[k] >= _MANY_VIEWS and seen[k] >= _MANY_SEEN]
    for number in settled:
        camera = model.camera(number)
        if camera.model_name == _SIMPLE:
            focal, cx, cy, k1 = camera.params
            camera.model = pycolmap.CameraModelId.OPENCV
            camera.params = [focal, focal, cx, cy, k1, 0.0, 0.0, 0.0]
    if settled:
        options = pycolmap.BundleAdjustmentOptions()
        options.print_summary = False
        options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
        options.ceres.loss_function_scale = _LOSS_PX
        options.ceres.solver_options.num_threads = 1
        options.ceres.solver_options.max_num_iterations = _LAST_STEPS
        options.ceres.solver_options.function_tolerance = _LAST_SETTLED
        config = pycolmap.BundleAdjustmentConfig()
        for number in model.reg_image_ids():
            config.add_image(number)
        config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
        pycolmap.create_default_bundle_adjuster(options, config, model).solve()
    full = [model.camera(number).params for number in settled if model.camera(number).model_name == _FULL]
    return grown if any(abs(np.log(p[0] / p[1])) > _SQUARE for p in full) else model


def _model(pipeline: Any, mapper: Any, told: Callable[[int], None]) -> Any | None:
    """Grow one model; None if no two pictures can begin one."""
    options = pipeline.options
    model = _begun(pipeline, mapper)
    if model is None:
        return None
    refined = (model.num_reg_frames(), model.num_points3D())
    grows, patient = True, True
    while grows or patient:
        grows = _place_next(options, mapper)
        told(model.num_reg_images())
        if grows:
            patient = True
            if pipeline.check_run_global_refinement(model, *refined):
                _refine_all(options, mapper)
                refined = (model.num_reg_frames(), model.num_points3D())
        elif patient:  # once more after everything has found its place better
            _refine_all(options, mapper)
            refined = (model.num_reg_frames(), model.num_points3D())
            patient = False
    mapper.end_reconstruction(False)
    return model


def _begun(pipeline: Any, mapper: Any) -> Any | None:
    """A model of two pictures: many matches, seen from far apart; each round asks for less of both."""
    pycolmap = library()
    options = pipeline.options.get_mapper()
    inliers, angle = options.init_min_num_inliers, options.init_min_tri_angle
    for ease in _EASE:
        options.init_min_num_inliers = max(FEWEST, inliers // ease)
        options.init_min_tri_angle = angle / ease
        mapper.reset_initialization_stats()
        for _ in range(_TRIALS):
            model = pycolmap.Reconstruction()
            mapper.begin_reconstruction(model)
            status = pipeline.initialize_reconstruction(mapper, options, model)
            if status == pycolmap.IncrementalPipelineStatus.SUCCESS:
                return model
            mapper.end_reconstruction(True)
            if status == pycolmap.IncrementalPipelineStatus.NO_INITIAL_PAIR:
                break
    return None


def _place_next(options: Any, mapper: Any) -> bool:
    """Place the picture that fits best, and refine around it."""
    for without_points in (False, True):
        for image in mapper.find_next_images(options.get_mapper(), structure_less=without_points):
            place = mapper.register_next_structure_less_image if without_points else mapper.register_next_image
            if not place(options.get_mapper(), image):
                continue
            mapper.triangulate_image(options.get_triangulation(), image)
            mapper.iterative_local_refinement(
                options.ba_local_max_refinements,
                options.ba_local_max_refinement_change,
                options.get_mapper(),
                options.get_local_bundle_adjustment(),
                options.get_triangulation(),
                image,
            )
            return True
    return False


def _refine_all(options: Any, mapper: Any) -> None:
    mapper.iterative_global_refinement(
        options.ba_global_max_refinements,
        options.ba_global_max_refinement_change,
        options.get_mapper(),
        options.get_global_bundle_adjustment(),
        options.get_triangulation(),
    )
    mapper.filter_frames(options.get_mapper())


def _lens(camera: Any) -> Lens:
    """A camera of pycolmap (SIMPLE_RADIAL or OPENCV) as a lens."""
    size = Size(int(camera.width), int(camera.height))
    numbers = [float(n) for n in camera.params]
    if camera.model_name == _SIMPLE:
        focal, cx, cy, k1 = numbers
        return Lens(Intrinsics(focal, focal, cx, cy, size, "views"), k1)
    fx, fy, cx, cy, k1, k2, p1, p2 = numbers
    return Lens(Intrinsics(fx, fy, cx, cy, size, "views"), k1, k2, p1, p2)


def _as_told(lens: Lens, first: Lens) -> Lens:
    """The lens, or the one that mapping began with where that has not been measured."""
    pin, was = lens.intrinsics, first.intrinsics
    same = (pin.fx, pin.fy, lens.k1, lens.k2) == (was.fx, was.fy, first.k1, first.k2)
    return first if same else lens


def _placed(model: Any, material: Material) -> Placed:
    """A model of pycolmap in plain numbers; its image ids are numbers of pictures plus one."""
    ids = sorted(int(i) for i in model.reg_image_ids())
    lenses = {int(i): _lens(camera) for i, camera in model.cameras.items()}
    poses = np.array([model.image(i).cam_from_world().matrix() for i in ids])
    for pose in poses:
        pose[:, :3] = nearest_rotation(pose[:, :3])  # rotations of long sums of products are off by rounding
    number = {int(i): row for row, i in enumerate(sorted(model.point3D_ids()))}
    row_of = {i: k for k, i in enumerate(ids)}
    rows: list[tuple[int, int, int]] = []
    xyz = np.zeros((len(number), 3))
    for key, row in number.items():
        point = model.point3D(key)
        xyz[row] = point.xyz
        rows += [(row_of[int(e.image_id)], int(e.point2D_idx), row) for e in point.track.elements]
    table = np.array(sorted(rows), np.int64).reshape(-1, 3)
    own = tuple(_as_told(lenses[int(model.image(i).camera_id)], material.first_lens(i - 1)) for i in ids)
    return Placed(tuple(i - 1 for i in ids), own, poses, xyz, table[:, 0], table[:, 2], table[:, 1])

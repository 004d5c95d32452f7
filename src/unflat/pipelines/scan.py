"""Many pictures -> one scene.

films, folders, files ─ sample ─► Stills ─ track ─► Reconstruction ─ place ─► up, floor, metres ─ undistort, choose
   ─ dense, view by view ─► ViewDepth … ─ fuse ─► Mesh ─┬─ simplify, bake ─► surface ─► glb html obj ply usdz
                                                        └─ points, splats ─► ply pcd splat.ply spz
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from unflat import __version__
from unflat.errors import InputError
from unflat.formats.film_parts import key_of
from unflat.formats.scan_shelf import Depths, Shelf
from unflat.formats.stills import Album, album
from unflat.geometry.sightings import Sightings
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.scan_look import network_guess
from unflat.stages.bake_texture import TextureOptions
from unflat.stages.calibrate import CameraOptions
from unflat.stages.choose_views import ViewOptions, choose_views
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.fuse_frames import FuseOptions, fuse_frames
from unflat.stages.place_scene import Hints, PlaceOptions, place_scene
from unflat.stages.sample_frames import SampleOptions, sample_film, sample_photos
from unflat.stages.track_cameras import TrackOptions, track_cameras
from unflat.stages.undistort_views import undistort_views
from unflat.trust.lineage import Lineage
from unflat.types.mesh import Mesh
from unflat.types.views import Reconstruction, Still, Stills

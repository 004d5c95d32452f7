"""Your own depth map instead of the model's: a stereo disparity in pixels, as it comes: ``python 04_own_depth.py``."""

import numpy as np
import skimage.data

import unflat

left, _, disparity = skimage.data.stereo_motorcycle()
np.save("disparity.npy", disparity.astype(np.float32))
result = unflat.photo(left, depth="disparity.npy", depth_kind="disparity-px", focal_mm=36 * 994.978 / left.shape[1])
result.save("motorcycle.glb")
print(result.scene)

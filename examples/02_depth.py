"""Depth as numbers: where is the nearest thing, and how sure is the model? ``python 02_depth.py``."""

import numpy as np
import skimage.data

import unflat

depth = unflat.depth(skimage.data.coffee())
assert depth.confidence is not None
row, column = np.unravel_index(np.argmin(np.where(depth.surface, depth.values, np.inf)), depth.values.shape)
print(f"{depth}: nearest at column {column}, row {row}, confidence there {depth.confidence[row, column]:.2f}")

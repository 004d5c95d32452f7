"""A photograph for two eyes, in the layouts that people look at: ``python 05_two_eyes.py``."""

import skimage.data

import unflat

result = unflat.stereo(skimage.data.coffee(), fov=50, display="phone")
result.save("coffee_LR.jpg", "coffee_redcyan.png", "coffee.gif", "coffee.mpo")
print(result.pair.left.shape, result.report["out_percent"], result.report["in_percent"])

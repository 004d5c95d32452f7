"""A photograph becomes a page to step into, a model for Blender and one for an iPhone: ``python 01_photo.py``."""

import skimage.data

import unflat

result = unflat.photo(skimage.data.astronaut(), fov=40)
result.save("astronaut.html", "astronaut.glb", "astronaut.usdz")
print(result.scene)
for warning in result.report["warnings"]:
    print("note:", warning)

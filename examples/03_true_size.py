"""One known length makes the metres true. Here it is the saucer, taken to be 16 cm wide: ``python 03_true_size.py``."""

import skimage.data

import unflat

saucer = unflat.KnownLength(80, 225, 475, 225, metres=0.16)
result = unflat.photo(skimage.data.coffee(), known_length=saucer, fov=45)
result.save("coffee.glb", "coffee.stl")
print(
    f"{result.scale.basis}: right between ×{result.scale.low:.2f} and ×{result.scale.high:.2f}, {result.scale.detail}"
)

"""CT slices become bone, lungs and skin that one can turn, cut and print: ``python 07_slices_to_solids.py``.

The chest is made by formula here; ``unflat.volume("FOLDER")`` takes a scanner's own files.
"""

import numpy as np

import unflat

MM = 2.5  # from voxel to voxel
z, y, x = (np.indices((104, 92, 132)) - np.reshape([51.5, 45.5, 65.5], (3, 1, 1, 1))) * MM  # head, back, left


def ellipse(cx, cy, rx, ry):
    """Below 1 inside."""
    return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2


narrow = 1 - 0.28 * np.clip((z + 20) / 150, 0, 1) ** 2  # the chest becomes narrower towards the neck
round_ = ellipse(0, 0, 128 * narrow, 84 * narrow)
hu = np.where(ellipse(0, 0, 148 * narrow, 104 * narrow) < 1, 40.0, -1000.0)  # soft tissue in air
for side in (-1, 1):
    lung = ellipse(side * 58, 0, 46 * narrow, 58 * narrow) + ((z + 10) / 105) ** 2
    hu[(lung < 1) & (ellipse(0, 5, 34, 200) > 1)] = -820
hu[((x - 14) / 42) ** 2 + ((y + 18) / 38) ** 2 + ((z + 40) / 46) ** 2 < 1] = 45  # the heart, a little to the left

drop = z + 0.42 * (y - 84)  # ribs fall towards the front
ribs = (np.abs(round_ - 1) < 0.055) & (drop % 24 < 9) & (np.abs(z) < 112)
hu[ribs & (np.abs(x) > 12) & (y > 20 - 88 * narrow)] = 420
hu[(np.abs(x) < 17) & (np.abs(y + 82 * narrow) < 7) & (np.abs(z - 20) < 80)] = 430  # breastbone
hu[(ellipse(0, 62 * narrow, 17, 15) < 1) & (z % 24 < 19)] = 500  # vertebrae, their discs left out
hu[(np.abs(x) < 5) & (np.abs(y - 82 * narrow) < 14) & (z % 24 < 12)] = 450  # and what can be felt of them

made = unflat.volume(np.rint(hu).astype(np.int16), spacing_mm=(MM, MM, MM), modality="ct", preset="bone,lung,skin")
made.save("chest.html", "chest.glb", force=True)
print([(part["name"], round(part["volume_ml"])) for part in made.report["tissues"]])

"""A camera followed frame by frame, for machines that move: ``python 06_follow_a_camera.py``.

Frames come from a window that slides over one picture far away, one nearer and one near, as seen by a camera that goes
to the right.
"""

import cv2
import skimage.data

import unflat

cat, cup, face = skimage.data.chelsea(), skimage.data.coffee(), skimage.data.astronaut()
far, middle, near = (cv2.resize(picture, (900, 480)) for picture in (cup, face, cat))

tracker = unflat.Tracker()
for k in range(20):
    frame = far[:, 2 * k : 2 * k + 640].copy()
    frame[:160] = middle[100:260, 100 + 5 * k : 740 + 5 * k]
    frame[320:] = near[160:320, 12 * k : 12 * k + 640]
    told = tracker.push(frame, seconds=k / 15)
    print(told.state, told.pose.centre.round(3), told.error)
depth = told.depth  # a DepthMap: how far things are, where that is known, and how surely
assert depth is not None and depth.valid is not None
print(depth, f"{depth.valid.mean():.0%} of the picture", depth.values[[0, 30, -1], 40].round(2))
print(tracker.finish())

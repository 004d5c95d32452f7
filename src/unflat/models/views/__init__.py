"""Where the cameras of a set of photographs stand: features, matches, structure from motion.

``reconstruct`` is the door; pycolmap does the mapping where it is installed.
"""

"""Scenes that a program draws, with exact depth: what the network `worlds` learns from.

    palette (materials) ─┐
    parts/* (things) ────┼─► scenes/* (a stage with light and cameras) ─► trace ─► film ─► Sample
    mesh (triangles) ────┘

Axes of a thing and of a scene: right-handed, x right, **y up**, z towards the viewer of its front; metres. A thing
stands at the origin on y = 0 and looks along +z.
"""

"""Scenes: each module holds `SCENES`, names with their makers (palette -> Stage) and weights."""

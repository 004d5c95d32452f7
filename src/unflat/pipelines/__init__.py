"""Recipes: what happens to a picture, read from top to bottom."""

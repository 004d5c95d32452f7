"""Verbs: one stage a file, an options object and a function; stages never touch files."""

"""Turn flat pictures into space."""

__version__ = "0.1.0"

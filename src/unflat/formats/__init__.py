"""The doors: files in, nouns out, and back. One file a format; the table is in ``registry``."""

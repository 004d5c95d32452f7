"""Promises: what never leaves a source, and whose rights travel with it. Policy and records, no files."""

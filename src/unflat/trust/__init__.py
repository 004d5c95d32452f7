"""Promises: what never leaves a source, whose rights travel with it, who may read what is kept. Policy only."""

"""Depth from one picture. ``protocol`` says what an adapter must do; each other file is one adapter."""

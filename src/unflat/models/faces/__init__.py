"""Faces and bodies of people: whatever may be one, with how sure that is."""

"""Pure mathematics on arrays and nouns: no files, no networks, no options."""

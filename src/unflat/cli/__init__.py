"""The words: one verb a file, thin over the recipes."""

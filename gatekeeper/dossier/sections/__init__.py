"""The sections of a dossier, one function each: material in, blocks out."""

"""How the next reader's contour can differ: drawn tighter or wider."""

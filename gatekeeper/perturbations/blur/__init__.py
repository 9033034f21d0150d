"""How an image loses its sharpness."""

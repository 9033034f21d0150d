"""What files, objects and dyes do to an image."""

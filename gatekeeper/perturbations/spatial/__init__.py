"""How an object can lie otherwise in its image, or the image be sampled otherwise."""

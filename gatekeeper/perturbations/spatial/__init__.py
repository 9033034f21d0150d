"""How an object can lie otherwise in its image: shifted or turned."""

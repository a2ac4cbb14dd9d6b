"""Wire formats, both sides of each: bytes and values in, bytes and values out."""

"""One request, end to end, on its own seam to the outside."""

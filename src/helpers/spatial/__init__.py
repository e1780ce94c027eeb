"""Statistics of places: what depends on where."""

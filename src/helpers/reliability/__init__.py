"""How far each source can be trusted, and since when."""

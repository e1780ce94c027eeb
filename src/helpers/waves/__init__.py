"""Which themes are in force, from how far their sources can be trusted now."""

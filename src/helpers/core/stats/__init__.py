"""Statistics: arrays in, arrays out; no city, no SQL, no chart, no French."""

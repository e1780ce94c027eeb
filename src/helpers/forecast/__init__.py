"""What is to be expected, by theme, zone and slot: whole distributions, or why none is told."""

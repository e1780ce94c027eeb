"""More, fewer or as many as before: levels, breaks, indicators, criticality."""

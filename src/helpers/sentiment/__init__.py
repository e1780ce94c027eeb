"""How quiet people feel, and what goes with it."""

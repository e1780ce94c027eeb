"""Did an action work: what it prevented, what moved, and what cannot be told."""

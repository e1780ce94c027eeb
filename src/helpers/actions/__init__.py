"""Actions: what was proposed, approved, done, in what dose, and whether it could be judged."""

"""What goes with facts in the surroundings."""

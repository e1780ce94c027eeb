"""What is going on now, and whether it is more than usual."""

"""Where facts gather more than chance explains."""

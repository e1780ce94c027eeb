"""The apps' server: pages prepared once, a forked process a visitor, no code taken from anyone."""

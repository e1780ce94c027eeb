"""The apps' server, against real processes."""

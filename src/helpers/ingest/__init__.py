"""Rows to observations, observations to the cube."""

"""Fluidity beside road safety: flows and speeds against their usual, events, closed roads."""

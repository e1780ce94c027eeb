"""Widgets of the apps: controls, figures, words; no computation of their own."""

"""Apps for decision-makers: controls, figures, words; no computation of their own."""

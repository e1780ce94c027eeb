"""A city as its pack describes it: contracts, divisions, themes, questions."""

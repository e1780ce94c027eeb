"""A pack's questions, one page each."""

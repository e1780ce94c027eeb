"""A stage: its parameters, inputs, outs, figures, and how far to trust them."""

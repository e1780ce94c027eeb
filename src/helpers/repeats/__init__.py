"""Whether a fact calls another, near and soon."""

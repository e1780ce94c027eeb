"""One module a version of the schema; what an earlier one made is never taken away."""

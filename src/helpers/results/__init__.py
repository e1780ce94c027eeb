"""The account of a period: planned, done, cost in hours that exist, effect; decisions beside."""

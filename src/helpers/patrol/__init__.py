"""What agents' activity makes of the records."""

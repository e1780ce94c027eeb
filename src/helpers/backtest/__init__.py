"""What forecasts would have been worth: each week of a year, made with what was known then."""

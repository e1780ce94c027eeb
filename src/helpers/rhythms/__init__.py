"""At which hours of the week and days of the year facts happen."""

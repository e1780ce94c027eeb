"""What a table of rows still singles out, at each grain of place and of time."""

"""Where and when: calendar, territory, places, and the one reader of the cube."""

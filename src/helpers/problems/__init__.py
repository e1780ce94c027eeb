"""How many facts a day of weekend has, beside any other day."""

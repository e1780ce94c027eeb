"""Where to put the hours that exist: teams over zones and slots, within the service's rules."""

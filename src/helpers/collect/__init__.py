"""The door: what comes from outside, less what the contract refuses."""

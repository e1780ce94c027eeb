"""Helpers of Phare: a room for each capability, upon the rooms that all share."""

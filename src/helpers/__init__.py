"""Helpers of Phare: one module a capability, and a few shared rooms."""

"""Linkage: which records of several sources tell the same fact."""

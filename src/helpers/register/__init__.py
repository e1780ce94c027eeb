"""The register of decisions: what people decide and enter, only ever added to.

Entries are codes, numbers, moments and hashed identifiers, by role; no text, no name. They lie in
SQLite, or in PostgreSQL where the pack says so (`register.yaml`), chained by hash.
"""

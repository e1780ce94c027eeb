"""The schema of the register, version after version (Alembic): always forward, nothing lost."""

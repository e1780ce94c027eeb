"""Ground: errors, strict models, the workspace, DuckDB, words in French."""

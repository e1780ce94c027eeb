"""The register, on both stores."""

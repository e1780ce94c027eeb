"""The register of figures and of what they rest on."""

"""What each vendor would deliver: one function a source, from what truly happened to its lines."""

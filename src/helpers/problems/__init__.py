"""Problems: the shared file of each, in four steps, and the file of the council."""

"""Reports as HTML and as terminal tables. Reads records only."""

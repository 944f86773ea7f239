"""The terminal's calls to the core over HTTP: a connection, and one module for each resource."""

"""HTTP endpoints, one file a resource: parse, call one core function, serialise."""

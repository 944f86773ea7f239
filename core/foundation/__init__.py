"""Base of all domains: settings, time, ids, errors, the database, who may do what, the audit log and the change feed."""

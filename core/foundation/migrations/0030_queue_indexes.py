"""Indexes for the order of a queue: those who are in it, and a day's calls by their time.

The two columns that are always empty in the first one spare SQLite the look into the table.
"""


def up(migrator, db):
    for statement in (
        "DROP INDEX queueentry_cluster_service_on_status",
        "CREATE INDEX queueentry_cluster_service_on_called_at ON queue_entry (cluster, service_on, called_at)",
        "CREATE INDEX queue_entry_open ON queue_entry"
        " (cluster, status, priority, service_on, queued_at, ticket_id, reserved_for_id, ended_at, voided_at)"
        " WHERE ended_at IS NULL AND voided_at IS NULL",
    ):
        db.execute_sql(statement)

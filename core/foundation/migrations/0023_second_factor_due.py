"""A sign-in whose second factor is still to be given."""

from core.foundation.database import FlagField


def up(migrator, db):
    migrator.migrate(migrator.add_column("token", "needs_code", FlagField(default=False)))

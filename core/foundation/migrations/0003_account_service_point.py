"""The room in which somebody calls, kept with the account."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("account", "service_point", CharField(max_length=40, default="")))

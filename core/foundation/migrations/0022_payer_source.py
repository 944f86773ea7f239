"""Visits: the origin of the payer."""

from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("visit", "payer_source", CharField(max_length=12, default="clerk")))

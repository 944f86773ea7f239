"""Visits: whether the patient breast-feeds, once somebody asked."""

from peewee import *

from core.foundation.database import FlagField


def up(migrator, db):
    migrator.migrate(migrator.add_column("visit", "breastfeeding", FlagField(null=True)))

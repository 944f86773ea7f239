"""What Mobile JKN sends with a booking: the card by which it asks for the number again, telephone, doctor and hours."""

from peewee import CharField

COLUMNS = {"card": 13, "phone": 20, "doctor": 10, "hours": 11}


def up(migrator, db):
    migrator.migrate(
        *(
            migrator.add_column("appointment", name, CharField(max_length=length, default=""))
            for name, length in COLUMNS.items()
        )
    )

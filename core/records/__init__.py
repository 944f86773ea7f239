"""The clinical record: encounters, vital signs, specialised forms, letters, and the access to them."""

__all__ = ["access", "contacts", "encounters", "forms", "letters", "releases", "vital_signs"]

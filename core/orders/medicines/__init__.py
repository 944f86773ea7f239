"""Medicines: the list, how typed names are read, allergies against them, doses. Pure."""

from core.orders.medicines.allergies import clashes, read_allergy, unchecked
from core.orders.medicines.medicine_search import usual_medicines
from core.orders.medicines.reading import MedicineReading, read_medicine

__all__ = ["MedicineReading", "clashes", "read_allergy", "read_medicine", "unchecked", "usual_medicines"]

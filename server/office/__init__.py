"""The City Health Office's end: receives FHIR from many clinics, proves each day, shows the city."""

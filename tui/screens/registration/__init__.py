"""The registration counter: search, form, confirmation, receipt."""

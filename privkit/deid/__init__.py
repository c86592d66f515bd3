"""De-identification: which columns and texts name a person, and what becomes of them."""

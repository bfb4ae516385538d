"""What the fixtures of the catalogue are made of."""

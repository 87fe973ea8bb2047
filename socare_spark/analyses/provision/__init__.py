"""What was provided where: matrix, trends, density, distribution (A1-A5)."""

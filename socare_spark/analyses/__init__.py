"""The families of results: each module declares its tables beside the functions that make them."""

"""The Numba kernel that scores at memory speed: lanes of edges, and the loops over them."""

"""Many people in one ciphertext: columns, blocks of them, portfolio files."""

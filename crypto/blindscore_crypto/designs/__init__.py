"""Designs that rest on cryptography, one file each; the plain system finds them through entry points."""

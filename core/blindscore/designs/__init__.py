"""Designs: who gets which data, in which form, to turn a person's records into a credit decision."""

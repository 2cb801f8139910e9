"""A first schema for a stranger's file: facts of each column, the role that they suggest, and the TOML to edit."""

"""One file a capability: what a coalition wants to do to people with its view."""

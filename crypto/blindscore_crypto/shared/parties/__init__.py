"""The parties of ``shared``. All that they say is bytes; all that they keep is in their store."""

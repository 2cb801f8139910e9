"""Tables, pictures and pages, all drawn from one ledger."""

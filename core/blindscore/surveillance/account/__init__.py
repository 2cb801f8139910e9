"""What a run means to people: who sees what, who loses, one person under each design."""

"""What attacks are made of: classifiers, evidence, intervals, bounds on any attack."""

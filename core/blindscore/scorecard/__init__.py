"""The integer scorecard: a frozen card, the estimator that fits it, the kernel that scores with it."""

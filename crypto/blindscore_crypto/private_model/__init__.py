"""Scorecards trained under differential privacy: they protect the people in the training data, not the applicant.

Begin with :class:`blindscore_crypto.private_model.estimator.PrivateScorecard`.
"""

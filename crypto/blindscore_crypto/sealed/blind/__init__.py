"""Signatures on what the signer does not see: ACL, blind RSA, VOPRF."""

"""Addresses as others see them: STUN, TURN, ICE (RFC 8489, 8656, 8445)."""

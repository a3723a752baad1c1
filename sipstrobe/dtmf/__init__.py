"""Digits: out of RTP events, SIP INFO and tones."""

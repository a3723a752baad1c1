"""What the device tells in JSON, as types.

Views give plain values, many times a second; these say what is in them, for the description of the
API. What is empty or null has nothing to say.
"""

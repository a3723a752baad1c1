"""Patterns with * for anything and ? for one character, as interfaces of other programs have them.

In time and memory that are bounded by what is compared: a pattern comes from outside, so it is
neither compiled nor kept.
"""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits."""
    at, behind_star, tried_from = 0, -1, 0  # in the pattern; after its last *; where that began
    position = 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            at += 1
            behind_star, tried_from = at, position
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at += 1
            position += 1
        elif behind_star >= 0:  # let the last * have one more
            tried_from += 1
            at, position = behind_star, tried_from
        else:
            return False
    return pattern[at:].strip("*") == ""

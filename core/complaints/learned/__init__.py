"""Learn what is not written as a rule: the doubt that ships, and the clinic's own corrections.

`doubt` asks about a danger, `corrections` move what the rules leave to the age. Both hear the same of a person (`persons`).
"""

__all__ = ["corrections", "doubt", "persons"]

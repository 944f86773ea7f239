"""Read a patient's complaint, and match it with danger signs and services. Pure: no database, no clock.

`language` turns typed words into known ones, `reading` finds what they mention and in which context, and `rules` tells
which rules hold. In: "sesak sejak tadi". Out: the rules that `core.routing` decides by.
"""

__all__ = ["danger_page", "explanation", "facts", "learned", "reading", "rules", "subject", "vocabulary"]

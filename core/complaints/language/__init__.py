"""From typed words to known words: tokens, morphology, typing errors, the lexicon and its phrases.

`lexicon.Lexicon` is the way in. In: "gabisa". Out: the words "tidak" and "bisa".
"""

__all__ = ["grammar", "lexicon", "phrases", "tokenizer"]

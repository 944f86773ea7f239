"""A text cut into tokens."""

from core.complaints.language.tokenizer import tokenize


def test_words_written_twice_count_once():
    assert [word for _, word in tokenize("Gatal-gatal, batuk2, kejang kejang")] == [
        *("gatal", ","),
        *("batuk", ","),
        "kejang",
    ]

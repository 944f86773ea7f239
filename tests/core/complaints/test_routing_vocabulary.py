"""The clinic's own words: laid over the shipped ones, checked line by line, explained."""

import pytest

from core.complaints.explanation import explain
from core.complaints.facts import RoutingFacts
from core.complaints.rules.shipped_rules import shipped_document, shipped_texts
from core.complaints.rules.validation import check_vocabulary
from core.complaints.vocabulary import Vocabulary, compile_vocabulary
from core.foundation.errors import SettingsError
from core.queues.clusters import load_clusters
from core.routing import route

POLI = load_clusters("poli")


def facts(complaint):
    return RoutingFacts(complaint, age_days=30 * 366)


def written(tmp_path, text):
    path = tmp_path / "words.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_files_have_no_problems():
    assert check_vocabulary() == []


def test_the_order_of_files_and_rules_says_nothing():
    document = shipped_document()
    turned = {**document, "rule": document["rule"][::-1], "measure": document["measure"][::-1]}
    turned |= {name: dict(reversed(document[name].items())) for name in ("words", "same", "grammar")}
    vocabulary = compile_vocabulary(turned, "turned")
    assert vocabulary.rules == Vocabulary.load().rules
    for complaint in (
        "dada seperti ditindih, sesak",
        "sakit gigi, periksa hamil",
        "batuk pilek demam",
        "periksa",
        "obat",
    ):
        assert route(facts(complaint), None, POLI, vocabulary) == route(facts(complaint), None, POLI)


def test_what_is_wrong_between_shipped_files_is_told_with_file_and_line(monkeypatch):
    texts = {
        **shipped_texts(),
        "a.toml": "\n[words]\ntooth = 'kampil'\n",
        "z.toml": "[[rule]]\nid = 'red.stroke'\nkind = 'red'\nneeds = ['tooth']\nspam = 3\n",
    }
    monkeypatch.setattr("core.complaints.rules.validation.shipped_texts", lambda: texts)
    told = {(problem.file, problem.text) for problem in check_vocabulary()}
    assert ("a.toml", "[words] 'tooth' stands in teeth.toml too") in told
    assert ("z.toml", "rule red.stroke: unknown field 'spam'; did you mean 'span'?") in told
    assert any(file == "stroke.toml" and "used twice" in text for file, text in told)


def test_signs_made_of_each_other_are_refused(tmp_path):
    sign = '[[rule]]\nid = "sign.{0}"\nkind = "sign"\nsays = "{0}"\nneeds = ["{1}"]\n'
    path = written(tmp_path, sign.format("one", "two") + sign.format("two", "one"))
    assert "made of what it makes itself" in " ".join(problem.text for problem in check_vocabulary(path))
    with pytest.raises(SettingsError, match="made of what it makes itself"):
        Vocabulary.load(path)


def test_a_clinic_adds_words_rules_and_takes_away(tmp_path):
    own = """
[words]
tooth = "kampil"
heat_stroke = "hangit kepala"

[[rule]]
id = "dental.jaw"
kind = "general"
needs = ["jaw"]

[[rule]]
id = "own.heat_stroke"
kind = "urgent"
service = "emergency"
needs = ["heat_stroke"]

[remove]
words = "jerawat"
rules = ["general.smoking"]
"""
    path = written(tmp_path, own)
    assert check_vocabulary(path) == []
    vocabulary = Vocabulary.load(path)
    for complaint, shipped, changed in (
        ("kampil", None, "GIGI"),
        ("hangit kepala", "UMUM", "IGD"),
        ("rahang", "GIGI", "UMUM"),
        ("jerawat", "UMUM", None),
        ("sakit gigi", "GIGI", "GIGI"),
    ):
        assert route(facts(complaint), None, POLI).proposal == shipped
        assert route(facts(complaint), None, POLI, vocabulary).proposal == changed


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[words]\ntooth = "gigi', 2, "not TOML"),
        ("[words]\ntooth = 3", 2, "must be text"),
        ('[word]\ntooth = "x"', 1, "not a section"),
        ('[grammar]\nverbs = "x"', 2, "verbs"),
        ('[[rule]]\nid = "a"\nkind = "service"\nneeds = ["toth"]', 4, "did you mean 'tooth'"),
        ('[[rule]]\nid = "a"\nkind = "often"\nneeds = ["tooth"]', 3, "kind"),
        ('[[rule]]\nid = "a"\nkind = "service"\nservice = "xray"\nneeds = ["tooth"]', 4, "'xray'"),
        ('[[rule]]\nid = "a"\nkind = "service"\nneeds = []', 2, "needs is empty"),
        ('[[rule]]\nid = "a"\nkind = "service"\nneeds = ["tooth"]\nspan = "7"', 2, "span"),
        ('[[rule]]\nid = "a"\nkind = "service"\nneeds = ["tooth"]\nreplaces = ["b"]', 5, "'b'"),
        ('\n\n[words]\ntooth = "gigi, gigi"', 4, "2 times"),
        ('[words]\ntooth = "yang gigi"', 2, "filler"),
        ('[words]\ntooth = "123"', 2, "no letters"),
        ("rule = 3", 1, "must be a table"),
        ('[units]\nwarsa = "x"', 2, "must be a number"),
        ('[words]\ndizy = "puyang"', 2, "did you mean 'dizzy'"),
        ('[words]\ntooth = "gigi gigi"', 2, "twice"),
        ('[remove]\nwords = "jerawatt"', 2, "did you mean 'jerawat'"),
        ('[remove]\nrules = ["general.smokin"]', 2, "did you mean 'general.smoking'"),
        ('[[measure]]\nid = "temperature"\nplausible = [43, 30]', 3, "[least, most]"),
        ('[[measure]]\nid = "temperature"\nlevels = { fever = 38 }', 3, "[least, most]"),
        ('[[measure]]\nid = "own"\nwords = "x"\nlevels = { fever = [1, 2] }', 2, "plausible is missing"),
        ('[[rule]]\nid = "a"\nkind = "sign"\nneeds = ["tooth"]', 2, "says"),
    ],
)
def test_a_wrong_file_is_told_line_by_line(tmp_path, text, line, said):
    problems = check_vocabulary(written(tmp_path, text))
    assert [(problem.line, said in problem.text) for problem in problems] == [(line, True)]


RULE_FIELDS = ("id", "kind", "needs", "span", "unless", "sex", "says", "service", "replaces", "pregnant")
MEASURE_FIELDS = ("id", "words", "units", "plausible", "levels", "pair")


@pytest.mark.parametrize("value", ["3", "'x'", "[]", "[1]", "{ a = 1 }", "true", "1979-05-27"])
def test_no_value_of_a_wrong_type_stops_the_check(tmp_path, value):
    rule, measure = "id = 'own'\nkind = 'general'\nneeds = ['tooth']\n", "id = 'own'\nplausible = [1, 2]\n"
    text = "".join(
        (
            *(f"[{name}]\nx = {value}\n" for name in ("words", "grammar", "same", "numbers", "units")),
            *(f"[{name}]\nwords = {value}\n" for name in ("neutral", "remove")),
            f"rules = {value}\n",
            *(f"[[rule]]\n{without(rule, name)}{name} = {value}\n" for name in RULE_FIELDS),
            *(f"[[measure]]\n{without(measure, name)}{name} = {value}\n" for name in MEASURE_FIELDS),
        )
    )
    assert len(check_vocabulary(written(tmp_path, text))) > 5


def without(lines, name):
    return "".join(line + "\n" for line in lines.splitlines() if not line.startswith(f"{name} ="))


def test_a_value_of_a_wrong_type_is_refused_when_the_server_starts(tmp_path):
    with pytest.raises(SettingsError, match="words must be text"):
        Vocabulary.load(written(tmp_path, "[remove]\nwords = 3\n"))


def test_all_that_is_wrong_in_a_rule_is_told_at_once(tmp_path):
    text = '[[rule]]\nid = "a"\nkind = "service"\nneeds = ["toth"]\nspan = "7"\nservice = "genera"\n'
    told = " ".join(problem.text for problem in check_vocabulary(written(tmp_path, text)))
    assert all(said in told for said in ("'tooth'", "span must be a whole number", "'general'"))


def test_the_same_rule_twice_in_one_file_is_named(tmp_path):
    rule = '[[rule]]\nid = "own.a"\nkind = "general"\nneeds = ["tooth"]\n'
    assert "twice" in check_vocabulary(written(tmp_path, rule * 2))[0].text


def test_loading_a_wrong_or_missing_file_is_one_line(tmp_path):
    for path in (written(tmp_path, "[words]\ntooth = 3"), tmp_path / "none.toml", written(tmp_path, "x")):
        with pytest.raises(SettingsError) as caught:
            Vocabulary.load(path)
        assert "\n" not in str(caught.value)


def test_an_explanation_shows_words_rules_and_reasons():
    lines = list(explain(facts("geraham sakit, kada panas"), "UMUM", POLI).lines("en"))
    assert "word      kada = tidak (exact)" in lines
    assert any(line.startswith("says      panas") and "denied" in line for line in lines)
    assert "rule      dental.tooth: geraham" in lines
    assert "verdict   mismatch" in lines
    assert any(line.startswith("proposes  GIGI 0.90") and "geraham → Poli Gigi" in line for line in lines)


def test_an_idiom_needs_no_other_list_and_hides_only_itself(tmp_path):
    """The head of "ular tangga" is no snake, whether or not a list gives the whole a meaning."""
    own = Vocabulary.load(written(tmp_path, '[grammar]\nidiom = "kejang kejut, kejang kejut lampu"\n'))
    for complaint, shipped, changed in (
        ("beli kejang kejut", ["seizure"], []),
        ("beli kejang kejut lampu", ["seizure"], []),
        ("anak kejang, beli kejang kejut", ["seizure"], ["seizure"]),
        ("anak kejang kejut demam lalu kejang", ["seizure"], ["seizure"]),
        ("kejang lampu", ["seizure"], ["seizure"]),
    ):
        for vocabulary, expected in ((None, shipped), (own, changed)):
            flags = route(facts(complaint), None, POLI, vocabulary).red_flags
            assert [flag.code for flag in flags] == expected, complaint

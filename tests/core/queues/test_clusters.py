"""The clinic's clusters: presets, a file of the clinic's own, and one clear line when it is wrong."""

import pytest

from core.foundation.errors import NotFoundError, SettingsError
from core.queues.clusters import ClusterSet, load_clusters

OWN = """
[[cluster]]
code = "SEMUA"
name = "Poli Satu Pintu"
prefix = "AA"
takes = [{ service = "general" }]

[[cluster]]
code = "RUJUK"
name = "Ruang Rujukan"
prefix = "Z"
stage = "later"
"""


def _code(clusters: ClusterSet, service: str, age: int | None) -> str:
    destination = clusters.destination(service, age)
    assert destination is not None
    return destination.code


def test_the_poli_preset_is_the_table_of_the_design():
    clusters = load_clusters("poli")
    assert [(c.code, c.prefix) for c in clusters.values()] == [
        ("UMUM", "A"),
        ("GIGI", "B"),
        ("KIA", "C"),
        ("LAB", "D"),
        ("LANSIA", "E"),
        ("IGD", "F"),
        ("FARMASI", "G"),
    ]
    assert "FARMASI" not in [c.code for c in clusters.first_destinations]
    assert clusters.emergency.code == "IGD"
    assert clusters.preset == "poli"


@pytest.mark.parametrize(
    ("preset", "service", "age", "code"),
    [
        ("poli", "general", 4, "KIA"),
        ("poli", "general", 5, "UMUM"),
        ("poli", "general", 59, "UMUM"),
        ("poli", "general", 60, "LANSIA"),
        ("poli", "infectious", 30, "UMUM"),
        ("poli", "nutrition", 2, "KIA"),
        ("poli", "family_planning", 30, "KIA"),
        ("ilp", "general", 17, "K2"),
        ("ilp", "general", 18, "K3"),
        ("ilp", "infectious", 3, "K4"),
        ("ilp", "family_planning", 30, "K3"),
        ("ilp", "immunisation", 1, "K2"),
        ("ilp", "immunisation", 40, "K3"),
        ("ilp", "pharmacy", 40, "K3"),
    ],
)
def test_a_service_and_an_age_give_a_cluster(preset, service, age, code):
    assert _code(load_clusters(preset), service, age) == code


def test_an_unknown_age_gives_no_cluster_where_age_decides():
    clusters = load_clusters("poli")
    assert clusters.destination("general", None) is None
    assert _code(clusters, "dental", None) == "GIGI"
    assert clusters.destination("infectious", None) is None


def test_an_unknown_code_is_not_found():
    clusters = load_clusters("poli")
    with pytest.raises(NotFoundError) as caught:
        clusters["XRAY"]
    assert (caught.value.kind, caught.value.key) == ("cluster", "XRAY")
    assert "XRAY" not in clusters
    assert clusters.get("XRAY") is None


def test_a_file_of_the_clinics_own_is_read_and_missing_services_fall_back(tmp_path):
    path = tmp_path / "clusters.toml"
    path.write_text(OWN)
    clusters = load_clusters(str(path))
    assert _code(clusters, "dental", 30) == "SEMUA"
    assert clusters.emergency.code == "SEMUA"
    assert clusters["RUJUK"].stage == "later"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('prefix = "AA"', 'prefix = "abc"', "prefix"),
        ('prefix = "AA"', 'prefix = "Z"', "used twice"),
        ('code = "SEMUA"', 'code = "RUJUK"', "same code"),
        ('code = "SEMUA"', 'code = "semua"', "code"),
        ('name = "Poli Satu Pintu"', "", "name"),
        ('name = "Poli Satu Pintu"', "name = 3", "text"),
        ('stage = "later"', 'stage = "never"', "stage"),
        ('stage = "later"', 'rooms = "2"', "rooms"),
        ('service = "general"', 'service = "surgery"', "surgery"),
        ('service = "general"', 'service = "general", from_years = 5', "emergency"),
        ('service = "general"', 'service = "emergency"', "0 years"),
        ('service = "general"', 'service = "general", from_years = "x"', "whole years"),
        ("[[cluster]]", "[[cluster", "line 2"),
        (OWN, "", "cluster"),
    ],
)
def test_a_wrong_file_stops_with_one_line_that_says_where(tmp_path, old, new, said):
    path = tmp_path / "clusters.toml"
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        load_clusters(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_settings_error(tmp_path):
    with pytest.raises(SettingsError, match="neither poli or ilp"):
        load_clusters(str(tmp_path / "none.toml"))

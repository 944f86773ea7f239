"""The clinic's units and rooms at SATUSEHAT: a tree below the facility, made once, found again, renamed in place."""

from __future__ import annotations

from dataclasses import replace

from core.exchange import service as synchronisation
from core.exchange.satusehat.facility_places import BUILDING
from core.foundation.clinic import Clinic
from core.models import RemoteResource
from core.queues.clusters import ClusterSet
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import changed
from tests.server.satusehat import ORGANIZATION, Satusehat


def outcomes(clinic: Clinic) -> set[str]:
    made, problem = synchronisation.make_places(clinic)
    assert problem is None
    return {place.outcome for place in made}


def test_each_cluster_has_a_unit_and_a_room_below_the_facility(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    made, problem = synchronisation.make_places(changed(clinic, facility_position="-3.3194,114.5908"))
    assert problem is None
    ids = {(place.kind, place.code): place.remote_id for place in made}
    codes = set(clinic.clusters)
    assert ids.keys() == {(kind, code) for kind in ("Organization", "Location") for code in codes} | {
        ("Location", BUILDING)
    }
    units, rooms = ministry.resources["Organization"], ministry.resources["Location"]
    assert {unit["partOf"]["reference"] for unit in units.values()} == {f"Organization/{ORGANIZATION}"}
    building = rooms[ids["Location", BUILDING]]
    assert building["position"] == {"longitude": 114.5908, "latitude": -3.3194}
    for code in codes:
        room = rooms[ids["Location", code]]
        assert room["managingOrganization"]["reference"] == f"Organization/{ids['Organization', code]}"
        assert room["partOf"]["reference"] == f"Location/{building['id']}"


def test_a_second_run_makes_nothing_and_a_lost_answer_is_found_again(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    assert outcomes(clinic) == {"made"}
    before = dict(ministry.asked)
    assert outcomes(clinic) == {"kept"}
    assert dict(ministry.asked) == before, "nothing is asked for"
    RemoteResource.delete().where(RemoteResource.type.in_(["Organization", "Location"])).execute()
    assert outcomes(clinic) == {"made"}
    assert len(ministry.of("Organization")) == len(clinic.clusters), "adopted, not made twice"
    assert len(ministry.of("Location")) == len(clinic.clusters) + 1


def test_a_renamed_cluster_is_renamed_there(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    outcomes(clinic)
    renamed = tuple(
        replace(cluster, name="Poli Contoh") if cluster.code == "UMUM" else cluster
        for cluster in clinic.clusters.values()
    )
    made, _ = synchronisation.make_places(Clinic(clinic.settings, ClusterSet("poli", renamed)))
    assert {place.code for place in made if place.outcome == "changed"} == {"UMUM"}
    assert [unit["name"] for unit in ministry.of("Organization")].count("Poli Contoh") == 1


def test_it_says_what_is_missing_and_what_is_refused(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    for changes, code in (
        ({"sync_target": "office"}, "not_set_up"),
        ({"satusehat_client_secret": "wrong"}, "client_refused"),
        ({"satusehat_organization": "999"}, "facility_refused"),
    ):
        made, problem = synchronisation.make_places(changed(clinic, **changes))
        assert not made
        assert problem is not None
        assert problem.code == code

"""One table of services: everything that names a service names one of them, and every fallback ends."""

import pytest

from core.complaints.vocabulary import Vocabulary
from core.queues.clusters import PRESETS, load_clusters
from core.queues.services import GENERAL, SERVICES, with_fallbacks


@pytest.mark.parametrize("preset", PRESETS)
def test_each_service_that_a_cluster_takes_is_in_the_table(preset):
    named = {taking.service for cluster in load_clusters(preset).values() for taking in cluster.takes}
    assert named - set(SERVICES) == set()


def test_each_service_that_a_rule_names_is_in_the_table():
    named = {service for rule in Vocabulary.load().rules for service in rule.services}
    assert named - set(SERVICES) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_fallbacks_of_a_service_are_known_and_end_at_general_care(service):
    chain = list(with_fallbacks(service))
    assert chain[0] == service
    assert chain[-1] == GENERAL
    assert len(set(chain)) == len(chain)
    assert set(chain) <= set(SERVICES)

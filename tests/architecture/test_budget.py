"""What each action of the core costs: statements and commits exactly as its budget says, bytes at most."""

from __future__ import annotations

import pytest

from bench import budget


@pytest.fixture(scope="module")
def costs() -> dict[str, budget.Cost]:
    return budget.counts()


@pytest.mark.parametrize("action", budget.BUDGET)
def test_an_action_costs_what_its_budget_says(costs: dict[str, budget.Cost], action: str) -> None:
    """One statement more fails, and one less too until the budget is lowered: so no gain is lost again."""
    cost, allowed = costs[action], budget.BUDGET[action]
    assert (cost.statements, cost.commits, cost.syncs) == (
        allowed.statements,
        allowed.commits,
        allowed.syncs,
    )
    assert cost.kilobytes <= allowed.kilobytes


def test_every_action_has_a_budget(costs: dict[str, budget.Cost]) -> None:
    assert costs.keys() == budget.BUDGET.keys()


def test_statements_do_not_grow_with_the_queue() -> None:
    """The same statements whether twelve or forty people wait, for all that is done to one of them."""
    few = budget.counts(waiting=12)
    many = budget.counts(waiting=40)
    assert {name: cost.statements for name, cost in few.items()} == {
        name: cost.statements for name, cost in many.items()
    }

"""Queues: clusters, tickets, calls, and what a pane, a board or a waiting room shows of them."""

__all__ = [
    "board",
    "clusters",
    "day_end",
    "entries",
    "ordering",
    "paper_forms",
    "people_left",
    "place_queries",
    "places",
    "routing_examples",
    "service",
    "service_days",
    "services",
    "ticket_codes",
    "tickets",
    "turns",
    "undo",
    "views",
    "waiting_room",
]

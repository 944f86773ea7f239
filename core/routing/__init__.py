"""Which service cluster a complaint goes to, and why. Pure: no database, no clock."""

from core.routing.checking import Problem, check_vocabulary
from core.routing.explaining import Explanation, explain
from core.routing.facts import Facts, Reason, RedFlag, RoutingDecision, Suggestion, reason_text
from core.routing.learning import Example, Figures, Model, evaluate, train
from core.routing.rules import route
from core.routing.vocabulary import Vocabulary

__all__ = [
    "Example",
    "Explanation",
    "Facts",
    "Figures",
    "Model",
    "Problem",
    "Reason",
    "RedFlag",
    "RoutingDecision",
    "Suggestion",
    "Vocabulary",
    "check_vocabulary",
    "evaluate",
    "explain",
    "reason_text",
    "route",
    "train",
]

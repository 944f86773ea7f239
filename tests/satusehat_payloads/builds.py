"""Run by a Python of its own: makes resources with the builders of `satusehat-integration`."""

from __future__ import annotations

import importlib
import json
import sys

sys.path.insert(0, sys.argv[1])
MODULES = {
    "ObservationBuilder": "observation",
    "ConditionBuilder": "condition",
    "ServiceRequestBuilder": "service_request",
    "ProcedureBuilder": "procedure",
    "ClinicalImpressionBuilder": "clinical_impression",
}

made = []
for fact in json.load(sys.stdin):
    builder = getattr(importlib.import_module(f"src.builder.{MODULES[fact['builder']]}"), fact["builder"])()
    for name, arguments in fact["calls"]:
        getattr(builder, name)(*arguments)
    made.append(builder.build())
json.dump(made, sys.stdout)

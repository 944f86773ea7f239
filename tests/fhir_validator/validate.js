// Reads FHIR R4 resources, one JSON document a line, and prints what is wrong with each as a JSON list.
"use strict";
const readline = require("node:readline");
const { Fhir } = require("fhir/fhir");

const fhir = new Fhir();

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { messages } = fhir.validate(JSON.parse(line), { errorOnUnexpected: true });
  const wrong = messages.filter((message) => ["error", "fatal"].includes(message.severity));
  process.stdout.write(JSON.stringify(wrong.map(({ location, message }) => `${location}: ${message}`)) + "\n");
});

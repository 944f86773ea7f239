// Lines of JSON in, lines of JSON out: what BPJS would send, and what a client in JavaScript would read.
const crypto = require("crypto");
const lz = require("lz-string");

function cipher(make, { consumerId, secret, timestamp }) {
  const key = crypto.createHash("sha256").update(consumerId + secret + timestamp).digest();
  return make("aes-256-cbc", key, key.subarray(0, 16));
}

const calls = {
  seal(asked) {
    const packed = lz.compressToEncodedURIComponent(JSON.stringify(asked.document));
    const sealing = cipher(crypto.createCipheriv, asked);
    return Buffer.concat([sealing.update(packed, "utf8"), sealing.final()]).toString("base64");
  },
  open(asked) {
    const opening = cipher(crypto.createDecipheriv, asked);
    const packed = Buffer.concat([opening.update(Buffer.from(asked.text, "base64")), opening.final()]);
    return JSON.parse(lz.decompressFromEncodedURIComponent(packed.toString("utf8")));
  },
  sign(asked) {
    const signed = crypto.createHmac("sha256", asked.secret).update(asked.consumerId + "&" + asked.timestamp);
    return signed.digest("base64");
  },
};

const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
console.log(JSON.stringify(lines.map((line) => JSON.parse(line)).map((asked) => calls[asked.call](asked))));

// node verify.js FOLDER: what mailauth and libmime see in each *.eml, as one JSON object a line.
// FOLDER/records.json holds the DNS: {"selector._domainkey.domain": "v=DKIM1; ..."}.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { dkimVerify } = require("mailauth/lib/dkim/verify");
const libmime = require("libmime");

const folder = process.argv[2];
const records = JSON.parse(fs.readFileSync(path.join(folder, "records.json"), "utf8"));

const resolver = async (name, type) => {
  if (type === "TXT" && records[name]) {
    return [[records[name]]];
  }
  const error = new Error("no such record");
  error.code = "ENOTFOUND";
  throw error;
};

const see = async (file) => {
  const message = fs.readFileSync(path.join(folder, file));
  const { results, headers } = await dkimVerify(message, { resolver });
  const header = message.toString("latin1").split("\r\n\r\n", 1)[0];
  const fields = libmime.decodeHeaders(header);
  return {
    file,
    results: results.map((each) => ({
      selector: each.selector,
      result: each.status.result,
      comment: each.status.comment || null,
    })),
    names: headers.parsed.map((each) => each.key).reverse(),
    libmimeNames: Object.keys(fields).sort(),
    subject: libmime.decodeWords((fields.subject || [""])[0]),
  };
};

(async () => {
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".eml")).sort()) {
    process.stdout.write(JSON.stringify(await see(file)) + "\n");
  }
})();

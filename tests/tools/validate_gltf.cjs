// Runs the glTF-Validator over each file named on the command line; prints one JSON list of its reports.
const fs = require("node:fs");
const path = require("node:path");
const validator = require("gltf-validator");

async function reportOf(file) {
  const folder = path.dirname(file);
  return validator.validateBytes(new Uint8Array(fs.readFileSync(file)), {
    uri: path.basename(file),
    maxIssues: 0,
    externalResourceFunction: (uri) =>
      Promise.resolve(new Uint8Array(fs.readFileSync(path.join(folder, decodeURIComponent(uri))))),
  });
}

Promise.all(process.argv.slice(2).map(reportOf)).then(
  (reports) => process.stdout.write(JSON.stringify(reports)),
  (error) => {
    process.stderr.write(`${error}\n`);
    process.exit(1);
  },
);

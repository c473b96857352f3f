// Says what the official parser finds in AsyncAPI documents: [{file, severity, path, message}] as JSON.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
const found = [];
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(await readFile(file, "utf8"), { source: file });
  for (const { severity, path, message } of diagnostics) found.push({ file, severity, path: path.join("/"), message });
  if (!document && !found.length) found.push({ file, severity: 0, path: "", message: "it is no document" });
}
process.stdout.write(JSON.stringify(found));

// A peer of bench/ingest.py: what a careful Node service does with a HubSpot delivery. Express, the signature of version 3 over the raw body,
// better-sqlite3 with WAL and synchronous=FULL, one commit for each delivery before its answer.
import { createRequire } from "node:module";
import crypto from "node:crypto";

const require = createRequire(process.cwd() + "/");
const express = require("express");
const Database = require("better-sqlite3");

const [path, publicUrl, secret] = process.argv.slice(2);
const db = new Database(path);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`CREATE TABLE inbox (id INTEGER PRIMARY KEY, connection TEXT NOT NULL, event_key TEXT NOT NULL, kind TEXT NOT NULL, remote_id TEXT NOT NULL,
  is_done INTEGER NOT NULL, received_ms INTEGER NOT NULL, UNIQUE (connection, event_key));
  CREATE INDEX inbox_by_progress ON inbox (is_done, received_ms)`);
const put = db.prepare("INSERT INTO inbox (connection, event_key, kind, remote_id, is_done, received_ms) VALUES ('bench', ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING");
const store = db.transaction((events) => {
  for (const event of events) {
    put.run(String(event.eventId), event.subscriptionType.split(".")[0], String(event.objectId), Date.now());
  }
});

const app = express();
app.disable("x-powered-by");
app.set("etag", false);
app.post("/api/crm/webhooks/bench", express.raw({ type: "application/json", limit: "1mb" }), (request, response) => {
  const time = request.get("x-hubspot-request-timestamp") ?? "";
  const wanted = crypto.createHmac("sha256", secret).update("POST" + publicUrl + request.originalUrl).update(request.body).update(time).digest();
  const given = Buffer.from(request.get("x-hubspot-signature-v3") ?? "", "base64");
  if (given.length !== wanted.length || !crypto.timingSafeEqual(given, wanted) || Math.abs(Date.now() - Number(time)) > 300000) {
    return response.status(401).end();
  }
  store(JSON.parse(request.body));
  response.status(204).end();
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));

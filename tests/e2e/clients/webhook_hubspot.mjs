// Webhooks signed by HubSpot's own helper, sent to a running service: taken, repeated, and refused when a byte of them is another.
import assert from "node:assert/strict";
import { Signature } from "@hubspot/api-client";

const { WEBHOOK_URL, PUBLIC_URL, CLIENT_SECRET, PORTAL, CONTACT } = process.env;
assert.ok(WEBHOOK_URL && PUBLIC_URL && CLIENT_SECRET && PORTAL && CONTACT, "the environment has to name what is tested");
let checks = 0;

function events(count) {
  return JSON.stringify(
    Array.from({ length: count }, (_, index) => ({
      eventId: 1000 + index + Math.floor(Math.random() * 1e9),
      subscriptionId: 1,
      portalId: Number(PORTAL),
      appId: 9001,
      occurredAt: Date.now(),
      subscriptionType: "contact.propertyChange",
      propertyName: "firstname",
      propertyValue: "Zoë 東京",
      attemptNumber: 0,
      objectId: Number(CONTACT) + index,
      changeSource: "CRM_UI",
    })),
  );
}

function sign(body, timestamp, secret = CLIENT_SECRET) {
  return Signature.getSignature("POST", "v3", { signatureVersion: "v3", clientSecret: secret, requestBody: body, timestamp, url: PUBLIC_URL, method: "POST" });
}

async function send(body, timestamp, signature) {
  const headers = { "Content-Type": "application/json", "X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": String(timestamp) };
  const answer = await fetch(WEBHOOK_URL, { method: "POST", headers, body });
  return answer.status;
}

async function check(what, expected, status) {
  assert.equal(await status, expected, what);
  checks++;
}

const now = Date.now();
const body = events(1);
const signature = sign(body, now);

await check("one event", 200, send(body, now, signature));
await check("the same again", 200, send(body, now, signature));
const many = events(100);
await check("a hundred events", 200, send(many, now, sign(many, now)));
await check("another body", 401, send(body.replace("CRM_UI", "CRM_UX"), now, signature));
await check("another time", 401, send(body, now + 1, signature));
await check("another secret", 401, send(body, now, sign(body, now, "guessed")));
const old = now - 301_000;
await check("too old", 401, send(body, old, sign(body, old)));
const ahead = now + 90_000;
await check("ahead of the clock", 401, send(body, ahead, sign(body, ahead)));
await check("no list", 400, send("{}", now, sign("{}", now)));

console.log(`${checks} checks passed`);

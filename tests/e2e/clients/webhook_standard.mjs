// Events as an endpoint got them, checked by the package of the Standard Webhooks project: one JSON object a line, {"secret", "headers", "body"}.
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let taken = 0;
let refused = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  const webhook = new Webhook(secret);
  webhook.verify(body, headers);
  taken++;
  try {
    webhook.verify(body.replace("e", "E"), headers);
  } catch {
    refused++;
  }
}
console.log(JSON.stringify({ taken, refused }));

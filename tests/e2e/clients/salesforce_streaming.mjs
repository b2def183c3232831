// jsforce's streaming client (CometD by faye) against the simulator: change events as they come, and what was missed.
import assert from "node:assert/strict";
import jsforce from "jsforce";
import { StreamingExtension } from "jsforce/lib/api/streaming.js";

const url = process.env.SIM_URL;
const accessToken = process.env.SIM_TOKEN;
assert.ok(url && accessToken, "SIM_URL and SIM_TOKEN have to be set");
const connection = new jsforce.Connection({ instanceUrl: url, accessToken, version: "66.0", callOptions: { client: "jsforce-test" } });
const contacts = connection.sobject("Contact");
let checks = 0;

async function check(what, act) {
  try {
    await act();
    checks++;
  } catch (error) {
    error.message = `${what}: ${error.message}`;
    throw error;
  }
}

function order(what) {
  return fetch(`${url}/__sim/events`, { method: "POST", body: JSON.stringify(what) }).then((answer) => assert.equal(answer.status, 200));
}

// Resolves with the events that arrive until there are as many as wanted.
async function listen(channel, replay, wanted, act) {
  const extension = new StreamingExtension.Replay(channel, replay);
  const client = connection.streaming.createClient([extension]);
  const events = [];
  let enough;
  const arrived = new Promise((resolve) => (enough = resolve));
  const late = setTimeout(enough, 20000);

  await client.subscribe(channel, (event) => {
    events.push(event);
    if (events.length === wanted) enough();
  });
  await act();
  await arrived;
  clearTimeout(late);
  await client.disconnect();
  assert.equal(events.length, wanted);
  return events;
}

const header = (event) => event.payload.ChangeEventHeader;
let id, first;

await order({ selected: ["Contact"] });

await check("a create, an update and a delete arrive", async () => {
  const events = await listen("/data/ContactChangeEvent", -1, 3, async () => {
    id = (await contacts.create({ LastName: "Ito", MailingCity: "Kobe" })).id;
    await contacts.update({ Id: id, LastName: "Mori" });
    await contacts.destroy(id);
  });
  assert.deepEqual(events.map((event) => header(event).changeType), ["CREATE", "UPDATE", "DELETE"]);
  assert.deepEqual(header(events[0]).recordIds, [id]);
  assert.equal(header(events[0]).changeOrigin, "com/salesforce/api/rest/66.0;client=jsforce-test");
  assert.equal(events[0].payload.MailingAddress.City, "Kobe");
  assert.equal(events[1].payload.Name.LastName, "Mori");
  first = events[0].event.replayId;
});

await check("what was missed is replayed behind an id, and all of it from the start", async () => {
  const missed = await listen("/data/ChangeEvents", first, 2, async () => {});
  assert.deepEqual(missed.map((event) => header(event).changeType), ["UPDATE", "DELETE"]);
  assert.equal((await listen("/data/ChangeEvents", -2, 3, async () => {})).length, 3);
});

await check("a channel that does not exist is refused", async () => {
  const client = connection.streaming.createClient([]);
  const reason = await client.subscribe("/data/NothingChangeEvent", () => {}).then(() => null, (error) => error);
  assert.match(String(reason?.message ?? reason), /doesn't exist/);
  await client.disconnect();
});

console.log(`${checks} checks passed`);
process.exit(0);

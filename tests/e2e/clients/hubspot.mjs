// HubSpot's own client against the simulator: what it sends and what it makes of the answers is not our reading of the API.
// SIM_URL and SIM_TOKEN say where the simulator is. Ends with "N checks passed" or a failed assertion.
import assert from "node:assert/strict";
import { Client } from "@hubspot/api-client";

const basePath = process.env.SIM_URL;
const accessToken = process.env.SIM_TOKEN;
assert.ok(basePath && accessToken, "SIM_URL and SIM_TOKEN have to be set");
const hubspot = new Client({ basePath, accessToken, numberOfApiCallRetries: 0 });
const { contacts, companies, objects, properties, owners, associations } = hubspot.crm;
const run = Date.now().toString(36);
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

async function refused(status, act) {
  const error = await act().then(() => null, (reason) => reason);
  assert.ok(error, "was not refused");
  assert.equal(error.code, status, error.message);
  return error.body;
}

let ada, bea, firm;

await check("a contact is created", async () => {
  ada = await contacts.basicApi.create({ properties: { email: `Ada.${run}@client.example`, firstname: "Ada" }, associations: [] });
  assert.match(ada.id, /^\d+$/);
  assert.equal(ada.properties.email, `ada.${run}@client.example`);
  assert.ok(ada.createdAt instanceof Date && !Number.isNaN(ada.createdAt.getTime()));
});

await check("the same address twice is a conflict that names the first", async () => {
  const body = await refused(409, () => contacts.basicApi.create({ properties: { email: `ada.${run}@client.example` }, associations: [] }));
  assert.match(body.message, new RegExp(`Existing ID: ${ada.id}$`));
  assert.equal(body.category, "CONFLICT");
});

await check("an unknown property is refused", async () => {
  const body = await refused(400, () => contacts.basicApi.update(ada.id, { properties: { no_such_property: "1" } }));
  assert.equal(body.errors[0].code, "PROPERTY_DOESNT_EXIST");
});

await check("it is read by id and by e-mail", async () => {
  const byId = await contacts.basicApi.getById(ada.id, ["firstname", "phone"], undefined, undefined, false);
  assert.equal(byId.properties.firstname, "Ada");
  assert.equal(byId.properties.phone ?? null, null); // the client turns null into undefined
  assert.ok("phone" in byId.properties);
  const byEmail = await contacts.basicApi.getById(ada.properties.email, ["email"], undefined, undefined, false, "email");
  assert.equal(byEmail.id, ada.id);
});

await check("it is updated, with history", async () => {
  const updated = await contacts.basicApi.update(ada.id, { properties: { jobtitle: "Rigger" } });
  assert.equal(updated.properties.jobtitle, "Rigger");
  const read = await contacts.basicApi.getById(ada.id, undefined, ["jobtitle"], undefined, false);
  assert.equal(read.propertiesWithHistory.jobtitle[0].value, "Rigger");
  assert.equal(read.propertiesWithHistory.jobtitle[0].sourceType, "INTEGRATION");
});

await check("a batch with trace ids comes back in part", async () => {
  const answer = await contacts.batchApi.create({
    inputs: [
      { objectWriteTraceId: "one", properties: { email: `bea.${run}@client.example`, firstname: "Bea" }, associations: [] },
      { objectWriteTraceId: "two", properties: { email: `ada.${run}@client.example` }, associations: [] },
    ],
  });
  assert.equal(answer.results.length, 1);
  assert.equal(answer.numErrors, 1);
  assert.deepEqual(answer.errors[0].context.objectWriteTraceId, ["two"]);
  bea = answer.results[0];
});

await check("a batch is read, with the missing ones told", async () => {
  const answer = await contacts.batchApi.read({
    inputs: [{ id: ada.id }, { id: "1" }], properties: ["email"], propertiesWithHistory: [],
  });
  assert.deepEqual(answer.results.map((row) => row.id), [ada.id]);
  assert.deepEqual(answer.errors[0].context.ids, ["1"]);
});

await check("a batch is updated", async () => {
  const answer = await contacts.batchApi.update({ inputs: [{ id: ada.id, properties: { city: "Bergen" } }, { id: bea.id, properties: { city: "Oslo" } }] });
  assert.deepEqual(answer.results.map((row) => row.properties.city).sort(), ["Bergen", "Oslo"]);
});

await check("a property with unique values is defined and upserted by", async () => {
  const name = `key_${run}`;
  const made = await properties.coreApi.create("companies", {
    name, label: "Key", groupName: "companyinformation", type: "string", fieldType: "text", hasUniqueValue: true,
  });
  assert.equal(made.hasUniqueValue, true);
  const upsert = () => companies.batchApi.upsert({ inputs: [{ id: "k-1", idProperty: name, properties: { [name]: "k-1", name: "Firm" } }] });
  const first = (await upsert()).results[0];
  const second = (await upsert()).results[0];
  assert.equal(first._new, true);
  assert.equal(second._new, false);
  assert.equal(first.id, second.id);
  firm = first;
  assert.ok((await properties.coreApi.getAll("companies")).results.some((property) => property.name === name));
});

await check("search finds them", async () => {
  const answer = await contacts.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: "email", operator: "CONTAINS_TOKEN", value: `*.${run}*` }] }],
    sorts: ["-createdate"], properties: ["email"], limit: 1, after: "0",
  });
  assert.equal(answer.total, 2);
  assert.equal(answer.results.length, 1);
  assert.equal(answer.paging.next.after, "1");
});

await check("contact and company are associated, both ways", async () => {
  await associations.v4.basicApi.createDefault("contacts", ada.id, "companies", firm.id);
  const there = await associations.v4.basicApi.getPage("contacts", ada.id, "companies");
  assert.equal(String(there.results[0].toObjectId), firm.id);
  assert.deepEqual(there.results[0].associationTypes.map((type) => type.typeId).sort((x, y) => x - y), [1, 279]);
  const back = await associations.v4.batchApi.getPage("companies", "contacts", { inputs: [{ id: firm.id }] });
  assert.equal(String(back.results[0].to[0].toObjectId), ada.id);
  const inline = await contacts.basicApi.getById(ada.id, undefined, undefined, ["companies"], false);
  assert.equal(inline.associations.companies.results[0].id, firm.id);
  const labels = await associations.v4.schema.definitionsApi.getAll("contacts", "companies");
  assert.ok(labels.results.some((label) => label.typeId === 279));
});

await check("a page follows a page", async () => {
  const page = await contacts.basicApi.getPage(1, undefined, ["email"]);
  assert.equal(page.results.length, 1);
  const next = await contacts.basicApi.getPage(1, page.paging.next.after, ["email"]);
  assert.notEqual(next.results[0].id, page.results[0].id);
  assert.ok((await contacts.getAll(100, undefined, ["email"])).length >= 2);
});

await check("a note is made on the contact", async () => {
  const note = await objects.notes.basicApi.create({
    properties: { hs_note_body: "called", hs_timestamp: new Date().toISOString() },
    associations: [{ to: { id: ada.id }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 202 }] }],
  });
  const linked = await associations.v4.basicApi.getPage("notes", note.id, "contacts");
  assert.equal(String(linked.results[0].toObjectId), ada.id);
});

await check("owners are listed", async () => {
  const page = await owners.ownersApi.getPage(undefined, undefined, 2);
  assert.equal(page.results.length, 2);
  assert.equal((await owners.ownersApi.getById(Number(page.results[0].id), "id")).id, page.results[0].id);
});

await check("a merge makes a new record and the old ids lead to it", async () => {
  const merged = await contacts.basicApi.merge({ primaryObjectId: ada.id, objectIdToMerge: bea.id });
  assert.notEqual(merged.id, ada.id);
  assert.equal((await contacts.basicApi.getById(bea.id)).id, merged.id);
  const linked = await associations.v4.basicApi.getPage("contacts", merged.id, "companies");
  assert.equal(String(linked.results[0].toObjectId), firm.id);
  ada = merged;
});

await check("an archived record is found among the archived only", async () => {
  await contacts.basicApi.archive(ada.id);
  await refused(404, () => contacts.basicApi.getById(ada.id));
  const archived = await contacts.basicApi.getById(ada.id, undefined, undefined, undefined, true);
  assert.equal(archived.archived, true);
  assert.ok(archived.archivedAt instanceof Date);
});

await check("a wrong token is refused", async () => {
  const stranger = new Client({ basePath, accessToken: "wrong", numberOfApiCallRetries: 0 });
  await refused(401, () => stranger.crm.contacts.basicApi.getPage());
});

console.log(`${checks} checks passed`);

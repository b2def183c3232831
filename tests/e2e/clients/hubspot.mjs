// HubSpot's own client against the simulator: what it sends and what it makes of the answers is not our reading of the API.
// SIM_URL and SIM_TOKEN say where the simulator is. Ends with "N checks passed" or a failed assertion.
import assert from "node:assert/strict";
import { Client } from "@hubspot/api-client";

const basePath = process.env.SIM_URL;
const accessToken = process.env.SIM_TOKEN;
assert.ok(basePath && accessToken, "SIM_URL and SIM_TOKEN have to be set");
const hubspot = new Client({ basePath, accessToken, numberOfApiCallRetries: 0 });
const { contacts, companies, deals, tickets, objects, properties, pipelines, schemas, owners, associations } = hubspot.crm;
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

const link = (id, associationTypeId) => ({ to: { id }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId }] });
let deal;

await check("a deal is made with two contacts and a company, and closed", async () => {
  deal = await deals.basicApi.create({
    properties: { dealname: "Refit", amount: "1200.50", pipeline: "default", dealstage: "qualifiedtobuy" },
    associations: [link(ada.id, 3), link(bea.id, 3), link(firm.id, 341)],
  });
  assert.equal(deal.properties.amount, "1200.50");
  const linked = await associations.v4.batchApi.getPage("deals", "contacts", { inputs: [{ id: deal.id }] });
  assert.deepEqual(linked.results[0].to.map((row) => String(row.toObjectId)).sort(), [ada.id, bea.id].sort());
  await deals.basicApi.update(deal.id, { properties: { pipeline: "default", dealstage: "closedwon" } });
  const read = await deals.basicApi.getById(deal.id, ["hs_is_closed", "dealstage"], ["dealstage"]);
  assert.equal(read.properties.hs_is_closed, "true");
  assert.deepEqual(read.propertiesWithHistory.dealstage.map((row) => row.value), ["closedwon", "qualifiedtobuy"]);
  const body = await refused(400, () => deals.basicApi.update(deal.id, { properties: { dealstage: "1" } }));
  assert.equal(body.errors[0].code, "INVALID_OPTION");
});

await check("contacts of a deal come and go in batches", async () => {
  const pair = [{ _from: { id: deal.id }, to: [{ id: bea.id }] }];
  await associations.v4.batchApi.archive("deals", "contacts", { inputs: pair });
  assert.equal((await associations.v4.basicApi.getPage("deals", deal.id, "contacts")).results.length, 1);
  await associations.v4.batchApi.create("deals", "contacts", {
    inputs: [{ _from: { id: deal.id }, to: { id: bea.id }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 3 }] }],
  });
  assert.equal((await associations.v4.basicApi.getPage("deals", deal.id, "contacts")).results.length, 2);
});

await check("pipelines and their stages are listed", async () => {
  const sales = (await pipelines.pipelinesApi.getAll("deals")).results[0];
  assert.equal(sales.id, "default");
  assert.deepEqual(sales.stages.filter((stage) => stage.metadata.isClosed === "true").map((stage) => stage.id), ["closedwon", "closedlost"]);
  const stage = await pipelines.pipelineStagesApi.getById("tickets", "0", "4");
  assert.equal(stage.metadata.ticketState, "CLOSED");
});

await check("a ticket is made and moved", async () => {
  const ticket = await tickets.basicApi.create({ properties: { subject: "Leak", hs_pipeline: "0", hs_pipeline_stage: "1" }, associations: [link(ada.id, 16)] });
  const moved = await tickets.basicApi.update(ticket.id, { properties: { hs_pipeline_stage: "4", hs_ticket_priority: "HIGH" } });
  assert.equal(moved.properties.hs_pipeline_stage, "4");
  await refused(400, () => tickets.basicApi.create({ properties: { subject: "No stage" }, associations: [] }));
});

await check("the other activities are made on the deal", async () => {
  const hs_timestamp = new Date().toISOString();
  const made = {
    calls: [206, { hs_call_title: "Call", hs_timestamp }],
    emails: [210, { hs_email_subject: "Mail", hs_email_direction: "EMAIL", hs_timestamp }],
    meetings: [212, { hs_meeting_title: "Meeting", hs_timestamp }],
    tasks: [216, { hs_task_subject: "Task", hs_task_status: "NOT_STARTED", hs_timestamp }],
  };
  for (const [type, [typeId, values]] of Object.entries(made)) {
    const activity = await objects[type].basicApi.create({ properties: values, associations: [link(deal.id, typeId)] });
    const linked = await associations.v4.basicApi.getPage("deals", deal.id, type);
    assert.equal(String(linked.results[0].toObjectId), activity.id, type);
    await refused(400, () => objects[type].basicApi.create({ properties: {}, associations: [] }));
  }
});

await check("a property group is made, and a property in it", async () => {
  const group = await properties.groupsApi.create("deals", { name: `sea_${run}`, label: "Sea" });
  const options = [{ label: "Low", value: "low", displayOrder: 0, hidden: false }];
  const made = await properties.coreApi.create("deals", {
    name: `tide_${run}`, label: "Tide", groupName: group.name, type: "enumeration", fieldType: "select", options,
  });
  const more = await properties.coreApi.update("deals", made.name, { options: [...made.options, { label: "High", value: "high", displayOrder: 1, hidden: false }] });
  assert.deepEqual(more.options.map((option) => option.value), ["low", "high"]);
  assert.ok((await properties.groupsApi.getAll("deals")).results.some((each) => each.name === group.name));
});

await check("an object of the account's own is defined and used", async () => {
  const schema = await schemas.coreApi.create({
    name: `berth_${run}`, labels: { singular: "Berth", plural: "Berths" }, primaryDisplayProperty: "berth_name",
    requiredProperties: ["berth_name"], searchableProperties: ["berth_name"], secondaryDisplayProperties: [],
    properties: [{ name: "berth_name", label: "Name", type: "string", fieldType: "text" }], associatedObjects: ["CONTACT"],
  });
  assert.equal(schema.fullyQualifiedName, `p4242_berth_${run}`);
  const berth = await objects.basicApi.create(schema.objectTypeId, { properties: { berth_name: "A1" }, associations: [] });
  await associations.v4.basicApi.createDefault(schema.objectTypeId, berth.id, "contacts", ada.id);
  const linked = await associations.v4.basicApi.getPage("contacts", ada.id, `p_berth_${run}`);
  assert.equal(String(linked.results[0].toObjectId), berth.id);
  assert.ok((await schemas.coreApi.getAll(false)).results.some((each) => each.objectTypeId === schema.objectTypeId));
});

await check("owners are listed", async () => {
  const page = await owners.ownersApi.getPage(undefined, undefined, 2);
  assert.equal(page.results.length, 2);
  assert.equal((await owners.ownersApi.getById(Number(page.results[0].id), "id")).id, page.results[0].id);
  assert.match(page.results[0].email, /@/);
  const gone = await owners.ownersApi.getPage(undefined, undefined, 100, true);
  assert.ok(gone.results.length >= 1 && gone.results.every((owner) => owner.archived && owner.userId === null));
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

await check("a person signs in, the token is refreshed and looked up", async () => {
  const { SIM_CLIENT_ID: id, SIM_CLIENT_SECRET: secret } = process.env;
  const back = "http://localhost:8710/callback";
  const consent = new URL(hubspot.oauth.getAuthorizationUrl(id, back, "oauth crm.objects.contacts.read"));
  const page = await fetch(`${basePath}/oauth/authorize${consent.search}`, { redirect: "manual" });
  const code = new URL(page.headers.get("location")).searchParams.get("code");
  const api = new Client({ basePath, numberOfApiCallRetries: 0 });
  const first = await api.oauth.tokensApi.create("authorization_code", code, back, id, secret);
  assert.equal(first.expiresIn, 1800);
  const second = await api.oauth.tokensApi.create("refresh_token", undefined, undefined, id, secret, first.refreshToken);
  assert.notEqual(second.accessToken, first.accessToken);
  const info = await api.oauth.accessTokensApi.get(second.accessToken);
  assert.deepEqual(info.scopes, ["oauth", "crm.objects.contacts.read"]);
  api.setAccessToken(second.accessToken);
  await api.crm.contacts.basicApi.getPage(1);
  const body = await refused(403, () => api.crm.deals.basicApi.getPage(1));
  assert.equal(body.category, "MISSING_SCOPES");
  await api.oauth.refreshTokensApi.archive(first.refreshToken);
  await refused(400, () => api.oauth.tokensApi.create("refresh_token", undefined, undefined, id, secret, first.refreshToken));
});

console.log(`${checks} checks passed`);

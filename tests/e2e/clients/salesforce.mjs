// jsforce, the client that most of the Node.js world uses, against the simulator: unchanged but for the login URL. SIM_URL says where the simulator
// is, SIM_CLIENT_ID, SIM_CLIENT_SECRET, SIM_USERNAME and SIM_PASSWORD how to sign in. Ends with "N checks passed" or a failed assertion.
import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import jsforce from "jsforce";

const { SIM_URL: url, SIM_CLIENT_ID: clientId, SIM_CLIENT_SECRET: clientSecret } = process.env;
const { SIM_USERNAME: username, SIM_PASSWORD: password } = process.env;
assert.ok(url && clientId && clientSecret && username && password, "the SIM_… variables have to be set");
const redirectUri = "http://localhost:8710/callback";
const version = "66.0";
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

async function order(body) {
  const answer = await fetch(`${url}/__sim/oauth`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

// What a browser does after a person said yes.
async function consent(oauth2, params) {
  const page = await fetch(oauth2.getAuthorizationUrl(params), { redirect: "manual" });
  assert.equal(page.status, 302);
  return new URL(page.headers.get("location")).searchParams;
}

const app = (more) => ({ loginUrl: url, clientId, clientSecret, redirectUri, ...more });
const names = (records) => records.map((record) => record.LastName);
let conn;

await check("a code with a verifier opens a connection, and who it is", async () => {
  await order({ challenge_required: true });
  const oauth2 = new jsforce.OAuth2(app({ useVerifier: true }));
  const back = await consent(oauth2, { scope: "api refresh_token id", state: "s 1" });
  assert.equal(back.get("state"), "s 1");
  conn = new jsforce.Connection({ oauth2, version });
  const info = await conn.authorize(back.get("code"), { code_verifier: oauth2.codeVerifier });
  await order({ challenge_required: false });
  assert.match(info.organizationId, /^00D.{15}$/);
  assert.equal(conn.instanceUrl, url);
  const identity = await conn.identity();
  assert.equal(identity.user_id, info.id);
  assert.equal(identity.username, username);
});

await check("an expired session is refreshed unseen", async () => {
  let refreshed = 0;
  conn.on("refresh", () => refreshed++);
  await order({ expire_access: true });
  assert.ok((await conn.limits()).DailyApiRequests.Max > 0);
  assert.equal(refreshed, 1);
});

await check("user name and password sign in, and out", async () => {
  const other = new jsforce.Connection({ loginUrl: url, version });
  const info = await other.login(username, password);
  assert.match(info.id, /^005/);
  assert.equal(other.instanceUrl, url);
  assert.equal((await other.soap.getUserInfo()).userName, username);
  const { accessToken } = other;
  await other.logout();
  const late = new jsforce.Connection({ instanceUrl: url, accessToken, version });
  await assert.rejects(late.limits(), { errorCode: "INVALID_SESSION_ID" });
  await assert.rejects(new jsforce.Connection({ loginUrl: url, version }).login(username, "wrong"), /INVALID_LOGIN/);
});

await check("an app signs in as itself", async () => {
  const own = new jsforce.Connection({ oauth2: app(), version });
  await own.authorize({ grant_type: "client_credentials" });
  assert.ok((await own.limits()).DailyApiRequests);
});

await check("an app signs in with its key", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await order({ jwt_user: { username, public_key: publicKey.export({ type: "spki", format: "pem" }) } });
  const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 120;
  const text = `${part({ alg: "RS256" })}.${part({ iss: clientId, sub: username, aud: "https://login.salesforce.com", exp })}`;
  const assertion = `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
  const own = new jsforce.Connection({ loginUrl: url, version });
  await own.authorize({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  assert.equal((await own.identity()).username, username);
});

await check("objects are described", async () => {
  const { sobjects } = await conn.describeGlobal();
  assert.ok(["Account", "Contact", "Lead", "Opportunity"].every((name) => sobjects.some((object) => object.name === name)));
  const contact = await conn.sobject("Contact").describe();
  const email = contact.fields.find((field) => field.name === "Email");
  assert.equal(email.type, "email");
  assert.equal(email.idLookup, true);
});

let firm, people;

await check("one record is created, read, updated and deleted", async () => {
  const accounts = conn.sobject("Account");
  firm = await accounts.create({ Name: `Quay ${run}`, NumberOfEmployees: 12 });
  assert.equal(firm.success, true);
  assert.match(firm.id, /^001.{15}$/);
  assert.equal((await accounts.retrieve(firm.id)).NumberOfEmployees, 12);
  await accounts.update({ Id: firm.id, Phone: "+49 30 5" });
  assert.equal((await accounts.retrieve(firm.id)).Phone, "+49 30 5");
  const gone = await accounts.create({ Name: `Gone ${run}` });
  assert.equal((await accounts.destroy(gone.id)).success, true);
  await assert.rejects(accounts.retrieve(gone.id), { errorCode: "NOT_FOUND" });
  await assert.rejects(accounts.create({ Phone: "1" }), { errorCode: "REQUIRED_FIELD_MISSING" });
});

await check("many are created in one call, with one refused", async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({
    LastName: `Ode ${run} ${String(i).padStart(2, "0")}`,
    Email: `ode${i}.${run}@client.example`,
    AccountId: firm.id,
  }));
  people = await conn.sobject("Contact").create([...rows, { FirstName: "Nobody" }]);
  assert.equal(people.length, 31);
  assert.ok(people.slice(0, 30).every((result) => result.success));
  assert.equal(people[30].success, false);
  assert.equal(people[30].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
  people = people.slice(0, 30).map((result) => result.id);
});

await check("a query is paged, counted and joined", async () => {
  const soql = `SELECT Id, LastName, Account.Name FROM Contact WHERE LastName LIKE 'Ode ${run}%' ORDER BY LastName`;
  const all = await conn.query(soql, { autoFetch: true, maxFetch: 1000 });
  assert.equal(all.totalSize, 30);
  assert.equal(all.records[7].Account.Name, `Quay ${run}`);
  assert.deepEqual(names(all.records), names(all.records).toSorted());
  const found = await conn.sobject("Contact").find({ Email: `ode3.${run}@client.example` }, ["Id", "Name"]);
  assert.deepEqual(found.map(({ Id }) => Id), [people[3]]);
  assert.equal(await conn.sobject("Contact").count({ AccountId: firm.id }), 30);
  const nested = await conn.query(`SELECT Name, (SELECT LastName FROM Contacts LIMIT 5) FROM Account WHERE Id = '${firm.id}'`);
  assert.equal(nested.records[0].Contacts.records.length, 5);
  await assert.rejects(conn.query("SELECT Nothing__c FROM Contact"), { errorCode: "INVALID_FIELD" });
  await assert.rejects(conn.query("SELECT Id FROM"), { errorCode: "MALFORMED_QUERY" });
});

await check("a long query goes on where it stopped", async () => {
  const rows = Array.from({ length: 420 }, (_, i) => ({ LastName: `Long ${run}`, Email: `long${i}.${run}@client.example` }));
  const made = await conn.sobject("Contact").create(rows, { allowRecursive: true });
  assert.ok(made.every((result) => result.success));
  const pages = [];
  let page = await conn.query(`SELECT Id FROM Contact WHERE LastName = 'Long ${run}'`, { headers: { "Sforce-Query-Options": "batchSize=200" } });
  for (pages.push(page.records.length); !page.done; pages.push(page.records.length)) {
    page = await conn.queryMore(page.nextRecordsUrl);
  }
  assert.deepEqual(pages, [200, 200, 20]);
  const results = await conn.sobject("Contact").destroy(made.map(({ id }) => id), { allowRecursive: true });
  assert.ok(results.every((result) => result.success));
});

await check("many are read, updated and deleted by id", async () => {
  const contacts = conn.sobject("Contact");
  const read = await contacts.retrieve(people.slice(0, 5));
  assert.deepEqual(read.map(({ Id }) => Id), people.slice(0, 5));
  const saved = await contacts.update(people.slice(0, 3).map((Id) => ({ Id, Title: "Pilot" })));
  assert.ok(saved.every((result) => result.success));
  assert.equal((await contacts.find({ Title: "Pilot", AccountId: firm.id })).length, 3);
  const gone = await contacts.destroy([people[28], people[29]]);
  assert.ok(gone.every((result) => result.success));
});

await check("deleted rows are seen by queryAll alone", async () => {
  const soql = `SELECT Id, IsDeleted FROM Contact WHERE LastName LIKE 'Ode ${run}%' AND IsDeleted = true`;
  assert.equal((await conn.query(soql)).totalSize, 0);
  const { records } = await conn.query(soql, { scanAll: true });
  assert.deepEqual(records.map(({ Id }) => Id).toSorted(), [people[28], people[29]].toSorted());
});

const key = `Key_${run.toUpperCase()}__c`;

await check("an administrator's tool adds a field and lets people see it", async () => {
  const made = await conn.tooling.create("CustomField", {
    FullName: `Contact.${key}`,
    Metadata: { type: "Text", label: `Key ${run}`, length: 80, externalId: true, unique: true, caseSensitive: true },
  });
  assert.equal(made.success, true);
  const seen = async () => (await conn.sobject("Contact").describe()).fields.some((field) => field.name === key);
  assert.equal(await seen(), false);
  const { records } = await conn.query("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true LIMIT 1");
  const permission = { ParentId: records[0].Id, SobjectType: "Contact", Field: `Contact.${key}`, PermissionsRead: true, PermissionsEdit: true };
  assert.equal((await conn.sobject("FieldPermissions").create(permission)).success, true);
  assert.equal(await seen(), true);
});

await check("records are upserted by their external id", async () => {
  const contacts = conn.sobject("Contact");
  const first = await contacts.upsert({ [key]: `k-${run}-1`, LastName: "Una" }, key);
  assert.equal(first.success, true);
  assert.equal(first.created, true);
  const again = await contacts.upsert({ [key]: `k-${run}-1`, LastName: "Una", Title: "Captain" }, key);
  assert.equal(again.id, first.id);
  assert.equal(again.created, false);
  const many = await contacts.upsert([1, 2, 3].map((i) => ({ [key]: `k-${run}-${i}`, LastName: `Una ${i}` })), key);
  assert.deepEqual(many.map(({ created }) => created), [false, true, true]);
  assert.equal((await contacts.retrieve(first.id)).Title, "Captain");
  const twice = await contacts.create({ [key]: `k-${run}-2`, LastName: "Twin" }).then(() => null, (error) => error);
  assert.equal(twice?.errorCode, "DUPLICATE_VALUE");
});

await check("contacts are merged, and the lost one names the survivor", async () => {
  const [master, lost] = people;
  const request = { masterRecord: { type: "Contact", Id: master, Department: "Deck & Hull" }, recordToMergeIds: [lost] };
  const result = await conn.soap.merge(request);
  assert.equal(result.success, true, JSON.stringify(result.errors));
  assert.deepEqual(result.mergedRecordIds, [lost]);
  assert.equal((await conn.sobject("Contact").retrieve(master)).Department, "Deck & Hull");
  const soql = `SELECT Id, MasterRecordId FROM Contact WHERE Id = '${lost}'`;
  assert.equal((await conn.query(soql, { scanAll: true })).records[0].MasterRecordId, master);
});

await check("a lead is converted", async () => {
  const lead = await conn.sobject("Lead").create({ LastName: `Yard ${run}`, Company: `Yard ${run}` });
  const wish = { leadId: lead.id, convertedStatus: "Closed - Converted", doNotCreateOpportunity: true };
  const result = await conn.soap.convertLead(wish);
  assert.equal(result.success, true, JSON.stringify(result.errors));
  assert.equal((await conn.sobject("Contact").retrieve(result.contactId)).AccountId, result.accountId);
  assert.equal((await conn.soap.convertLead(wish)).success, false);
});

await check("several calls travel as one", async () => {
  const body = {
    allOrNone: true,
    compositeRequest: [
      { method: "POST", url: `/services/data/v${version}/sobjects/Account`, referenceId: "firm", body: { Name: `Mole ${run}` } },
      {
        method: "POST",
        url: `/services/data/v${version}/sobjects/Contact`,
        referenceId: "person",
        body: { LastName: `Mole ${run}`, AccountId: "@{firm.id}" },
      },
    ],
  };
  const { compositeResponse } = await conn.requestPost("/composite", body);
  assert.deepEqual(compositeResponse.map(({ httpStatusCode }) => httpStatusCode), [201, 201]);
  const person = await conn.sobject("Contact").retrieve(compositeResponse[1].body.id);
  assert.equal(person.AccountId, compositeResponse[0].body.id);
});

await check("a mass load tells what it did with each row, a mass query reads it", async () => {
  const input = Array.from({ length: 250 }, (_, i) => ({ LastName: `Bulk ${run}`, Email: `bulk${i}.${run}@client.example`, Description: 'a "b",\nc' }));
  input.push({ LastName: "", Email: `none.${run}@client.example`, Description: "" });
  const options = { object: "Contact", operation: "insert", input, pollTimeout: 30000, pollInterval: 100 };
  const { successfulResults, failedResults } = await conn.bulk2.loadAndWaitForResults(options);
  assert.equal(successfulResults.length, 250);
  assert.equal(failedResults.length, 1);
  assert.match(failedResults[0].sf__Error, /^REQUIRED_FIELD_MISSING/);
  const stream = await conn.bulk2.query(`SELECT Id, LastName, Description FROM Contact WHERE LastName = 'Bulk ${run}'`, { pollInterval: 100 });
  const rows = await stream.toArray();
  assert.equal(rows.length, 250);
  assert.equal(rows[0].Description, 'a "b",\nc');
  const ids = rows.map(({ Id }) => ({ Id }));
  const removed = await conn.bulk2.loadAndWaitForResults({ ...options, operation: "delete", input: ids });
  assert.equal(removed.successfulResults.length, 250);
});

await check("what changed and went is listed", async () => {
  const start = new Date(Date.now() - 30 * 60000), end = new Date(Date.now() + 2 * 60000);
  const { ids } = await conn.sobject("Contact").updated(start, end);
  assert.ok(ids.includes(people[5]));
  const { deletedRecords } = await conn.sobject("Contact").deleted(start, end);
  assert.ok(deletedRecords.some(({ id }) => id === people[28]));
});

await check("signing out ends the sign-in", async () => {
  const { accessToken } = conn;
  await conn.logout(true);
  const late = new jsforce.Connection({ instanceUrl: url, accessToken, version });
  await assert.rejects(late.limits(), { errorCode: "INVALID_SESSION_ID" });
});

console.log(`${checks} checks passed`);

// Pipedrive's own client against the simulator: what it sends and what it makes of the answers is not our reading of the API.
// SIM_URL and SIM_TOKEN say where the simulator is. Ends with "N checks passed" or a failed assertion.
import assert from "node:assert/strict";
import v1 from "pipedrive/v1";
import v2 from "pipedrive/v2";

const url = process.env.SIM_URL;
const apiKey = process.env.SIM_TOKEN;
assert.ok(url && apiKey, "SIM_URL and SIM_TOKEN have to be set");
const current = new v2.Configuration({ apiKey, basePath: `${url}/api/v2` });
const oauth = new v2.Configuration({ accessToken: apiKey, basePath: `${url}/api/v2` });
const former = new v1.Configuration({ apiKey, basePath: `${url}/v1` });
const persons = new v2.PersonsApi(current);
const organizations = new v2.OrganizationsApi(current);
const fields = new v2.PersonFieldsApi(current);
const items = new v2.ItemSearchApi(current);
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

// The client throws the body of the answer; its status is lost.
async function refused(error, act) {
  const body = await act().then(() => null, (reason) => reason);
  assert.ok(body, "was not refused");
  assert.equal(body.success, false, body.message);
  assert.match(body.error, error);
  return body;
}

let firm, ada, bea, key;

await check("the account says who we are", async () => {
  const { data } = await new v1.UsersApi(former).getCurrentUser();
  assert.match(data.company_domain, /^[a-z]+$/);
  assert.ok(Number.isInteger(data.company_id));
});

await check("an organization is created", async () => {
  const body = { name: `Quay ${run}`, address: { value: "Kai 4, Hamburg", locality: "Hamburg" }, employee_count: 48 };
  const answer = await organizations.addOrganization({ AddOrganizationRequest: body });
  assert.equal(answer.success, true);
  firm = answer.data;
  assert.equal(firm.address.locality, "Hamburg");
  assert.equal(firm.address.route, null);
});

await check("a custom field is created, listed and read", async () => {
  const answer = await fields.addPersonField({ AddPersonFieldRequest: { field_name: `Key ${run}`, field_type: "varchar" } });
  key = answer.data.field_code;
  assert.match(key, /^[0-9a-f]{40}$/);
  const codes = [];
  for (let cursor; cursor !== null; ) {
    const page = await fields.getPersonFields({ limit: 5, cursor });
    codes.push(...page.data.map((field) => field.field_code));
    cursor = page.additional_data.next_cursor;
  }
  assert.equal(new Set(codes).size, codes.length);
  assert.ok(codes.includes("name") && codes.includes(key));
  assert.equal((await fields.getPersonField({ field_code: key })).data.field_name, `Key ${run}`);
});

await check("options are added, renamed and deleted", async () => {
  const made = await fields.addPersonField({
    AddPersonFieldRequest: { field_name: `Tier ${run}`, field_type: "enum", options: [{ label: "Gold" }] },
  });
  const field_code = made.data.field_code;
  const added = await fields.addPersonFieldOptions({ field_code, AddDealFieldOptionsRequestInner: [{ label: "Silver" }] });
  const id = added.data[0].id;
  await fields.updatePersonFieldOptions({ field_code, UpdateDealFieldOptionsRequestInner: [{ id, label: "Bronze" }] });
  assert.deepEqual((await fields.getPersonField({ field_code })).data.options.map((option) => option.label), ["Gold", "Bronze"]);
  await fields.deletePersonFieldOptions({ field_code, DeleteDealFieldOptionsRequestInner: [{ id }] });
  assert.equal((await fields.deletePersonField({ field_code })).data.field_code, field_code);
  await refused(/was not found/, () => fields.getPersonField({ field_code }));
});

await check("a person is created with the key", async () => {
  const body = {
    name: "Ada Lind Quist",
    org_id: firm.id,
    emails: [{ value: `Ada.${run}@client.example` }],
    phones: [{ value: "+49 30 555010", label: "mobile" }],
    custom_fields: { [key]: `K-${run}` },
  };
  ada = (await persons.addPerson({ AddPersonRequest: body })).data;
  assert.equal(ada.first_name, "Ada");
  assert.equal(ada.last_name, "Lind Quist");
  assert.deepEqual(ada.emails, [{ label: "work", value: `Ada.${run}@client.example`, primary: true }]);
  assert.equal(ada.custom_fields[key], `K-${run}`);
  assert.match(ada.update_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

await check("an OAuth token reads the same", async () => {
  const { data } = await new v2.PersonsApi(oauth).getPerson({ id: ada.id });
  assert.deepEqual(data, ada);
});

await check("a wrong credential is refused", async () => {
  const stranger = new v2.PersonsApi(new v2.Configuration({ apiKey: "0".repeat(40), basePath: `${url}/api/v2` }));
  const body = await refused(/unauthorized/, () => stranger.getPersons());
  assert.equal(body.errorCode, 401);
});

await check("a wrong type is refused", async () => {
  const body = await refused(/org_id/, () => persons.addPerson({ AddPersonRequest: { name: "B", org_id: String(firm.id) } }));
  assert.equal(body.code, "ERR_SCHEMA_VALIDATION_FAILED");
});

await check("a list of e-mails is replaced whole", async () => {
  const emails = [{ value: `ada2.${run}@client.example`, primary: true, label: "home" }];
  const { data } = await persons.updatePerson({ id: ada.id, UpdatePersonRequest: { emails, org_id: null } });
  assert.deepEqual(data.emails.map((email) => email.value), [emails[0].value]);
  assert.equal(data.org_id, null);
  assert.equal(data.phones.length, 1);
  assert.equal(data.custom_fields[key], `K-${run}`);
});

await check("it is found by e-mail and by key", async () => {
  const found = await persons.searchPersons({ term: `ADA2.${run}@client.example`, fields: "email", exact_match: true });
  assert.deepEqual(found.data.items.map(({ item }) => item.id), [ada.id]);
  const byKey = await items.searchItemByField({ term: `K-${run}`, entity_type: "person", field: key, match: "exact" });
  assert.deepEqual(byKey.data.map((item) => item.id), [ada.id]);
  const anywhere = await items.searchItem({ term: `Quay ${run}`, item_types: "organization" });
  assert.deepEqual(anywhere.data.items.map(({ item }) => item.id), [firm.id]);
});

await check("the list goes on with its cursor", async () => {
  for (let i = 0; i < 5; i++) {
    bea = (await persons.addPerson({ AddPersonRequest: { name: `Bea ${i}`, emails: [{ value: `bea${i}.${run}@client.example` }] } })).data;
  }
  const seen = [];
  for (let cursor; cursor !== null; ) {
    const page = await persons.getPersons({ updated_since: ada.add_time, sort_by: "update_time", limit: 2, cursor });
    assert.ok(page.data.length <= 2);
    seen.push(...page.data.map((person) => person.id));
    cursor = page.additional_data.next_cursor;
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.includes(ada.id) && seen.includes(bea.id));
  const named = await persons.getPersons({ ids: `${bea.id},${ada.id},999999999` });
  assert.deepEqual(named.data.map((person) => person.id), [ada.id, bea.id]);
});

await check("a merge keeps merge_with_id and all addresses", async () => {
  const { data } = await new v1.PersonsApi(former).mergePersons({ id: ada.id, MergePersonsRequest: { merge_with_id: bea.id } });
  assert.equal(data.id, bea.id);
  assert.equal(data.merge_what_id, ada.id);
  const survivor = (await persons.getPerson({ id: bea.id })).data;
  assert.deepEqual(survivor.emails.map((email) => email.value), [`bea4.${run}@client.example`, `ada2.${run}@client.example`]);
  assert.equal(survivor.name, "Bea 4");
});

await check("organizations merge, too", async () => {
  const other = (await organizations.addOrganization({ AddOrganizationRequest: { name: `Harbour ${run}` } })).data;
  const { data } = await new v1.OrganizationsApi(former).mergeOrganizations({
    id: firm.id,
    MergeOrganizationsRequest: { merge_with_id: other.id },
  });
  assert.equal(data.id, other.id);
  assert.equal((await organizations.getOrganization({ id: other.id })).data.address.value, "Kai 4, Hamburg");
  await organizations.deleteOrganization({ id: other.id });
});

await check("a deleted person leaves the list", async () => {
  assert.equal((await persons.deletePerson({ id: bea.id })).data.id, bea.id);
  assert.equal((await persons.getPersons({ ids: String(bea.id) })).data.length, 0);
  assert.equal((await persons.getPerson({ id: bea.id })).data.is_deleted, true);
  await refused(/was not found/, () => persons.updatePerson({ id: bea.id, UpdatePersonRequest: { name: "Bea" } }));
  await refused(/was not found/, () => persons.getPerson({ id: 999999999 }));
});

await check("a person signs in, the token is refreshed and revoked", async () => {
  const { SIM_CLIENT_ID: clientId, SIM_CLIENT_SECRET: clientSecret } = process.env;
  const app = new v2.OAuth2Configuration({ clientId, clientSecret, redirectUri: "http://localhost:8710/callback", host: url });
  const page = await fetch(app.authorizationUrl, { redirect: "manual" });
  const token = await app.authorize(new URL(page.headers.get("location")).searchParams.get("code"));
  assert.equal(token.expires_in, 3599);
  assert.equal(app.basePath, `${url}/api/v2`);
  const signedIn = new v2.PersonsApi(new v2.Configuration({ accessToken: app.getAccessToken, basePath: app.basePath }));
  assert.equal((await signedIn.getPersons({ limit: 1 })).success, true);
  const second = await app.tokenRefresh();
  assert.equal(second.refresh_token, token.refresh_token);
  assert.notEqual(second.access_token, token.access_token);
  await app.revokeToken("refresh_token");
  await refused(/access_token is invalid/, () => signedIn.getPersons({ limit: 1 }));
  await assert.rejects(app.tokenRefresh());
});

console.log(`${checks} checks passed`);

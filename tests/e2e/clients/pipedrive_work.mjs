// Pipedrive's own client against the simulator: deals with their participants and stages, activities, notes, users. Otherwise as pipedrive.mjs.
import assert from "node:assert/strict";
import v1 from "pipedrive/v1";
import v2 from "pipedrive/v2";

const url = process.env.SIM_URL;
const apiKey = process.env.SIM_TOKEN;
assert.ok(url && apiKey, "SIM_URL and SIM_TOKEN have to be set");
const current = new v2.Configuration({ apiKey, basePath: `${url}/api/v2` });
const former = new v1.Configuration({ apiKey, basePath: `${url}/v1` });
const persons = new v2.PersonsApi(current);
const deals = new v2.DealsApi(current);
const participants = new v1.DealsApi(former);
const activities = new v2.ActivitiesApi(current);
const notes = new v1.NotesApi(former);
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

async function refused(error, act) {
  const body = await act().then(() => null, (reason) => reason);
  assert.ok(body, "was not refused");
  assert.equal(body.success, false, body.message);
  assert.match(body.error, error);
  return body;
}

let ada, bea, firm, deal, other, stages;

await check("people and a company to deal with", async () => {
  firm = (await new v2.OrganizationsApi(current).addOrganization({ AddOrganizationRequest: { name: `Quay ${run}` } })).data;
  ada = (await persons.addPerson({ AddPersonRequest: { name: `Ada ${run}`, org_id: firm.id } })).data;
  bea = (await persons.addPerson({ AddPersonRequest: { name: `Bea ${run}` } })).data;
});

await check("users have e-mail addresses", async () => {
  const { data } = await new v1.UsersApi(former).getUsers();
  assert.ok(data.every((user) => user.email.includes("@")));
  assert.equal(data.filter((user) => user.is_you).length, 1);
  assert.ok(data.some((user) => !user.active_flag));
});

await check("the first pipeline has five stages", async () => {
  const pipelines = (await new v2.PipelinesApi(current).getPipelines()).data;
  assert.equal(pipelines[0].name, "Pipeline");
  stages = (await new v2.StagesApi(current).getStages({ pipeline_id: pipelines[0].id, sort_by: "order_nr" })).data;
  assert.deepEqual(
    stages.map((stage) => stage.name),
    ["Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started"],
  );
});

await check("a deal is created with a field of its own", async () => {
  const fields = new v2.DealFieldsApi(current);
  const made = await fields.addDealField({ AddDealFieldRequest: { field_name: `Key ${run}`, field_type: "varchar" } });
  const key = made.data.field_code;
  const body = {
    title: `Yard ${run}`,
    value: 18400.5,
    currency: "USD",
    person_id: ada.id,
    org_id: firm.id,
    stage_id: stages[3].id,
    expected_close_date: "2026-12-31",
    custom_fields: { [key]: `K-${run}` },
  };
  deal = (await deals.addDeal({ AddDealRequest: body })).data;
  for (const name of Object.keys(body)) {
    assert.deepEqual(deal[name], body[name], name);
  }
  assert.equal(deal.status, "open");
  assert.equal(deal.pipeline_id, stages[3].pipeline_id);
  assert.deepEqual((await deals.getDeal({ id: deal.id })).data, deal);
});

await check("a deal is won and opened again", async () => {
  const won = (await deals.updateDeal({ id: deal.id, UpdateDealRequest: { status: "won" } })).data;
  assert.match(won.won_time, /^\d{4}-\d\d-\d\dT/);
  assert.equal(won.close_time, won.won_time);
  const open = (await deals.updateDeal({ id: deal.id, UpdateDealRequest: { status: "open" } })).data;
  assert.equal(open.won_time, null);
  await refused(/lost_reason/, () => deals.updateDeal({ id: deal.id, UpdateDealRequest: { lost_reason: "Budget" } }));
  await refused(/stage_id/, () => deals.updateDeal({ id: deal.id, UpdateDealRequest: { stage_id: 99999 } }));
});

await check("participants come and go", async () => {
  const { data } = await participants.addDealParticipant({ id: deal.id, AddDealParticipantRequest: { person_id: bea.id } });
  const listed = (await participants.getDealParticipants({ id: deal.id })).data;
  assert.deepEqual(listed.map((item) => item.person.id), [ada.id, bea.id]);
  const counted = (await deals.getDeals({ ids: String(deal.id), include_fields: "participants_count" })).data;
  assert.equal(counted[0].participants_count, 2);
  const gone = await participants.deleteDealParticipant({ id: deal.id, deal_participant_id: data.id });
  assert.equal(gone.data.id, data.id);
  assert.equal((await participants.getDealParticipants({ id: deal.id })).data.length, 1);
});

await check("deals are listed, found and merged", async () => {
  other = (await deals.addDeal({ AddDealRequest: { title: `Gate ${run}` } })).data;
  const listed = (await deals.getDeals({ updated_since: deal.add_time, sort_by: "update_time", limit: 500 })).data;
  assert.ok([deal.id, other.id].every((id) => listed.some((item) => item.id === id)));
  const found = await deals.searchDeals({ term: `yard ${run}`, fields: "title", exact_match: true });
  assert.deepEqual(found.data.items.map(({ item }) => item.id), [deal.id]);
  const merged = await participants.mergeDeals({ id: other.id, MergeDealsRequest: { merge_with_id: deal.id } });
  assert.equal(merged.data.id, deal.id);
  assert.equal(merged.data.merge_what_id, other.id);
});

await check("an activity takes person and organization from its deal", async () => {
  const body = { subject: "Call about slots", type: "call", deal_id: deal.id, due_date: "2026-12-01", due_time: "09:30" };
  const call = (await activities.addActivity({ AddActivityRequest: body })).data;
  assert.equal(call.person_id, ada.id);
  assert.equal(call.org_id, firm.id);
  assert.match(call.due_time, /^09:30/);
  const update = { done: true, participants: [{ person_id: bea.id, primary: true }] };
  const done = (await activities.updateActivity({ id: call.id, AddActivityRequest: update })).data;
  assert.equal(done.person_id, bea.id);
  assert.ok(done.marked_as_done_time);
  const listed = (await activities.getActivities({ deal_id: deal.id, done: true })).data;
  assert.deepEqual(listed.map((item) => item.id), [call.id]);
  await refused(/person_id/, () => activities.addActivity({ AddActivityRequest: { subject: "A", person_id: ada.id } }));
  assert.equal((await activities.deleteActivity({ id: call.id })).data.id, call.id);
  assert.equal((await activities.getActivity({ id: call.id })).data.is_deleted, true);
});

await check("activity types and fields are known", async () => {
  const types = (await new v1.ActivityTypesApi(former).getActivityTypes()).data;
  assert.ok(types.some((type) => type.key_string === "meeting"));
  const field = (await new v2.ActivityFieldsApi(current).getActivityField({ field_code: "type" })).data;
  assert.deepEqual(field.options.map((option) => option.id), types.map((type) => type.key_string));
});

await check("a note is written, changed and deleted", async () => {
  const body = { content: "<p>Gate closes at 18:00.<br/></p>", deal_id: deal.id };
  const note = (await notes.addNote({ AddNoteRequest: body })).data;
  assert.equal(note.content, "<p>Gate closes at 18:00.<br></p>");
  assert.equal(note.person_id, ada.id);
  assert.equal(note.deal.title, `Yard ${run}`);
  const changed = (await notes.updateNote({ id: note.id, NoteRequest: { content: "B", pinned_to_deal_flag: 1 } })).data;
  assert.equal(changed.content, "B");
  assert.equal(changed.pinned_to_deal_flag, true);
  const page = await notes.getNotes({ deal_id: deal.id, start: 0, limit: 10, sort: "update_time ASC" });
  assert.deepEqual(page.data.map((item) => item.id), [note.id]);
  assert.equal(page.additional_data.pagination.more_items_in_collection, false);
  assert.equal((await notes.deleteNote({ id: note.id })).data, true);
  assert.equal((await notes.getNote({ id: note.id })).data.active_flag, false);
  await refused(/required/, () => notes.addNote({ AddNoteRequest: { content: "A" } }));
});

await check("a deleted deal is listed by its status only", async () => {
  assert.equal((await deals.deleteDeal({ id: deal.id })).data.id, deal.id);
  assert.equal((await deals.getDeals({ ids: String(deal.id) })).data.length, 0);
  const deleted = (await deals.getDeals({ status: "deleted", updated_since: deal.add_time, limit: 500 })).data;
  assert.ok(deleted.some((item) => item.id === deal.id && item.is_deleted));
  await refused(/was not found/, () => deals.updateDeal({ id: deal.id, UpdateDealRequest: { title: "A" } }));
});

console.log(`${checks} checks passed`);

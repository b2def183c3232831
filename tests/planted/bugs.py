"""Plausible mistakes, one at a time planted into the production code (scripts/planted): what a careless programmer did, and where. Each must be
caught by the simulation. `there` stands exactly once in the file; `seed` is one from which it is soon caught in histories of that style. Where the style is the name of
another test ("unit/store/test_stream"), that one has to fail."""

from collections import namedtuple

Bug = namedtuple("Bug", "name what file there instead style seed")
BUGS = []

def bug(name, what, file, there, instead, style="runs", seed=1):
    BUGS.append(Bug(name, what, file, there, instead, style, seed))

# --- bases and the merge of a field ---------------------------------------------------------------------------------------------------

bug(
    "base-not-updated-after-push",
    "the base stays as it was after a write",
    "sync/send.c",
    "        fields_set(&base->hub, &pass->arena, name, sent->at[i].value);\n        fields_set(&base->remote, &pass->arena, name, remote);\n        fields_set(&now_shown",
    "        fields_set(&now_shown",
    seed=13,
)
bug(
    "base-not-updated-by-merge",
    "the base stays as it was after a read",
    "sync/merge_link.c",
    "    link->base = m->base;\n    link->has_digest = true;",
    "    link->has_digest = true;",
    seed=17,
)
bug(
    "base-is-what-the-crm-shows",
    "the hub's half of the base becomes what the CRM made of the value",
    "sync/send.c",
    "        fields_set(&base->hub, &pass->arena, name, sent->at[i].value);\n        fields_set(&base->remote, &pass->arena, name, remote);\n        fields_set(&now_shown",
    "        fields_set(&base->hub, &pass->arena, name, remote);\n        fields_set(&base->remote, &pass->arena, name, remote);\n        fields_set(&now_shown",
    seed=13,
)
bug(
    "push-not-noticed",
    "a record counts as written there although fields are left to push",
    "sync/merge_link.c",
    "    if (m->push_count == 0) {\n        link->synced_version = m->record->version;\n    } else if",
    "    if (m->push_count == 0 || m->hub_changed) {\n        link->synced_version = m->record->version;\n    } else if",
    seed=28,
)
bug(
    "sent-version-is-the-newest",
    "a write settles the record's version of now, not the one that was sent",
    "sync/push.c",
    "                                  ? out->intent.record_version\n                                  : out->intent.record_version - 1;",
    "                                  ? INT64_MAX / 2\n                                  : out->intent.record_version - 1;",
    seed=8,
)
bug(
    "absent-is-null",
    "a property that was not in the answer counts as empty",
    "mapper/inward.c",
    "        if (!json || entry->is_frozen) {\n            continue; /* no member is no observation */\n        }",
    "        if (entry->is_frozen) {\n            continue; /* no member is no observation */\n        }",
    seed=3,
)
bug(
    "null-is-absent",
    "a property that was emptied counts as not seen",
    "mapper/inward.c",
    "    if (!inner) {\n        return VALUE_NONE;\n    }",
    "    if (!inner) {\n        return (struct value){0};\n    }",
    seed=2,
)
bug(
    "hub-wins-forgets-that-it-saw",
    "the loser at the CRM is not kept as seen, so it is merged again and again",
    "conflict/merge.c",
    "    answer.base_hub = answer.base_remote = *q->remote;\n    answer.loser",
    "    answer.base_hub = *q->hub;\n    answer.loser",
    seed=21,
)
bug(
    "hub-wins-over-its-old-base",
    "after the hub's value won the base is still the old one, so going back to that is no change",
    "conflict/merge.c",
    "    answer.base_hub = answer.base_remote = *q->remote;\n    answer.loser",
    "    answer.base_remote = *q->remote;\n    answer.loser",
    seed=1765,
)
bug(
    "loser-not-kept",
    "the value that lost is not written to the journal",
    "sync/merge_link.c",
    "    change->lost = answer->has_loser ? answer->loser : (struct value){0};\n",
    "",
    seed=19,
)

# --- creates, and writes of unknown outcome ------------------------------------------------------------------------------------------------

bug(
    "create-settled-at-once",
    "a create that is not found at once is sent again before its time is over",
    "sync/settle.c",
    "        if (repeat_is_safe || s->looked_ms >= row.settle_at_ms) {",
    "        if (true) {",
    seed=128,
)
bug(
    "lost-create-not-linked",
    "a create that turns out to have happened is forgotten with its intent",
    "sync/link_up.c",
    "    if (found) {\n        return adopt_sent(pass, remote, &record, &intent, err);\n    }\n",
    "    if (found) {\n        return intent_delete(pass->tx, intent.id, err);\n    }\n",
    seed=26,
)

# --- deletes and merges ----------------------------------------------------------------------------------------------------------------

bug(
    "gone-ignored",
    "an object that is gone leaves its link as it was",
    "sync/gone.c",
    "    link.state = LINK_GONE;\n    link.gone_since_ms = pass_now_ms(pass);\n    return link_update(pass->tx, &link, err);",
    "    return OK;",
    seed=16,
)
bug(
    "deleted-record-not-told",
    "a record that was deleted here stays at the CRMs",
    "sync/push.c",
    "    if (out->record.state == RECORD_DELETED) {\n        return prepare_delete(batch, out, err);\n    }",
    "    if (out->record.state == RECORD_DELETED) {\n        return OK;\n    }",
    seed=1,
)
bug(
    "merge-followed-backwards",
    "the survivor's link moves to the object that was merged away",
    "sync/observe.c",
    "        return follow_merge(pass, remote->remote_id, remote->merged_into, err);",
    "        return follow_merge(pass, remote->merged_into, remote->remote_id, err);",
    seed=24,
)
bug(
    "leftover-not-shown",
    "the second object of a merged record is nobody's, and no failure says so",
    "sync/gone.c",
    "    if (link->state == LINK_LIVE && is_elsewhere && leftover_put(pass, link, err) != OK) {\n        return err->code;\n    }\n",
    "",
    seed=12,
)
bug(
    "merged-links-stay",
    "the links of a record that went into another one stay where they were",
    "sync/gone.c",
    "        if (move_link(pass, &links[i], survivor_id, is_elsewhere, err) != OK) {\n            return err->code;\n        }",
    "        (void)is_elsewhere;",
    seed=12,
)

# --- matching ------------------------------------------------------------------------------------------------------------------------------

# --- pages and cursors ---------------------------------------------------------------------------------------------------------------------

bug(
    "remote-first-is-local-first",
    "field-merge takes the hub's value where it was told to take the CRM's",
    "conflict/combine.c",
    "    case COMBINE_REMOTE_FIRST:\n        return *remote;",
    "    case COMBINE_REMOTE_FIRST:\n        return *hub;",
    seed=19,
)
bug(
    "delete-without-grace",
    "a delete takes effect at once, whoever brings the object back in time",
    "sync/gone.c",
    "                         pass_now_ms(pass) - pass->settings->grace_ms, after_id, GONE_BATCH,",
    "                         pass_now_ms(pass), after_id, GONE_BATCH,",
    seed=131,
)
bug(
    "coming-back-ignored",
    "an object that a person brought back stays gone",
    "sync/observe.c",
    "    if (link.state != LINK_LIVE &&\n        !pass->is_pinned) { /* a listing may lag",
    "    if (link.state != LINK_LIVE) {\n        return OK;\n    }\n    if (link.state != LINK_LIVE &&\n        !pass->is_pinned) { /* a listing may lag",
    seed=4,
)
bug(
    "tenant-forgotten-in-matching",
    "people are matched with those of every tenant",
    "store/record.c",
    "\"WHERE m.tenant_id = $1 AND m.kind = $3 AND m.rule = $4 AND m.key = $5 \"",
    "\"WHERE m.kind = $3 AND m.rule = $4 AND m.key = $5 \"",
    seed=6,
)
bug(
    "tenant-forgotten-in-the-inbox",
    "events of every tenant are worked off",
    "store/hint.c",
    "FROM inbox WHERE tenant_id = $1 AND is_done = 0 \"",
    "FROM inbox WHERE tenant_id >= 0 * $1 AND is_done = 0 \"",
    seed=1,
)
bug(
    "create-repeated-blindly",
    "a create without an answer is sent again at once",
    "adapters/pipedrive_write.c",
    "                                  .is_safe = !is_create};",
    "                                  .is_safe = true};",
    seed=26,
)
bug(
    "event-key-not-looked-at",
    "an event that is delivered again counts as new",
    "store/hint.c",
    "    *ret_new = stmt_changes(stmt) == 1;",
    "    *ret_new = true;",
    style="turns",
    seed=2,
)

# --- strategies, conflicts and locks -------------------------------------------------------------------------------------------------------

bug(
    "journal-only-of-changes-here",
    "no journal entry when the hub won and nothing changed here",
    "sync/merge_link.c",
    "    if (!answer->hub_changes && !answer->has_loser) {\n        return;\n    }\n    change =",
    "    if (!answer->hub_changes) {\n        return;\n    }\n    change =",
    seed=28,
)
bug(
    "conflict-not-kept",
    "a field that waits for a person has no row that says so",
    "sync/merge_link.c",
    "        return conflict_put(pass->tx, &conflict, err);\n    }\n    if (question->remote->state",
    "        return OK;\n    }\n    if (question->remote->state",
    seed=30,
)
bug(
    "tie-by-arrival",
    "of two edits at once the one that is read last wins",
    "conflict/merge.c",
    "        return break_tie(q) > 0 ? hub_wins(q, \"last-write-wins (tie)\")",
    "        return false ? hub_wins(q, \"last-write-wins (tie)\")",
    seed=28,
)
bug(
    "priorities-inverted",
    "the source that counts less wins",
    "conflict/merge.c",
    "    return q->policy.hub_priority > q->policy.remote_priority ? hub_wins(q, \"source-priority\")",
    "    return q->policy.hub_priority < q->policy.remote_priority ? hub_wins(q, \"source-priority\")",
    seed=64,
)
bug(
    "later-is-older",
    "the older of two edits wins",
    "conflict/merge.c",
    "    return q->hub_changed_ms > q->remote_changed_ms;",
    "    return q->hub_changed_ms < q->remote_changed_ms;",
    seed=86,
)
bug(
    "lock-not-asked-for",
    "Salesforce writes whatever happened to the record since it was read",
    "adapters/salesforce_write.c",
    "    json_object_set_new(headers, \"If-Unmodified-Since\",\n                        json_stringn(out->since.at, out->since.len));\n",
    "",
    seed=44,
)

bug(
    "first-contact-clears",
    "at first contact a blank there clears the value here",
    "conflict/merge.c",
    "    if (remote_blank) {\n        struct merge_answer answer =",
    "    if (remote_blank) {\n        return taken(q, MERGE_ADOPT, \"fill\");\n        struct merge_answer answer =",
    seed=8,
)

bug(
    "conflict-closed-without-decision",
    "a conflict that was open before is closed by the next read",
    "sync/merge_link.c",
    "        if (!open_conflict(m, entry->field->name)) {\n            pass->counts->conflicts++;\n            tell_conflict(m, &conflict);\n        }",
    "        if (open_conflict(m, entry->field->name)) {\n            return conflict_end(pass->tx, m->link->id, entry->field->name, CONFLICT_CLOSED,\n                                STR(\"closed\"), &ended, err);\n        }",
    seed=30,
)

# --- webhooks -----------------------------------------------------------------------------------------------------------------------------

bug(
    "acknowledged-before-the-commit",
    "a delivery counts as durable before its transaction is",
    "webhooks/inbox_writer.c",
    "    if (tx_commit(&tx, err) != OK) {\n        return err->code;\n    }\n    for (struct inbox_delivery *at = first; at != until; at = at->next) {\n        at->is_durable = true;\n    }\n    return OK;",
    "    for (struct inbox_delivery *at = first; at != until; at = at->next) {\n        at->is_durable = true;\n    }\n    return tx_commit(&tx, err);",
    seed=40,
)

bug(
    "signature-not-compared",
    "any signature of the right form is taken",
    "adapters/hubspot_webhook.c",
    "        if (CRYPTO_memcmp(mac, signature, sizeof mac) == 0) {",
    "        if (true) {",
    seed=55,
)

bug(
    "secret-way-not-compared",
    "any end of the address is taken",
    "adapters/adapter_webhook.c",
    "    if (webhook_has_one(settings->paths) &&\n",
    "    if (false &&\n",
    seed=4,
)

bug(
    "connection-found-by-the-beginning-of-its-name",
    "deliveries for hubspot-2 are those of hubspot",
    "webhooks/receive.c",
    "        if (str_equal(connection->name, name) && connection->adapter->webhook_verify) {",
    "        if (str_starts(name, connection->name) && connection->adapter->webhook_verify) {",
    seed=1,
)

bug(
    "rest-of-a-delivery-forgotten",
    "of the events that come together the first is kept",
    "webhooks/inbox_writer.c",
    "    for (size_t i = 0; i < delivery->events.count; i++) {",
    "    for (size_t i = 0; i < 1; i++) {",
    seed=1,
)

bug(
    "event-done-without-a-mark",
    "an event counts as worked off before anything is read",
    "store/hint.c",
    "    return dirty_put(tx, event->connection_id, event->kind, event->remote_id, err);",
    "    return OK;",
    style="turns",
    seed=8,
)

bug(
    "copy-not-noted-after-a-restore",
    "after a restore an object that carries our id says nothing about what else may be it",
    "sync/link_up.c",
    "    if (note_link(pass, &record, remote, err) != OK ||\n        restored_note(pass, remote, &record.fields, record.id, err) != OK) {",
    "    if (note_link(pass, &record, remote, err) != OK) {",
    seed=72,
)

# --- what no history sees, and a test of its own does ----------------------------------------------------------------------------------------

bug(
    "nonce-reused",
    "every secret is sealed with the same nonce",
    "oauth/seal.c",
    "    random_bytes(random, ret, SEAL_NONCE_BYTES);\n",
    "    memset(ret, 0, SEAL_NONCE_BYTES);\n",
    style="unit/oauth/test_vault",
)
bug(
    "refresh-token-lost",
    "an answer without a new refresh token takes the old one away",
    "oauth/grant.c",
    "    if (secret_is_empty(&tokens.refresh)) {\n        secret_set(&tokens.refresh, secret_expose(&old->refresh));\n    }\n",
    "",
    style="unit/oauth/test_grant",
)
bug(
    "renewed-by-two",
    "who waited for another one's renewal renews again",
    "oauth/keeper.c",
    "    if (!needs_renewal(keeper, refused_generation)) { /* another process was first */\n        return OK;\n    }\n",
    "",
    style="unit/oauth/test_keeper",
)
bug(
    "lease-taken-from-its-owner",
    "a stream is claimed while another run has it",
    "store/stream.c",
    '"WHERE tenant_id = $1 AND id = $4 AND (lease_owner = \'\' OR lease_until_ms <= $5)"',
    '"WHERE tenant_id = $1 AND id = $4 AND $5 > 0"',
    style="unit/store/test_stream",
)
bug(
    "late-owner-writes",
    "a run whose stream was claimed by another one goes on writing its cursor",
    "store/stream.c",
    '"agreed_ms = $16, pulled_ms = $17 WHERE tenant_id = $1 AND id = $14 AND epoch = $15"',
    '"agreed_ms = $16, pulled_ms = $17 WHERE tenant_id = $1 AND id = $14 AND epoch >= 0 * $15"',
    style="unit/store/test_stream",
)
bug(
    "confirmation-without-a-count",
    "a brake that was released once lets everything through",
    "sync/braking.c",
    "    if (found && known.confirmed_count >= seen->count) {",
    "    if (found && known.confirmed_count > 0) {",
    style="scenarios/test_mass_delete",
)
bug(
    "brake-knows-no-share",
    "many deletes among many are stopped, or not, by their number alone",
    "conflict/brake.c",
    "    return count > (allowed > floor ? allowed : floor);",
    "    return count > allowed + 1000 * floor;",
    style="scenarios/test_mass_delete",
)
bug(
    "repeat-of-another-connection",
    "a delivery that another connection had is taken for a repeat",
    "webhooks/replay.c",
    "    return entry->connection_id == connection_id && memcmp(entry->mac, mac, sizeof entry->mac) == 0;",
    "    return memcmp(entry->mac, mac, sizeof entry->mac) == 0;",
    style="unit/webhooks/test_replay",
)
bug(
    "repeat-known-before-it-is-kept",
    "a delivery that could not be stored is answered as a repeat when it comes again",
    "webhooks/receive.c",
    "    if (!delivery->is_durable) {\n        caller->counts",
    "    replay_remember(receiver->replays, delivery->connection_id, reception->proof.mac, now_ms(receiver));\n    if (!delivery->is_durable) {\n        caller->counts",
    style="unit/webhooks/test_receive",
)
bug(
    "old-signature-taken",
    "a delivery that was signed long ago is taken",
    "adapters/hubspot_webhook.c",
    "    if (received_ms - signed_ms > WEBHOOK_PAST_MS) {",
    "    if (signed_ms - received_ms > WEBHOOK_PAST_MS) {",
    style="unit/adapters/test_hubspot_webhook",
)
bug(
    "retry-after-too-short",
    "the CRM's seconds are taken for milliseconds",
    "http/message.c",
    "        return is_long ? RETRY_AFTER_MS_MAX : number * 1000;",
    "        return is_long ? RETRY_AFTER_MS_MAX : number;",
    style="unit/http/test_message",
)
bug(
    "window-ends-too-early",
    "what was taken leaves the window with the first of its slot",
    "http/limits.c",
    "           bucket->slots[gone].last_ms + bucket->window_ms <= now_ms) {",
    "           bucket->slots[gone].first_ms + bucket->window_ms <= now_ms) {",
    style="unit/http/test_limits",
)
bug(
    "token-sent-without-tls",
    "a CRM is asked by http, if it is on port 443",
    "http/client.c",
    "    if (!url.is_https || (url.port != 443 && !client->any_port)) {",
    "    if (!url.is_https && (url.port != 443 && !client->any_port)) {",
    style="unit/http/test_client",
)

# --- what the store holds at rest --------------------------------------------------------------------------------------------------

bug(
    "lease-kept",
    "whoever is through with a stream keeps its lease",
    "sync/run.c",
    "        stream_release(tx, &pass->stream, &err) == OK && keep_tally(",
    "        keep_tally(",
)
bug(
    "outcome-found-but-doubt-stays",
    "a write that settled stays in doubt",
    "sync/settle.c",
    "            if (tell_found_out(s, &row, err) != OK || intent_delete(pass->tx, row.id, err) != OK) {\n                return err->code;\n            }\n            continue;",
    "            continue;",
    seed=56,
)
bug(
    "end-not-remembered",
    "nobody remembers what was let go of",
    "sync/gone.c",
    "    if (conflicts_close(pass->tx, link->id, err) != OK ||\n        tombstone_put(pass->tx, link->connection_id, link->kind, link->remote_id, link->record_id,\n                      err) != OK) {",
    "    if (conflicts_close(pass->tx, link->id, err) != OK) {",
)
bug(
    "delete-remembered-by-nobody",
    "an object that we deleted ourselves is not remembered",
    "sync/push.c",
    "        if (conflicts_close(pass->tx, link.id, err) != OK ||\n            tombstone_put(pass->tx, link.connection_id, link.kind, link.remote_id, link.record_id,\n                          err) != OK) {",
    "        if (conflicts_close(pass->tx, link.id, err) != OK) {",
)
bug(
    "merge-untold",
    "that a record went into another one is in no journal",
    "sync/gone.c",
    "    return pass_journal(pass, CHANGE_MERGE, &loser, &entry, err);",
    "    return OK;",
    seed=12,
)
bug(
    "change-untold",
    "of several fields that were adopted at once the journal tells all but the last",
    "sync/merge_link.c",
    "                                  .changes_count = m->changes_count};",
    "                                  .changes_count = m->changes_count > 1 ? m->changes_count - 1 : m->changes_count};",
    seed=3,
)
bug(
    "another-version-told",
    "the journal names the version before the change",
    "sync/merge_link.c",
    "    entry.record_version = m->record->version;\n    return m->changes_count",
    "    entry.record_version = m->record->version - 1;\n    return m->changes_count",
    seed=3,
)
bug(
    "what-was-seen-is-forgotten",
    "after a write the base still says what the CRM showed before",
    "sync/send.c",
    "        fields_set(&base->remote, &pass->arena, name, remote);\n",
    "",
)
bug(
    "reading-counts-as-change",
    "an object that is read again gets a new version of its record",
    "sync/merge_link.c",
    "    if (m->hub_changed) {\n        m->record->fields = m->hub;",
    "    if (m->hub_changed || m->link->has_digest) {\n        m->record->fields = m->hub;",
)

# --- faults that other tests bring -------------------------------------------------------------------------------------------------

bug(
    "certificate-not-checked",
    "any certificate will do",
    "http/live_task.c",
    "    SET(CURLOPT_SSL_VERIFYPEER, 1L);",
    "    SET(CURLOPT_SSL_VERIFYPEER, 0L);",
    style="unit/http/test_trust",
)
bug(
    "name-not-checked",
    "a certificate of anybody's will do",
    "http/live_task.c",
    "    SET(CURLOPT_SSL_VERIFYHOST, 2L);",
    "    SET(CURLOPT_SSL_VERIFYHOST, 0L);",
    style="unit/http/test_trust",
)
bug(
    "their-clock-is-ours",
    "times of a CRM are compared as if its clock were ours",
    "sync/merge_link.c",
    "    at_ms = at_ms ? at_ms - offset_ms : 0;",
    "    at_ms = at_ms && offset_ms ? at_ms : at_ms;",
    style="scenarios/test_fault_clock",
)
bug(
    "no-overlap",
    "listings of changes go on where the last one ended, whatever the index shows",
    "adapters/hubspot_list.c",
    "    OVERLAP_MS = 180 * 1000,",
    "    OVERLAP_MS = 0,",
    style="scenarios/test_fault_listings",
)
bug(
    "echo-by-time",
    "what changed within a minute of our write counts as our own",
    "sync/merge_link.c",
    "    if (merge_entries(&m, err) != OK) {",
    "    if (link->last_write_ms && remote->modified_ms && remote->modified_ms < link->last_write_ms + 60000 &&\n        remote->modified_ms >= link->last_write_ms) {\n        return OK;\n    }\n    if (merge_entries(&m, err) != OK) {",
    style="scenarios/test_echoes",
)
bug(
    "values-come-back-untold",
    "a record that comes back with another's values does not tell of them",
    "sync/gone.c",
    "    if (tell_all_taken(pass, loser, &survivor->fields, &entry, err) != OK) {\n        return err->code;\n    }\n",
    "",
    style="turns",
    seed=488,
)

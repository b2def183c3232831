/* The webhooks of a connection, from what the configuration says about them and what `setup` made: their address, what deliveries are held
 * against, and the subscriptions at the CRM. */
#ifndef CRMSYNC_CLI_WEBHOOKS_H
#define CRMSYNC_CLI_WEBHOOKS_H

#include "cli/wire.h"

#define WEBHOOK_PATH "/api/crm/webhooks/"
#define WEBHOOK_USER "crmsync"

/* Secrets of one connection; those that are not there are empty. Borrowed by the settings made of them. */
struct webhook_keys {
    struct secret signing[WEBHOOK_SECRETS_MAX]; /* the present one first */
    struct secret paths[WEBHOOK_SECRETS_MAX];
    struct secret passwords[WEBHOOK_SECRETS_MAX];
    struct secret developer_key;
};
void webhook_keys_fini(struct webhook_keys *keys); /* wipes; accepts zeroed */
#define AUTO_WEBHOOK_KEYS __attribute__((cleanup(webhook_keys_fini)))

/* From environment, file and vault. The wire has its store and vault; no transaction is open. FAIL_CONFIG: a variable that the configuration
 * names is not set, or a secret cannot be opened. What is nowhere stays empty: deliveries are then refused, not this. */
enum fail webhooks_load(struct wire *wire, size_t index, struct webhook_keys *ret,
                        struct error *err) MUST_CHECK;
/* For the receiver: keys must outlive them; the rest is the wire's arena's. account_id: of the connection's row. */
struct webhook_settings webhooks_settings(struct wire *wire, size_t index,
                                          const struct webhook_keys *keys, struct str account_id);

/* Makes what is missing of the secrets (all anew with fresh: the former ones are taken on until the next time) and the subscriptions at the CRM match the
 * configuration; switched off, removes both. The session is open. */
enum fail webhooks_set_up(struct wire *wire, size_t index, bool fresh, struct webhook_report *ret,
                          struct error *err) MUST_CHECK;
/* Makes again what the CRM has switched off since `setup`, and nothing else: not where nobody has set webhooks up, or for another address than now. Needs
 * nothing of the wire's arena afterwards. The session is open. */
enum fail webhooks_mend(struct wire *wire, size_t index, struct webhook_report *ret,
                        struct error *err) MUST_CHECK;
/* Ends them at the CRM, where that can be done, and forgets the secrets. *ret_why says why the first did not work; that is no failure. ret_had: there
 * were any. */
enum fail webhooks_end(struct wire *wire, size_t index, bool *ret_had, struct webhook_report *ret,
                       struct error *ret_why, struct error *err) MUST_CHECK;

/* Kinds and properties that the connection's mappings read; the wire's arena's. */
struct webhook_wanted webhooks_subject(struct wire *wire, size_t index);

/* For people: "off", "on", "run 'crmsync setup'". Opens no secret. */
enum fail webhooks_shown(struct wire *wire, struct tx *tx, size_t index, int64_t connection_id,
                         struct str *ret, struct error *err) MUST_CHECK;

#endif

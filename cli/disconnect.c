/* crmsync disconnect: the access of a connection ends, here and at the CRM. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/selecting.h"
#include "cli/signing.h"
#include "cli/webhooks.h"
#include "store/audit.h"

static enum fail remove_token(struct wire *wire, size_t index, bool *ret_found, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;
    struct str name = wire->config.connections[index].name;
    struct store_connection row;
    bool is_known;

    *ret_found = false;
    if (wire_begin(wire, &tx, err) != OK ||
        connection_by_name(tx, name, &wire->arena, &row, &is_known, err) != OK ||
        (is_known &&
         (vault_remove(tx, row.id, "token", ret_found, err) != OK ||
          connection_state_set(tx, row.id, CONNECTION_NEEDS_AUTH,
                               STR("token removed with 'crmsync disconnect'"), err) != OK ||
          audit_put_connection(tx, "connection.token-removed", row.id, NULL, err) != OK))) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

/* While the token is still good. */
static enum fail end_webhooks(struct wire *wire, size_t index, struct error *err)
{
    struct webhook_report report;
    struct error why;
    bool had;

    if (webhooks_end(wire, index, &had, &report, &why, err) != OK) {
        return err->code;
    }
    if (why.code != OK) {
        fprintf(stderr,
                "crmsync: the webhooks could not be removed at the CRM: %s\n  try: remove them "
                "there\n",
                why.message);
    } else if (had) {
        printf("webhooks: %d removed at the CRM\n%" PRI_STR, report.removed,
               STR_ARG(report.by_hand));
    }
    return OK;
}

static enum fail end_events(struct wire *wire, size_t index, struct error *err)
{
    struct webhook_report report;
    struct error why;
    bool had;

    if (selecting_end(wire, index, &had, &report, &why, err) != OK) {
        return err->code;
    }
    if (why.code != OK) {
        fprintf(stderr,
                "crmsync: the subscriptions of change events could not be removed at the CRM: "
                "%s\n  try: remove them there\n",
                why.message);
    } else if (had) {
        printf("subscriptions of change events: %d removed at the CRM\n", report.removed);
    }
    return OK;
}

static enum fail end_token(struct wire *wire, size_t index, struct error *err)
{
    struct str name = wire->config.connections[index].name;
    bool found;

    if (wire->config.tokens[index].value.len || wire->config.tokens[index].file.len) {
        error_set(err, FAIL_CONFIG,
                  "connection '%" PRI_STR "' takes its token from the configuration",
                  STR_ARG(name));
        return error_hint(err, "remove it there, and revoke it at the CRM");
    }
    if (end_webhooks(wire, index, err) != OK || remove_token(wire, index, &found, err) != OK) {
        return err->code;
    }
    printf("%s '%" PRI_STR "'; its records and links are kept\n",
           found ? "removed the token of" : "there was no token of", STR_ARG(name));
    if (found) {
        printf("it is still good at the CRM: revoke it there\n");
    }
    return OK;
}

static enum fail end_sign_in(struct wire *wire, size_t index, struct error *err)
{
    struct str name = wire->config.connections[index].name;
    struct oauth_connection connection;
    struct signin_end end;

    if (end_webhooks(wire, index, err) != OK || end_events(wire, index, err) != OK ||
        signing_connection(wire, index, &connection, err) != OK ||
        signin_end(&connection, &end, err) != OK) {
        return err->code;
    }
    printf("%s '%" PRI_STR "'; its records and links are kept\n",
           end.was_signed_in ? "signed out" : "nobody was signed in at", STR_ARG(name));
    if (end.is_revoked) {
        printf("the token is revoked at the CRM\n");
    } else if (end.why.code != OK) {
        fprintf(stderr,
                "crmsync: the token could not be revoked at the CRM: %s\n  try: remove the app's "
                "access there\n",
                end.why.message);
    }
    return OK;
}

int command_disconnect(struct cli *cli, int argc, char **argv)
{
    AUTO_WIRE struct wire wire = {0};
    struct error err = {0};
    size_t index;
    int count;
    const struct option_spec options[] = {{0}};
    const struct usage usage = {
        .synopsis = "crmsync disconnect CONNECTION",
        .about =
            "Ends the access of a connection: its webhooks are removed at the CRM, a sign-in is "
            "revoked there, and the token is removed from the store.\n"
            "Records and links are kept; after 'crmsync connect' to the same account the sync "
            "goes on where it was.",
        .options = options,
        .arguments_min = 1,
        .arguments_max = 1};
    enum parsed parsed = options_parse(cli, &usage, argc, argv, &count);

    if (parsed != PARSED_OK) {
        return parsed == PARSED_DONE ? EXIT_DONE : EXIT_USAGE;
    }
    if (wire_store(cli, STORE_SHARED, "crmsync disconnect", &wire, &err) != OK ||
        wire_network(&wire, &err) != OK || wire_find(&wire, str_of(argv[1]), &index, &err) != OK ||
        (wire.config.auths[index].is_used ? end_sign_in(&wire, index, &err)
                                          : end_token(&wire, index, &err)) != OK) {
        return cli_fail(cli, &err);
    }
    return EXIT_DONE;
}

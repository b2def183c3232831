/* What commands write into the audit log: which configuration and mappings are in use (as digests, since a file may name people), and what one that
 * only reads did. */
#include "cli/wire.h"
#include "store/audit.h"

static enum fail note_mapping(struct wire *wire, struct tx *tx,
                              const struct connection_settings *settings, struct str kind,
                              struct error *err)
{
    const struct audit_detail details[] = {
        {"version", stream_version(settings, kind, &wire->arena)}, {0}};
    const struct audit_note note = {.action = "mapping.changed",
                                    .subject = arena_printf(&wire->arena,
                                                            "connection %" PRI_STR " %" PRI_STR,
                                                            STR_ARG(settings->name), STR_ARG(kind)),
                                    .details = details};

    return audit_put_changed(tx, &note, err);
}

static enum fail note_file(struct wire *wire, struct tx *tx, struct error *err)
{
    char hex[2 * SHA256_BYTES + 1];

    hex_encode(wire->config.digest, SHA256_BYTES, hex);
    const struct audit_detail details[] = {{"sha256", str_of(hex)}, {0}};
    const struct audit_note note = {
        .action = "configuration.changed", .subject = wire->config.path, .details = details};
    return audit_put_changed(tx, &note, err);
}

static enum fail put_note(struct store *store, int64_t tenant_id, const struct audit_note *note,
                          struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (tx_begin(store, tenant_id, &tx, err) != OK || audit_put(tx, note, err) != OK) {
        return err->code;
    }
    return tx_commit(&tx, err);
}

enum fail wire_audit_beside(struct wire *wire, const char *holder, const struct audit_note *note,
                            struct error *err)
{
    struct store_options options = {.path = arena_cstr(&wire->arena, wire->config.store_path),
                                    .access = STORE_SHARED,
                                    .holder = holder};
    struct store *store;
    enum fail failed;

    if (store_open(&options, wire->cli->env, &store, err) != OK) {
        return err->code;
    }
    failed = put_note(store, wire_edit(wire).tenant_id, note, err);
    store_close(store);
    return failed;
}

enum fail wire_note_settings(struct wire *wire, struct error *err)
{
    AUTO_TX struct tx *tx = NULL;

    if (wire_begin(wire, &tx, err) != OK || note_file(wire, tx, err) != OK) {
        return err->code;
    }
    for (size_t i = 0; i < wire->config.settings.connections_count; i++) {
        const struct connection_settings *settings = &wire->config.connections[i];

        for (size_t k = 0; k < settings->kinds_count; k++) {
            if (note_mapping(wire, tx, settings, settings->kinds[k], err) != OK) {
                return err->code;
            }
        }
    }
    return tx_commit(&tx, err);
}

/* Secrets as they lie in the store: the true row opens, and no other text in its place does, nor the true text in another place. An input's bytes are: what is
 * done (0: the text is the input; 1: the input lies over the true text from a place on; 2: the true text in another place), the place, the text. */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/oauth/vault_fixture.h"

static struct fixture f;
static struct store_secret row;

static void close_store(void)
{
    end(&f);
}

static void open_store(void)
{
    begin_all(&f);
    put(&f, f.connection_id, "token", "a refresh token");
    row = stored(&f, f.connection_id, "token");
    atexit(close_store);
}

/* The next generation of the secret of that name holds the text: whether it opens. */
static bool opens(struct store_secret next, struct str blob)
{
    struct secret opened = {0};
    struct error err = {0};
    bool is_open;

    next.blob = blob;
    MUST_HOLD(tx_savepoint(f.tx, &err) == OK, "%s", err.message);
    MUST_HOLD(secret_put(f.tx, &next, &err) == OK, "%s", err.message);
    is_open = vault_get(f.vault, f.tx, f.connection_id, next.name.at, &opened, NULL, &err) == OK;
    MUST_HOLD(is_open || ((err.code == FAIL_CONFIG || err.code == FAIL_AUTH) && err.message[0]),
              "%s", err.message);
    MUST_HOLD(is_open || secret_is_empty(&opened), "shut, but something came out");
    secret_fini(&opened);
    error_reset(&err);
    MUST_HOLD(tx_savepoint_end(f.tx, false, &err) == OK, "%s", err.message);
    return is_open;
}

/* Under the generation that it was sealed for: the row is taken away first. */
static bool opens_in_its_place(struct str blob)
{
    struct store_secret reset = row;
    struct secret opened = {0};
    struct error err = {0};
    bool is_open;

    reset.blob = blob;
    MUST_HOLD(tx_savepoint(f.tx, &err) == OK, "%s", err.message);
    MUST_HOLD(secret_reseal(f.tx, &reset, &err) == OK, "%s", err.message);
    is_open = vault_get(f.vault, f.tx, f.connection_id, "token", &opened, NULL, &err) == OK;
    secret_fini(&opened);
    error_reset(&err);
    MUST_HOLD(tx_savepoint_end(f.tx, false, &err) == OK, "%s", err.message);
    return is_open;
}

static struct str over(struct arena *arena, size_t place, struct str input)
{
    char *text = arena_cstr(arena, row.blob);

    for (size_t i = 0; i < input.len && place + i < row.blob.len; i++) {
        text[place + i] = input.at[i];
    }
    return (struct str){.at = text, .len = row.blob.len};
}

void fuzz_one(struct str input)
{
    AUTO_ARENA struct arena arena = {0};
    unsigned what = take_byte(&input) % 3, place = take_byte(&input);
    struct store_secret next;
    struct str blob = input;

    if (!f.store) {
        open_store();
    }
    next = row;
    next.generation++;
    if (what == 1) {
        blob = over(&arena, place, input);
    } else if (what == 2) {
        next = (struct store_secret){
            .connection_id = row.connection_id, .name = STR("other"), .generation = 1};
        blob = row.blob;
    }
    MUST_HOLD(!opens(next, blob), "another place, or another generation");
    MUST_HOLD(opens_in_its_place(blob) == str_equal(blob, row.blob), "in its own place");
}

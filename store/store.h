/* The local source of truth. All SQL of the product is in this folder; everyone else sees records, links and facts. Every call works inside a
 * transaction that belongs to one tenant, so no query can forget the tenant. SQLite is one engine behind store/engine.h; PostgreSQL comes
 * beside it with the same SQL texts.
 * Memory: rows are returned in the arena passed in. "Not found" is ret_found = false, never an error.
 * Failures of every function here: FAIL_STOP (disk full, I/O error, damaged file: the message says which and the hint what to do) and what its
 * comment names. Nothing is half-done: the transaction is rolled back by tx_abort(). */
#ifndef CRMSYNC_STORE_STORE_H
#define CRMSYNC_STORE_STORE_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/env.h"
#include "core/fail.h"
#include "core/fields.h"

struct store;
struct tx;

enum store_access {
    STORE_READ,  /* any number of processes; sees the last commit */
    STORE_WRITE, /* one process at a time */
    /* any number of processes, beside the one that writes: for short transactions about connections, their tokens and sign-ins, which the
     * writing process does not keep in memory */
    STORE_SHARED,
    STORE_CREATE /* STORE_WRITE, and the file must not exist yet */
};

struct store_options {
    const char *path;
    enum store_access access;
    const char *holder; /* what this process does, told to the next one: "crmsync sync" */
};

/* Opens, migrates forward when needed (STORE_WRITE, STORE_SHARED). FAIL_CONFIG with hint: no such store ("crmsync init"), written by a newer crmsync (both
 * versions named), not a crmsync store, held by another process ("process 4711, 'crmsync sync', since 12:03:10Z"), not readable. File mode 0600. */
enum fail store_open(const struct store_options *options, struct env *env, struct store **ret,
                     struct error *err) MUST_CHECK;
/* A copy of the last commit, to try things out on: gone with store_close(). source may be open for reading only. */
enum fail store_scratch(struct store *source, struct env *env, struct store **ret,
                        struct error *err) MUST_CHECK;
/* Another handle on the same store, for another thread of this process: a handle belongs to one thread at a time. Writing transactions of all handles
 * take turns, urgent ones first, so none is refused because another one is at work. access: STORE_WRITE beside a writer, or STORE_READ; source must
 * be closed last. */
enum fail store_beside(struct store *source, enum store_access access, bool is_urgent,
                       struct store **ret, struct error *err) MUST_CHECK;
void store_close(struct store *store); /* checkpoints; accepts NULL */
int store_schema_version(const struct store *store);
/* Who acts through this handle from now on, for the audit log ("token:ci"); NULL: env's actor. Borrowed until it is set again. */
void store_actor_set(struct store *store, const char *actor);
/* No other process can hold it for writing meanwhile. */
bool store_is_held(const struct store *store);

enum { TENANT_DEFAULT = 1 }; /* "default", made by the first migration */

/* Starts a transaction (BEGIN IMMEDIATE for STORE_WRITE and STORE_SHARED, a read snapshot for STORE_READ). One at a time per store and thread; marks the thread
 * offline (core/offline.h). */
enum fail tx_begin(struct store *store, int64_t tenant_id, struct tx **ret,
                   struct error *err) MUST_CHECK;
/* Durable when it returns OK; *tx is NULL afterwards in any case. */
enum fail tx_commit(struct tx **tx, struct error *err) MUST_CHECK;
void tx_abort(struct tx **tx); /* rolls back; accepts NULL; *tx is NULL afterwards */
int64_t tx_tenant(const struct tx *tx);
/* Goes on as another tenant, for the operator's work that must be one commit for all of them (changing the key). */
void tx_tenant_set(struct tx *tx, int64_t tenant_id);

/* A part of a transaction that can be taken back alone. Not nested. */
enum fail tx_savepoint(struct tx *tx, struct error *err) MUST_CHECK;
enum fail tx_savepoint_end(struct tx *tx, bool keep, struct error *err) MUST_CHECK;
#define AUTO_TX __attribute__((cleanup(tx_abort)))

/* A tenant by name; made when create is set. */
enum fail store_tenant(struct store *store, struct str name, bool create, int64_t *ret_id,
                       bool *ret_found, struct error *err) MUST_CHECK;

/* All tenants, by id. */
enum fail store_tenants(struct tx *tx, struct arena *arena, int64_t **ret, size_t *ret_count,
                        struct error *err) MUST_CHECK;

/* Commits so far in this process: for the crash walk and for reports. */
int64_t store_commits(const struct store *store);

#endif

/* SOQL, as far as it is simulated: docs/simulators.md says which part. A statement is parsed against the schema, run to a list of records,
 * and each record written as JSON or, column by column, as plain text. */
#ifndef CRMSYNC_SIMULATORS_SALESFORCE_SOQL_H
#define CRMSYNC_SIMULATORS_SALESFORCE_SOQL_H

#include "simulators/salesforce_inside.h"

enum {
    SOQL_BYTES_MAX = 100000, /* of a statement; a literal has 4,000. Source: SOQL and SOSL limits */
    SOQL_LITERAL_MAX = 4000,
    SOQL_OFFSET_MAX = 2000,
    SOQL_PARENTS_MAX = 5,
    SOQL_ORDERS_MAX = 32,
};

/* A field of a record or of its parents. */
struct soql_path {
    struct sf_field *via[SOQL_PARENTS_MAX]; /* references to follow */
    size_t via_count;
    struct sf_field
        *field; /* NULL: several objects are possible, and name is looked up in the one it is */
    struct str name;
};

enum soql_kind { SOQL_FIELD, SOQL_PARENT, SOQL_CHILDREN };

/* What SELECT names, as the tree that the answer shows. */
struct soql_item {
    enum soql_kind kind;
    struct str name;          /* of the member */
    struct sf_field *field;   /* SOQL_FIELD: NULL = looked up by name; SOQL_PARENT: the reference */
    struct soql_item *items;  /* of a parent */
    struct soql_query *query; /* of the children */
    struct soql_item *next;
};

enum soql_operator {
    SOQL_EQ,
    SOQL_NE,
    SOQL_LT,
    SOQL_LE,
    SOQL_GT,
    SOQL_GE,
    SOQL_LIKE,
    SOQL_INCLUDES,
    SOQL_AND,
    SOQL_OR,
    SOQL_NOT
};

/* A literal in the form in which values are stored; a date literal such as TODAY is a span. */
struct soql_value {
    bool is_null;
    struct str text; /* of SOQL_LIKE: with \ before what is meant literally */
    struct str last; /* end of a span, inclusive; the same as text otherwise */
    int64_t number;  /* of an id; ms of a dateTime */
    int64_t last_number;
};

struct soql_expr {
    enum soql_operator op;
    struct soql_expr *left, *right; /* AND, OR; NOT has left only */
    struct soql_path path;
    struct soql_value *values; /* several: any of them */
    size_t values_count;
};

struct soql_order {
    struct soql_path path;
    bool is_descending, nulls_last;
};

enum soql_aggregate { SOQL_NO_AGGREGATE, SOQL_COUNT, SOQL_COUNT_OF, SOQL_MIN, SOQL_MAX };

struct soql_query {
    struct sf_object *object;
    struct soql_item *items;
    enum soql_aggregate aggregate;
    struct soql_path aggregated;
    struct str alias; /* of the aggregate: "expr0" */
    struct soql_expr *where;
    struct soql_order orders[SOQL_ORDERS_MAX];
    size_t orders_count;
    int64_t limit; /* -1 = none */
    int64_t offset;
    struct sf_field *parent; /* of a sub-select: the reference to the outer record */
    int64_t now_ms;
    bool shows_deleted; /* and archived activities: queryAll */
};

struct soql_result {
    struct sf_record **records; /* owned */
    size_t count, capacity;
};

/* text and the query live in arena. is_tooling: the Tooling API's objects. False with *err. */
bool soql_parse(struct salesforce *sf, struct arena *arena, struct str text, bool is_tooling,
                int64_t now_ms, struct soql_query **ret, struct sf_error *err);
/* parent: the record whose children are asked for; NULL = all. */
void soql_run(struct salesforce *sf, const struct soql_query *query, const struct sf_record *parent,
              struct soql_result *ret);
void soql_result_free(struct soql_result *result); /* accepts zeroed */

/* The record at the end of a path, or NULL; *ret_field is NULL when its object has no such field. */
const struct sf_record *soql_follow(const struct salesforce *sf, const struct sf_record *record,
                                    const struct soql_path *path,
                                    const struct sf_field **ret_field);
/* Under the query's items, with attributes. */
void soql_put_record(struct salesforce *sf, struct buf *body, int version,
                     const struct soql_query *query, const struct sf_record *record);
/* {"totalSize":…,"records":[…]} of an aggregate. */
void soql_put_aggregate(struct salesforce *sf, struct buf *body, const struct soql_query *query,
                        const struct soql_result *result);

/* The leaves of SELECT in order, for CSV: names such as "Account.Name". Returns how many; at most max are stored. */
size_t soql_columns(const struct soql_query *query, struct arena *arena, struct str *ret_names,
                    struct soql_path *ret_paths, size_t max);
/* As CSV shows it; nothing for null. */
void soql_put_column(const struct salesforce *sf, struct buf *body, const struct soql_path *path,
                     const struct sf_record *record);

#endif

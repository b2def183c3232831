/* From a value to the records that have it. One entry for each record with a value, in buckets by hash. */
#include "simulators/salesforce_inside.h"

#include "core/alloc.h"

struct entry {
    struct entry *next;
    uint64_t hash;
    struct sf_record *record;
};

struct sf_index {
    struct entry **buckets;
    size_t buckets_count; /* a power of two */
    size_t count;
};

enum { BUCKETS_FIRST = 64 };

struct sf_index *sf_index_new(void)
{
    struct sf_index *index = alloc_new(1, sizeof(*index));

    index->buckets_count = BUCKETS_FIRST;
    index->buckets = alloc_new(index->buckets_count, sizeof(index->buckets[0]));
    return index;
}

void sf_index_free(struct sf_index *index)
{
    if (!index) {
        return;
    }
    for (size_t i = 0; i < index->buckets_count; i++) {
        while (index->buckets[i]) {
            struct entry *next = index->buckets[i]->next;

            free(index->buckets[i]);
            index->buckets[i] = next;
        }
    }
    free(index->buckets);
    free(index);
}

/* FNV-1a over lower-case ASCII. Beyond ASCII a capital and its small letter may differ in every byte and in their number: a run of
 * such letters counts as one, and whoever compares the values decides. */
uint64_t sf_index_hash(struct str key)
{
    uint64_t hash = 0xcbf29ce484222325;
    unsigned char former = 0;

    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.at[i];

        c = c >= 0x80 ? 0x80 : c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
        if (c != 0x80 || former != 0x80) {
            hash = (hash ^ c) * 0x100000001b3;
        }
        former = c;
    }
    return hash;
}

static struct entry **bucket_of(const struct sf_index *index, uint64_t hash)
{
    return &index->buckets[(hash ^ hash >> 32) & (index->buckets_count - 1)];
}

static void grow(struct sf_index *index)
{
    struct entry **former = index->buckets;
    size_t former_count = index->buckets_count;

    index->buckets_count *= 4;
    index->buckets = alloc_new(index->buckets_count, sizeof(index->buckets[0]));
    for (size_t i = 0; i < former_count; i++) {
        while (former[i]) {
            struct entry *entry = former[i];
            struct entry **bucket = bucket_of(index, entry->hash);

            former[i] = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(former);
}

void sf_index_add(struct sf_index *index, struct str key, struct sf_record *record)
{
    struct entry *entry = alloc_new(1, sizeof(*entry));
    struct entry **bucket;

    if (index->count++ >= index->buckets_count) {
        grow(index);
    }
    entry->hash = sf_index_hash(key);
    entry->record = record;
    bucket = bucket_of(index, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
}

void sf_index_remove(struct sf_index *index, struct str key, struct sf_record *record)
{
    uint64_t hash = sf_index_hash(key);
    struct entry **at = bucket_of(index, hash);

    while (*at && ((*at)->record != record || (*at)->hash != hash)) {
        at = &(*at)->next;
    }
    if (*at) {
        struct entry *gone = *at;

        *at = gone->next;
        free(gone);
        index->count--;
    }
}

struct sf_record *sf_index_next(const struct sf_index *index, struct str key, void **place)
{
    uint64_t hash = sf_index_hash(key);
    struct entry *entry = *place ? ((struct entry *)*place)->next : *bucket_of(index, hash);

    while (entry && entry->hash != hash) {
        entry = entry->next;
    }
    *place = entry;
    return entry ? entry->record : NULL;
}

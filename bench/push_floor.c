/* The floor of bench/push.py: the fewest requests that update every object whose id stands on standard input, with libcurl alone and
 * fixed bodies; answers are discarded.
 *   push_floor hubspot BASE_URL TOKEN TYPE PROPERTY        batches of 100: one read, one update
 *   push_floor pipedrive BASE_URL TOKEN OBJECT MEMBER      one read of 100, and a PATCH for each
 * Prints calls=N. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 100, ID_BYTES = 32, BODY_BYTES = BATCH * 128, URL_BYTES = 8192 };

struct floor {
    CURL *curl;
    const char *base, *object, *member;
    char ids[BATCH][ID_BYTES];
    int count;
    long calls;
    char body[BODY_BYTES], url[URL_BYTES];
    size_t body_len;
};

static size_t discard(char *at, size_t size, size_t count, void *context)
{
    (void)at;
    (void)context;
    return size * count;
}

static void add(struct floor *floor, const char *before, const char *id, const char *after)
{
    floor->body_len +=
        (size_t)snprintf(floor->body + floor->body_len, sizeof floor->body - floor->body_len,
                         "%s%s%s", before, id, after);
}

static int call(struct floor *floor, const char *method)
{
    long status = 0;

    curl_easy_setopt(floor->curl, CURLOPT_URL, floor->url);
    curl_easy_setopt(floor->curl, CURLOPT_CUSTOMREQUEST, method);
    if (strcmp(method, "GET") == 0) {
        curl_easy_setopt(floor->curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(floor->curl, CURLOPT_POSTFIELDS, floor->body);
    }
    floor->calls++;
    if (curl_easy_perform(floor->curl) != CURLE_OK ||
        curl_easy_getinfo(floor->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
        status < 200 || status >= 300) {
        fprintf(stderr, "%s %.200s: status %ld\n", method, floor->url, status);
        return 1;
    }
    return 0;
}

static int hubspot_batch(struct floor *floor)
{
    char with[96], verb[2][8] = {"read", "update"};

    for (int step = 0; step < 2; step++) {
        floor->body_len = 0;
        snprintf(with, sizeof with, "\",\"properties\":{\"%s\":\"floor\"}}", floor->member);
        add(floor, "{", step == 0 ? "\"properties\":[\"email\"]," : "", "\"inputs\":[");
        for (int i = 0; i < floor->count; i++) {
            add(floor, i ? ",{\"id\":\"" : "{\"id\":\"", floor->ids[i], step == 0 ? "\"}" : with);
        }
        add(floor, "]}", "", "");
        snprintf(floor->url, sizeof floor->url, "%s/crm/objects/2026-09/%s/batch/%s", floor->base,
                 floor->object, verb[step]);
        if (call(floor, "POST")) {
            return 1;
        }
    }
    return 0;
}

static int pipedrive_batch(struct floor *floor)
{
    size_t len = (size_t)snprintf(floor->url, sizeof floor->url,
                                  "%s/api/v2/%s?limit=500&ids=", floor->base, floor->object);

    for (int i = 0; i < floor->count; i++) {
        len += (size_t)snprintf(floor->url + len, sizeof floor->url - len, "%s%s", i ? "," : "",
                                floor->ids[i]);
    }
    if (call(floor, "GET")) {
        return 1;
    }
    for (int i = 0; i < floor->count; i++) {
        floor->body_len = 0;
        add(floor, "{\"", floor->member, "\":\"floor\"}");
        snprintf(floor->url, sizeof floor->url, "%s/api/v2/%s/%s", floor->base, floor->object,
                 floor->ids[i]);
        if (call(floor, "PATCH")) {
            return 1;
        }
    }
    return 0;
}

static int each_batch(struct floor *floor, int (*send)(struct floor *floor))
{
    while (scanf("%31s", floor->ids[floor->count]) == 1) {
        if (++floor->count == BATCH) {
            if (send(floor)) {
                return 1;
            }
            floor->count = 0;
        }
    }
    return floor->count ? send(floor) : 0;
}

int main(int argc, char **argv)
{
    static struct floor floor;
    struct curl_slist *headers = NULL;
    char token[1024];
    int failed;

    if (argc != 6) {
        fprintf(stderr, "usage: see the top of bench/push_floor.c\n");
        return 2;
    }
    floor = (struct floor){
        .curl = curl_easy_init(), .base = argv[2], .object = argv[4], .member = argv[5]};
    snprintf(token, sizeof token, "Authorization: Bearer %s", argv[3]);
    headers = curl_slist_append(headers, token);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    curl_easy_setopt(floor.curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(floor.curl, CURLOPT_WRITEFUNCTION, discard);
    failed = each_batch(&floor, strcmp(argv[1], "hubspot") == 0 ? hubspot_batch : pipedrive_batch);
    printf("calls=%ld\n", floor.calls);
    curl_slist_free_all(headers);
    curl_easy_cleanup(floor.curl);
    return failed;
}

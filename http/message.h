/* One HTTP request and its answer, as both the client and the servers (service, simulators) see them. */
#ifndef CRMSYNC_HTTP_MESSAGE_H
#define CRMSYNC_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/fail.h"
#include "core/str.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

struct http_header {
    struct str name; /* compared without case */
    struct str value;
};

enum { HTTP_HEADERS_MAX = 64 };

struct http_headers {
    struct http_header at[HTTP_HEADERS_MAX];
    size_t count;
};

/* Texts are borrowed from the maker's arena for the life of the call. */
struct http_request {
    enum http_method method;
    struct str url; /* client: absolute. Server: path and query as received */
    struct http_headers headers;
    struct str body;
    /* server only. Behind a trusted proxy: what that says of its client; else what is seen of the connection */
    struct str client_address; /* "192.0.2.1", "2001:db8::1"; "" a local socket */
    struct str host;           /* as the client called us, with a port that is not the usual one */
    bool is_tls;
    bool
        is_head; /* method is HTTP_GET, and the answer goes out without its body. source: RFC 9110 9.3.2 */
    bool
        is_client_proved; /* by a certificate that this server knows (tls_files.client_ca), on the connection itself */
};

/* Misbehaviour that a simulator may ask its carrier (server or mounted transport) to act out. */
enum http_fault {
    HTTP_FAULT_NONE,
    HTTP_FAULT_RESET,    /* the connection dies before any byte of the answer */
    HTTP_FAULT_TIMEOUT,  /* no answer within the client's deadline */
    HTTP_FAULT_TRUNCATE, /* half of the body, then the connection dies */
    HTTP_FAULT_SLOW,     /* the body comes a few bytes at a time */
};

struct http_stream;

/* body and header texts belong to arena, which the response owns. */
struct http_response {
    struct arena arena;
    int status; /* 0: no answer */
    struct http_headers headers;
    struct str body;
    int64_t began_ms;      /* wall clock when the request was sent (client) */
    int64_t ended_ms;      /* wall clock when the answer was complete (client) */
    enum http_fault fault; /* set by simulators, never seen by client code */
    /* server: the path as the access log shows it, where the true one holds a secret; STR_NONE: the true one */
    struct str logged_path;
    struct http_stream
        *stream; /* server: set by http_stream_open(), http/stream.h; body is not used */
};

void http_response_fini(struct http_response *response); /* accepts zeroed */
const char *http_method_name(enum http_method method);
const char *http_request_method(const struct http_request *request); /* "HEAD" where it is one */
/* Value of the first header of that name, or STR_NONE. */
struct str http_header_get(const struct http_headers *headers, const char *name);
/* drops past the maximum */
void http_header_add(struct http_headers *headers, struct str name, struct str value);

/* Server side helpers. path: before '?', still percent-encoded. query value decoded into arena; STR_NONE when absent. */
struct str http_path(const struct http_request *request);
struct str http_query_get(struct arena *arena, const struct http_request *request,
                          const char *name);
/* Percent-decoding; invalid escapes stay as they are. plus_is_blank for form and query values. */
struct str http_percent_decode(struct arena *arena, struct str text, bool plus_is_blank);
/* Percent-encodes everything but unreserved characters (RFC 3986). */
struct str http_percent_encode(struct arena *arena, struct str text);

/* Seconds or HTTP date of Retry-After as ms from now; otherwise_ms when absent or unreadable; capped at 24 h. */
int64_t http_retry_after_ms(const struct http_headers *headers, int64_t now_ms,
                            int64_t otherwise_ms);

/* What a server calls for each request; fills response (its arena included). Blocking, on the server's worker. */
typedef void http_handler_fn(void *context, const struct http_request *request,
                             struct http_response *response);

#endif

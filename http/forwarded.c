#include "http/forwarded.h"

/* Who may connect to a local socket is said by the mode of its file. */
static bool is_trusted(const struct forwarded_seen *seen, const struct address_ip *ip)
{
    return address_ip_is_local_socket(ip) ||
           address_in_ranges(ip, seen->trusted, seen->trusted_count);
}

/* Cuts the last member of a comma-separated list. */
static struct str cut_last(struct str *list)
{
    size_t at = list->len;
    struct str last;

    while (at > 0 && list->at[at - 1] != ',') {
        at--;
    }
    last = str_trim(str_slice(*list, at, list->len));
    *list = at > 0 ? str_slice(*list, 0, at - 1) : STR_NONE;
    return last;
}

/* Each proxy adds at the end who called it. From there on, trusted ones are passed over; what stands before the first
 * that is not trusted could have been written by anybody. */
static struct address_ip client_of(const struct forwarded_seen *seen,
                                   const struct http_headers *headers)
{
    struct address_ip client = seen->peer;

    for (size_t i = headers->count; i > 0 && is_trusted(seen, &client); i--) {
        struct str list = headers->at[i - 1].value;

        if (!str_equal_nocase(headers->at[i - 1].name, STR("x-forwarded-for"))) {
            continue;
        }
        while (list.len && is_trusted(seen, &client)) {
            if (!address_ip_parse(cut_last(&list), &client)) {
                return client;
            }
        }
    }
    return client;
}

void forwarded_apply(const struct forwarded_seen *seen, struct arena *arena,
                     struct http_request *request)
{
    struct address_ip client = client_of(seen, &request->headers);
    bool by_proxy = is_trusted(seen, &seen->peer);
    struct str proto = http_header_get(&request->headers, "x-forwarded-proto");
    struct str host = http_header_get(&request->headers, "x-forwarded-host");
    char text[ADDRESS_TEXT_BYTES];

    address_ip_format(&client, text);
    request->client_address = arena_str(arena, str_of(text));
    request->is_tls =
        by_proxy && proto.len ? str_equal_nocase(cut_last(&proto), STR("https")) : seen->is_tls;
    request->host =
        by_proxy && host.len ? cut_last(&host) : http_header_get(&request->headers, "host");
}

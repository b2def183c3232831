#include "http/address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "core/attributes.h"

/* source: IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and its updates) */
static const struct {
    uint32_t net;
    int bits;
} IPV4_SPECIAL[] = {
    {0x00000000, 8},  /* this network */
    {0x0A000000, 8},  /* private */
    {0x64400000, 10}, /* carrier NAT; cloud metadata of some providers */
    {0x7F000000, 8},  /* loopback */
    {0xA9FE0000, 16}, /* link-local; cloud metadata */
    {0xAC100000, 12}, /* private */
    {0xC0000000, 24}, /* protocol assignments */
    {0xC0000200, 24}, /* documentation */
    {0xC0586300, 24}, /* 6to4 relays */
    {0xC0A80000, 16}, /* private */
    {0xC6120000, 15}, /* benchmarks */
    {0xC6336400, 24}, /* documentation */
    {0xCB007100, 24}, /* documentation */
    {0xE0000000, 4},  /* multicast */
    {0xF0000000, 4},  /* reserved, broadcast */
};

static bool ipv4_is_public(uint32_t ip)
{
    for (size_t i = 0; i < COUNT_OF(IPV4_SPECIAL); i++) {
        int shift = 32 - IPV4_SPECIAL[i].bits;

        if (ip >> shift == IPV4_SPECIAL[i].net >> shift) {
            return false;
        }
    }
    return true;
}

static uint32_t ipv4_at(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool ipv6_is_public(const unsigned char ip[16])
{
    static const unsigned char NAT64[12] = {0x00, 0x64, 0xFF, 0x9B};

    if (memcmp(ip, NAT64, sizeof NAT64) == 0) {
        return ipv4_is_public(ipv4_at(ip + 12));
    }
    if (ip[0] == 0x20 && ip[1] == 0x02) { /* 6to4 */
        return ipv4_is_public(ipv4_at(ip + 2));
    }
    if (ip[0] == 0x20 && ip[1] == 0x01 && (ip[2] < 0x02 || (ip[2] == 0x0D && ip[3] == 0xB8))) {
        return false; /* Teredo and protocol assignments; documentation */
    }
    /* Only 2000::/3 is handed out: this leaves out ::1, ::ffff:0:0/96, fc00::/7, fe80::/10 and
     * ff00::/8. */
    return ip[0] >> 5 == 1;
}

/* An IPv4 address written as ::ffff:1.2.3.4 is that IPv4 address to the system. */
static bool mapped_ipv4(const struct sockaddr *address, uint32_t *ret)
{
    static const unsigned char PREFIX[12] = {[10] = 0xFF, [11] = 0xFF};
    struct sockaddr_in6 six;

    memcpy(&six, address, sizeof six);
    if (memcmp(six.sin6_addr.s6_addr, PREFIX, sizeof PREFIX) != 0) {
        return false;
    }
    *ret = ipv4_at(six.sin6_addr.s6_addr + 12);
    return true;
}

static bool ipv4_of(const struct sockaddr *address, uint32_t *ret)
{
    struct sockaddr_in four;

    if (address->sa_family == AF_INET6) {
        return mapped_ipv4(address, ret);
    }
    if (address->sa_family != AF_INET) {
        return false;
    }
    memcpy(&four, address, sizeof four);
    *ret = ntohl(four.sin_addr.s_addr);
    return true;
}

bool address_is_loopback(const struct sockaddr *address)
{
    struct sockaddr_in6 six;
    uint32_t ip;

    if (ipv4_of(address, &ip)) {
        return ip >> 24 == 127;
    }
    if (address->sa_family != AF_INET6) {
        return false;
    }
    memcpy(&six, address, sizeof six);
    return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

bool address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in6 six;
    uint32_t ip;

    if (ipv4_of(address, &ip)) {
        return ipv4_is_public(ip);
    }
    if (address->sa_family != AF_INET6) {
        return false;
    }
    memcpy(&six, address, sizeof six);
    return ipv6_is_public(six.sin6_addr.s6_addr);
}

void address_format(const struct sockaddr *address, char ret[ADDRESS_TEXT_BYTES])
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    const char *done = NULL;

    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        done = inet_ntop(AF_INET, &four.sin_addr, ret, ADDRESS_TEXT_BYTES);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof six);
        done = inet_ntop(AF_INET6, &six.sin6_addr, ret, ADDRESS_TEXT_BYTES);
    }
    if (!done) {
        memcpy(ret, "unknown", sizeof "unknown");
    }
}

/* --- ranges ---------------------------------------------------------------------------------- */

enum { IPV6_BITS = 128, IPV4_BITS = 32 };

static const unsigned char MAPPED[12] = {[10] = 0xFF, [11] = 0xFF};

/* *ret_bits: of the family, 32 or 128. */
static bool parse_ip(struct str text, unsigned char ret[16], int *ret_bits)
{
    char plain[ADDRESS_TEXT_BYTES];

    if (text.len == 0 || text.len >= sizeof plain || memchr(text.at, 0, text.len)) {
        return false;
    }
    memcpy(plain, text.at, text.len);
    plain[text.len] = '\0';
    *ret_bits = strchr(plain, ':') ? IPV6_BITS : IPV4_BITS;
    if (*ret_bits == IPV6_BITS) {
        return inet_pton(AF_INET6, plain, ret) == 1;
    }
    memcpy(ret, MAPPED, sizeof MAPPED);
    return inet_pton(AF_INET, plain, ret + sizeof MAPPED) == 1;
}

static bool bit_at(const unsigned char bytes[16], int index)
{
    return bytes[index / 8] >> (7 - index % 8) & 1;
}

bool address_range_parse(struct str text, struct address_range *ret)
{
    struct str rest = text, ip = str_cut(&rest, '/');
    struct address_range range;
    int64_t bits;
    int family;

    if (!parse_ip(ip, range.bytes, &family)) {
        return false;
    }
    bits = family;
    if (rest.at && (!str_to_i64(rest, &bits) || bits < 0 || bits > family)) {
        return false;
    }
    range.bits = (int)bits + IPV6_BITS - family;
    for (int i = range.bits; i < IPV6_BITS; i++) {
        if (bit_at(range.bytes, i)) {
            return false;
        }
    }
    *ret = range;
    return true;
}

static bool in_range(const unsigned char bytes[16], const struct address_range *range)
{
    for (int i = 0; i < range->bits; i++) {
        if (bit_at(bytes, i) != bit_at(range->bytes, i)) {
            return false;
        }
    }
    return true;
}

bool address_range_has(const struct address_range *range, struct str address)
{
    unsigned char bytes[16];
    int family;

    return parse_ip(address, bytes, &family) && in_range(bytes, range);
}

/* ---- who calls us ---- */

struct address_ip address_ip_of(const struct sockaddr *address)
{
    struct address_ip ip = {0};

    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;

        memcpy(&four, address, sizeof four);
        memcpy(ip.bytes, MAPPED, sizeof MAPPED);
        memcpy(ip.bytes + sizeof MAPPED, &four.sin_addr, sizeof four.sin_addr);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;

        memcpy(&six, address, sizeof six);
        memcpy(ip.bytes, six.sin6_addr.s6_addr, sizeof ip.bytes);
    }
    return ip;
}

/* Without its brackets and port. */
static struct str bare_address(struct str text)
{
    struct str rest = text, first = str_cut(&rest, ':');

    if (text.len && text.at[0] == '[') {
        rest = str_slice(text, 1, text.len);
        return str_cut(&rest, ']');
    }
    return rest.at && !memchr(rest.at, ':', rest.len) ? first : text;
}

bool address_ip_parse(struct str text, struct address_ip *ret)
{
    struct address_ip ip = {0};
    int family;

    if (!parse_ip(bare_address(str_trim(text)), ip.bytes, &family)) {
        return false;
    }
    *ret = ip;
    return true;
}

bool address_ip_is_local_socket(const struct address_ip *ip)
{
    static const struct address_ip NONE;

    return memcmp(ip, &NONE, sizeof NONE) == 0;
}

void address_ip_format(const struct address_ip *ip, char ret[ADDRESS_TEXT_BYTES])
{
    bool is_four = memcmp(ip->bytes, MAPPED, sizeof MAPPED) == 0;
    const void *from = ip->bytes + (is_four ? sizeof MAPPED : 0);

    ret[0] = '\0';
    if (!address_ip_is_local_socket(ip)) {
        (void)inet_ntop(is_four ? AF_INET : AF_INET6, from, ret, ADDRESS_TEXT_BYTES);
    }
}

bool address_in_ranges(const struct address_ip *ip, const struct address_range *ranges,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (in_range(ip->bytes, &ranges[i])) {
            return true;
        }
    }
    return false;
}

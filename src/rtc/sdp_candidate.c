/* Candidate attributes (RFC 8839 section 5.1). */
#include "rtc/sdp.h"
#include "rtc/sdp_text.h"

#include <stdio.h>
#include <string.h>

static const char *const candidate_types[] = {"host", "srflx", "prflx", "relay"};

static int read_type(struct sdp_candidate *out, struct span type)
{
    for (size_t i = 0; i < sizeof candidate_types / sizeof candidate_types[0]; i++) {
        if (span_is(type, candidate_types[i])) {
            snprintf(out->type, sizeof out->type, "%s", candidate_types[i]);
            return OW_OK;
        }
    }
    return type.size > 0 ? OW_EUNSUPPORTED : OW_EPARSE;
}

static int read_address(struct sdp_candidate *out, struct span ip, uint16_t port)
{
    char text[ADDRESS_TEXT_BYTES];
    if (ip.size == 0)
        return OW_EPARSE;
    if (!span_copy(ip, text, sizeof text) || address_parse(&out->address, text, port))
        return OW_EUNSUPPORTED; /* a name, mDNS or other: nothing is looked up here */
    return OW_OK;
}

int sdp_parse_candidate(struct sdp_candidate *out, const char *text, size_t size)
{
    static const char *const prefixes[] = {"a=", "candidate:"};
    struct span rest = span_trim((struct span){text, size});
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(prefixes[i]);
        if (rest.size >= length && memcmp(rest.text, prefixes[i], length) == 0) {
            rest.text += length;
            rest.size -= length;
        }
    }
    struct span foundation = span_next(&rest, ' '), component = span_next(&rest, ' ');
    struct span transport = span_next(&rest, ' '), priority = span_next(&rest, ' ');
    struct span ip = span_next(&rest, ' '), port = span_next(&rest, ' ');
    struct span typ = span_next(&rest, ' '), type = span_next(&rest, ' ');

    struct sdp_candidate candidate = {0};
    uint32_t component_id, port_number;
    if (foundation.size == 0 || foundation.size > 32 || !span_is(typ, "typ") ||
        !span_number(component, 256, &component_id) ||
        !span_number(priority, UINT32_MAX, &candidate.priority) ||
        !span_number(port, 65535, &port_number))
        return OW_EPARSE;
    /* Component 2 would be RTCP, which is multiplexed here. TCP candidates of a browser are active
     * ones: nothing can be sent there. */
    if (component_id != 1 || !span_is_nocase(transport, "udp"))
        return OW_EUNSUPPORTED;
    if (candidate.priority == 0 || port_number == 0)
        return OW_EPARSE;
    int err = read_type(&candidate, type);
    if (!err)
        err = read_address(&candidate, ip, (uint16_t)port_number);
    if (!err)
        *out = candidate;
    return err;
}

/* RFC 8445 section 5.1.1.3: equal for candidates of one type, base address and protocol. FNV-1a. */
static uint32_t foundation_of(const struct sdp_candidate *candidate)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; candidate->type[i]; i++)
        hash = (hash ^ (uint8_t)candidate->type[i]) * 16777619u;
    for (size_t i = 0; i < sizeof candidate->address.ip; i++)
        hash = (hash ^ candidate->address.ip[i]) * 16777619u;
    if (candidate->address.transport == ADDRESS_TCP)
        hash = (hash ^ ADDRESS_TCP) * 16777619u;
    return hash;
}

/* Type preference, local preference, component 1. */
static uint32_t priority_of(uint32_t type, uint32_t local)
{
    return type << 24 | local << 8 | 255;
}

uint32_t sdp_host_priority(int index)
{
    return priority_of(126, 65535 - (uint32_t)index);
}

uint32_t sdp_srflx_priority(int index)
{
    return priority_of(100, 65535 - (uint32_t)index);
}

/* RFC 6544 section 4.2: a type preference below that of UDP's, and the direction preference of a
 * passive host candidate (4) in the upper three bits of the local one. */
uint32_t sdp_tcp_priority(int index)
{
    return priority_of(90, 4u << 13 | (8191 - (uint32_t)index));
}

uint32_t sdp_relay_priority(int index)
{
    return priority_of(2, 65535 - (uint32_t)index);
}

void sdp_write_candidate(char out[SDP_CANDIDATE_TEXT_BYTES], const struct sdp_candidate *candidate)
{
    char ip[ADDRESS_TEXT_BYTES], base[32] = "";
    bool tcp = candidate->address.transport == ADDRESS_TCP;
    if (strcmp(candidate->type, "host") != 0)
        snprintf(base, sizeof base, " raddr %s rport 9",
                 candidate->address.family == ADDRESS_IPV6 ? "::" : "0.0.0.0");
    snprintf(out, SDP_CANDIDATE_TEXT_BYTES, "candidate:%u 1 %s %u %s %u typ %s%s%s",
             foundation_of(candidate), tcp ? "tcp" : "udp", candidate->priority,
             address_ip_text(&candidate->address, ip), candidate->address.port, candidate->type,
             base, tcp ? " tcptype passive" : "");
}

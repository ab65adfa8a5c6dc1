/* An offer is read twice. First every section (the session's head is one, too) through the
 * attribute table, keeping only where things stand; then, once the video section is chosen, its
 * codecs, extensions and candidates. */
#include "rtc/sdp.h"
#include "rtc/sdp_codec.h"
#include "rtc/sdp_text.h"

#include <string.h>

enum { MAX_GROUPS = 4, MAX_ONE_BYTE_MID = 16 };

enum direction { DIRECTION_NONE, SENDRECV, SENDONLY, RECVONLY, INACTIVE };

struct section {
    struct span body; /* all lines after the m-line */
    struct span kind, protocol, formats;
    uint32_t port;
    struct span mid, ufrag, pwd, fingerprint, setup;
    enum direction direction;
    bool other_fingerprint, rtcp_mux, rtcp_rsize, bundle_only, ice_lite, trickle, mixed;
};

struct parser {
    struct section session;
    struct section media[SDP_MAX_MEDIA];
    int media_count;
    struct span groups[MAX_GROUPS]; /* the mids of a BUNDLE group each */
    int group_count;
    struct span bundle; /* the group of the video section; NULL text = none */
    struct section *video, *tagged;
    struct section
        *owner;      /* of the transport that is answered: the video, or data in front of it */
    unsigned codecs; /* that may be chosen, 1 << enum video_codec */
    struct reason *why;
};

/* ---- first reading: a row per attribute ---- */

static void keep_first(struct span *field, struct span value)
{
    if (!field->text)
        *field = value;
}

static void read_mid(struct section *s, struct span value)
{
    keep_first(&s->mid, value);
}

static void read_ufrag(struct section *s, struct span value)
{
    keep_first(&s->ufrag, value);
}

static void read_pwd(struct section *s, struct span value)
{
    keep_first(&s->pwd, value);
}

static void read_setup(struct section *s, struct span value)
{
    keep_first(&s->setup, value);
}

static void read_fingerprint(struct section *s, struct span value)
{
    if (span_is_nocase(span_next(&value, ' '), "sha-256"))
        keep_first(&s->fingerprint, span_trim(value));
    else
        s->other_fingerprint = true;
}

static void read_sendrecv(struct section *s, struct span value)
{
    (void)value;
    s->direction = SENDRECV;
}

static void read_sendonly(struct section *s, struct span value)
{
    (void)value;
    s->direction = SENDONLY;
}

static void read_recvonly(struct section *s, struct span value)
{
    (void)value;
    s->direction = RECVONLY;
}

static void read_inactive(struct section *s, struct span value)
{
    (void)value;
    s->direction = INACTIVE;
}

static void read_rtcp_mux(struct section *s, struct span value)
{
    (void)value;
    s->rtcp_mux = true;
}

static void read_rtcp_rsize(struct section *s, struct span value)
{
    (void)value;
    s->rtcp_rsize = true;
}

static void read_bundle_only(struct section *s, struct span value)
{
    (void)value;
    s->bundle_only = true;
}

static void read_ice_lite(struct section *s, struct span value)
{
    (void)value;
    s->ice_lite = true;
}

static void read_ice_options(struct section *s, struct span value)
{
    struct span token;
    while ((token = span_next(&value, ' ')).text)
        s->trickle |= span_is(token, "trickle");
}

static void read_mixed(struct section *s, struct span value)
{
    (void)value;
    s->mixed = true;
}

static const struct {
    const char *name;
    void (*read)(struct section *, struct span value);
} attribute_table[] = {
    {"mid", read_mid},
    {"ice-ufrag", read_ufrag},
    {"ice-pwd", read_pwd},
    {"ice-lite", read_ice_lite},
    {"ice-options", read_ice_options},
    {"fingerprint", read_fingerprint},
    {"setup", read_setup},
    {"sendrecv", read_sendrecv},
    {"sendonly", read_sendonly},
    {"recvonly", read_recvonly},
    {"inactive", read_inactive},
    {"rtcp-mux", read_rtcp_mux},
    {"rtcp-rsize", read_rtcp_rsize},
    {"bundle-only", read_bundle_only},
    {"extmap-allow-mixed", read_mixed},
};

/* Splits "a=name:value"; false for lines of other kinds. */
static bool split_attribute(struct span line, struct span *name, struct span *value)
{
    if (line.size < 2 || line.text[0] != 'a' || line.text[1] != '=')
        return false;
    *value = (struct span){line.text + 2, line.size - 2};
    *name = span_trim(span_next(value, ':'));
    *value = span_trim(*value);
    return true;
}

static void read_group(struct parser *p, struct span value)
{
    if (span_is(span_next(&value, ' '), "BUNDLE") && p->group_count < MAX_GROUPS)
        p->groups[p->group_count++] = value;
}

static void read_attribute(struct parser *p, struct section *section, struct span line)
{
    struct span name, value;
    if (!split_attribute(line, &name, &value))
        return;
    if (section == &p->session && span_is(name, "group"))
        read_group(p, value);
    for (size_t i = 0; i < sizeof attribute_table / sizeof attribute_table[0]; i++)
        if (span_is(name, attribute_table[i].name))
            attribute_table[i].read(section, value);
}

/* "m=video 9 UDP/TLS/RTP/SAVPF 96 97"; a port may be "9/2". */
static int begin_section(struct parser *p, struct span line)
{
    if (p->media_count == SDP_MAX_MEDIA)
        return reason_set(p->why, OW_ELIMIT, "the offer has more than %d media sections",
                          SDP_MAX_MEDIA);
    struct section section = {0};
    struct span rest = {line.text + 2, line.size - 2};
    section.kind = span_next(&rest, ' ');
    struct span port = span_next(&rest, ' ');
    section.protocol = span_next(&rest, ' ');
    section.formats = span_trim(rest);
    if (!section.kind.text || !section.protocol.text || section.formats.size == 0 ||
        !span_number(span_next(&port, '/'), 65535, &section.port))
        return reason_set(p->why, OW_EPARSE, "media section %d of the offer has a malformed m-line",
                          p->media_count + 1);
    p->media[p->media_count++] = section;
    return OW_OK;
}

static int read_sections(struct parser *p, struct span text)
{
    struct section *section = &p->session;
    struct span line = span_next_line(&text);
    if (!span_is(line, "v=0"))
        return reason_set(p->why, OW_EPARSE, "the offer is not SDP: it does not begin with v=0");
    while ((line = span_next_line(&text)).text) {
        if (line.size >= 2 && line.text[0] == 'm' && line.text[1] == '=') {
            int err = begin_section(p, line);
            if (err)
                return err;
            section = &p->media[p->media_count - 1];
            section->body = (struct span){text.text, 0};
        } else {
            read_attribute(p, section, line);
        }
        if (section != &p->session)
            section->body.size = (size_t)(text.text - section->body.text);
    }
    return OW_OK;
}

/* ---- BUNDLE and the choice of the video section ---- */

static bool group_has(struct span group, struct span mid)
{
    struct span token;
    while ((token = span_next(&group, ' ')).text)
        if (span_equal(token, mid))
            return true;
    return false;
}

static int check_mids(struct parser *p)
{
    for (int i = 0; i < p->media_count; i++) {
        char mid[SDP_MID_BYTES];
        if (p->media[i].mid.text && !span_copy(p->media[i].mid, mid, sizeof mid))
            return reason_set(p->why, OW_EPARSE,
                              "media section %d of the offer has a mid that is empty, longer than "
                              "%d characters or not plain text",
                              i + 1, SDP_MID_BYTES - 1);
        for (int j = 0; j < i; j++)
            if (span_equal(p->media[i].mid, p->media[j].mid))
                return reason_set(p->why, OW_EPARSE, "two media sections of the offer share mid %s",
                                  mid);
    }
    return OW_OK;
}

static enum direction direction_of(const struct parser *p, const struct section *s)
{
    if (s->direction != DIRECTION_NONE)
        return s->direction;
    return p->session.direction != DIRECTION_NONE ? p->session.direction : SENDRECV;
}

static bool is_rtp_over_dtls(struct span protocol)
{
    return span_is(protocol, "UDP/TLS/RTP/SAVPF") || span_is(protocol, "UDP/TLS/RTP/SAVP") ||
           span_is(protocol, "RTP/SAVPF") || span_is(protocol, "RTP/SAVP");
}

static int choose_video(struct parser *p)
{
    bool any = false;
    for (int i = 0; i < p->media_count && !p->video; i++) {
        struct section *s = &p->media[i];
        if (!span_is(s->kind, "video") || (s->port == 0 && !s->bundle_only))
            continue;
        any = true;
        enum direction direction = direction_of(p, s);
        if ((direction == RECVONLY || direction == SENDRECV) && is_rtp_over_dtls(s->protocol))
            p->video = s;
    }
    if (!p->video)
        return reason_set(p->why, OW_EUNSUPPORTED,
                          any ? "no video section of the offer wants to receive over DTLS-SRTP"
                              : "the offer has no video section");
    for (int i = 0; i < p->group_count && !p->bundle.text; i++)
        if (group_has(p->groups[i], p->video->mid))
            p->bundle = p->groups[i];
    /* A bundled section without parameters of its own uses those of the group's first one
     * (RFC 8843 section 7.1). */
    p->tagged = p->owner = p->video;
    struct span rest = p->bundle, first = span_next(&rest, ' ');
    for (int i = 0; i < p->media_count; i++)
        if (span_equal(p->media[i].mid, first))
            p->tagged = &p->media[i];
    return OW_OK;
}

/* ---- transport ---- */

static struct span inherit(struct span own, struct span tagged, struct span session)
{
    return own.text ? own : tagged.text ? tagged : session;
}

static int read_credentials(struct parser *p, struct sdp_offer *out)
{
    struct span ufrag = inherit(p->owner->ufrag, p->tagged->ufrag, p->session.ufrag);
    struct span pwd = inherit(p->owner->pwd, p->tagged->pwd, p->session.pwd);
    if (!ufrag.text || !pwd.text)
        return reason_set(p->why, OW_EPARSE, "the offer has no ICE user fragment and password");
    /* RFC 8839 section 5.4: 4 to 256 and 22 to 256 characters. */
    if (ufrag.size < 4 || pwd.size < 22 || !span_copy(ufrag, out->ufrag, sizeof out->ufrag) ||
        !span_copy(pwd, out->pwd, sizeof out->pwd) || strchr(out->ufrag, ':'))
        return reason_set(p->why, OW_EPARSE,
                          "the offer's ICE user fragment or password is malformed");
    return OW_OK;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_fingerprint_bytes(struct parser *p, struct sdp_offer *out)
{
    struct span text =
        inherit(p->owner->fingerprint, p->tagged->fingerprint, p->session.fingerprint);
    if (!text.text && (p->owner->other_fingerprint || p->tagged->other_fingerprint ||
                       p->session.other_fingerprint))
        return reason_set(p->why, OW_EUNSUPPORTED,
                          "the offer's certificate fingerprint is not sha-256");
    if (!text.text)
        return reason_set(p->why, OW_EPARSE, "the offer has no DTLS certificate fingerprint");
    bool ok = text.size == 32 * 3 - 1;
    for (size_t i = 0; ok && i < 32; i++) {
        int high = hex_value(text.text[3 * i]), low = hex_value(text.text[3 * i + 1]);
        ok = high >= 0 && low >= 0 && (i == 31 || text.text[3 * i + 2] == ':');
        if (ok)
            out->fingerprint[i] = (uint8_t)(high << 4 | low);
    }
    return ok ? OW_OK
              : reason_set(p->why, OW_EPARSE, "the offer's sha-256 fingerprint is malformed");
}

static int read_dtls_role(struct parser *p, struct sdp_offer *out)
{
    struct span setup = inherit(p->owner->setup, p->tagged->setup, p->session.setup);
    out->setup = SDP_SETUP_ACTPASS;
    if (!setup.text || span_is(setup, "actpass"))
        return OW_OK;
    out->setup = SDP_SETUP_ACTIVE;
    if (span_is(setup, "active"))
        return OW_OK;
    return reason_set(p->why, OW_EUNSUPPORTED,
                      "the offer does not let the browser open the DTLS connection (setup must be "
                      "actpass or active)");
}

static int read_transport(struct parser *p, struct sdp_offer *out)
{
    int err = read_credentials(p, out);
    if (!err)
        err = read_fingerprint_bytes(p, out);
    if (!err)
        err = read_dtls_role(p, out);
    if (!err && !p->video->rtcp_mux && !p->tagged->rtcp_mux && !p->session.rtcp_mux)
        err = reason_set(p->why, OW_EUNSUPPORTED,
                         "the offer wants RTCP on a port of its own (rtcp-mux is needed)");
    return err;
}

/* ---- second reading: the video section ---- */

struct video_reader {
    struct sdp_formats formats;
    struct sdp_offer *out;
};

static void read_rtpmap(struct video_reader *r, struct span value)
{
    sdp_formats_rtpmap(&r->formats, value);
}

static void read_fmtp(struct video_reader *r, struct span value)
{
    sdp_formats_fmtp(&r->formats, value);
}

static void read_feedback(struct video_reader *r, struct span value)
{
    sdp_formats_feedback(&r->formats, value);
}

/* "3/recvonly URI parameters" (RFC 8285 section 5). One-byte headers carry ids 1..14. */
static void read_extmap(struct video_reader *r, struct span value)
{
    struct span id_text = span_next(&value, ' '), uri = span_next(&value, ' ');
    struct span number = span_next(&id_text, '/');
    uint32_t id;
    if (!span_number(number, 14, &id) || id == 0 || span_is(id_text, "sendonly") ||
        span_is(id_text, "inactive"))
        return;
    for (int i = 0; i < SDP_EXT_COUNT; i++)
        if (r->out->extension_id[i] == id)
            return;
    for (int i = 0; i < SDP_EXT_COUNT; i++)
        if (r->out->extension_id[i] == 0 && span_is(uri, sdp_extension_uris[i]))
            r->out->extension_id[i] = (uint8_t)id;
}

static void read_candidate(struct video_reader *r, struct span value)
{
    struct sdp_candidate candidate;
    if (r->out->candidate_count < SDP_MAX_CANDIDATES &&
        sdp_parse_candidate(&candidate, value.text, value.size) == OW_OK)
        r->out->candidates[r->out->candidate_count++] = candidate;
}

static const struct {
    const char *name;
    void (*read)(struct video_reader *, struct span value);
} video_table[] = {
    {"rtpmap", read_rtpmap}, {"fmtp", read_fmtp},           {"rtcp-fb", read_feedback},
    {"extmap", read_extmap}, {"candidate", read_candidate},
};

/* `only` restricts to one attribute; NULL = all. */
static void read_body(struct video_reader *reader, struct span body, const char *only)
{
    struct span line, name, value;
    while ((line = span_next_line(&body)).text) {
        if (!split_attribute(line, &name, &value))
            continue;
        for (size_t i = 0; i < sizeof video_table / sizeof video_table[0]; i++)
            if (span_is(name, video_table[i].name) && (!only || span_is(name, only)))
                video_table[i].read(reader, value);
    }
}

static int read_video(struct parser *p, struct sdp_offer *out)
{
    struct video_reader reader = {.formats = {.order = p->video->formats}, .out = out};
    read_body(&reader, p->video->body, NULL);
    if (p->owner != p->video)
        read_body(&reader, p->owner->body, "candidate");
    if (p->tagged != p->video && p->tagged != p->owner)
        read_body(&reader, p->tagged->body, "candidate");
    if (strlen(out->video_mid) > MAX_ONE_BYTE_MID)
        out->extension_id[SDP_EXT_MID] = 0; /* it would not fit into a one-byte element */
    out->rtcp_rsize = p->video->rtcp_rsize || p->tagged->rtcp_rsize;
    out->mixed_session = p->session.mixed;
    out->mixed_media = p->video->mixed;
    out->trickle = p->session.trickle || p->video->trickle || p->tagged->trickle;
    out->peer_ice_lite = p->session.ice_lite || p->video->ice_lite;
    return sdp_choose_codec(&out->codec, &reader.formats, p->codecs, p->why);
}

/* Does the video travel on the tagged section's transport, so that it lives and dies with it? */
static bool shares_transport(const struct parser *p)
{
    return p->tagged != p->video && p->tagged->port != 0 &&
           (p->video->bundle_only || !p->video->ufrag.text ||
            span_equal(p->video->ufrag, p->tagged->ufrag)) &&
           (span_is(p->tagged->kind, "audio") || span_is(p->tagged->kind, "video")) &&
           is_rtp_over_dtls(p->tagged->protocol);
}

static void read_kept_section(struct parser *p, struct sdp_offer *out)
{
    out->kept_index = -1;
    struct span formats = p->tagged->formats, body = p->tagged->body;
    struct span format = span_next(&formats, ' '), line, name, value;
    if (!shares_transport(p) || !span_copy(format, out->kept_format, sizeof out->kept_format))
        return;
    out->kept_index = (int)(p->tagged - p->media);
    while ((line = span_next_line(&body)).text && out->kept_rtpmap[0] == '\0')
        if (split_attribute(line, &name, &value) && span_is(name, "rtpmap") &&
            span_equal(span_next(&value, ' '), format))
            span_copy(span_trim(value), out->kept_rtpmap, sizeof out->kept_rtpmap);
}

/* ---- data channels ---- */

enum { DEFAULT_MAX_MESSAGE = 64 * 1024 }; /* RFC 8841 section 6.1 */

static bool is_data_section(const struct parser *p, const struct section *s)
{
    return span_is(s->kind, "application") && span_is(s->formats, "webrtc-datachannel") &&
           (span_is(s->protocol, "UDP/DTLS/SCTP") || span_is(s->protocol, "TCP/DTLS/SCTP")) &&
           (s->port != 0 || s->bundle_only) && p->video->mid.text && group_has(p->bundle, s->mid);
}

/* "a=sctp-port:5000", "a=max-message-size:262144" (0 = any). */
static void read_sctp(struct span body, uint32_t *port, uint32_t *max_message)
{
    struct span line, name, value;
    while ((line = span_next_line(&body)).text) {
        if (!split_attribute(line, &name, &value))
            continue;
        if (span_is(name, "sctp-port") && !span_number(value, 65535, port))
            *port = 0;
        if (span_is(name, "max-message-size") && !span_number(value, INT32_MAX, max_message))
            *max_message = 0;
    }
}

/* The first one: an association is all that a transport carries (RFC 8841 section 4.3). */
static void read_data_section(struct parser *p, struct sdp_offer *out)
{
    out->data_index = -1;
    for (int i = 0; i < p->media_count && out->data_index < 0; i++) {
        uint32_t port = 0, max_message = DEFAULT_MAX_MESSAGE;
        if (!is_data_section(p, &p->media[i]))
            continue;
        read_sctp(p->media[i].body, &port, &max_message);
        if (port == 0)
            continue;
        out->data_index = i;
        out->sctp_port = (uint16_t)port;
        out->max_message_size = max_message == 0 ? UINT32_MAX : max_message;
        if (i < out->video_index && out->kept_index < 0)
            p->owner = &p->media[i];
    }
}

/* ---- what the answer repeats of every section ---- */

/* As many whole formats as fit: a rejected section needs only one. False for none. */
static bool copy_formats(struct span formats, char *out, size_t capacity)
{
    size_t used = 0;
    struct span token;
    while ((token = span_next(&formats, ' ')).text) {
        size_t needed = token.size + (used > 0 ? 1 : 0);
        if (used + needed >= capacity)
            break;
        if (used > 0)
            out[used++] = ' ';
        if (!span_copy(token, out + used, capacity - used))
            return false;
        used += token.size;
    }
    return used > 0;
}

static int copy_sections(struct parser *p, struct sdp_offer *out)
{
    out->media_count = p->media_count;
    out->video_index = (int)(p->video - p->media);
    for (int i = 0; i < p->media_count; i++) {
        const struct section *s = &p->media[i];
        if (!span_copy(s->kind, out->media[i].kind, sizeof out->media[i].kind) ||
            !span_copy(s->protocol, out->media[i].protocol, sizeof out->media[i].protocol) ||
            !copy_formats(s->formats, out->media[i].formats, sizeof out->media[i].formats))
            return reason_set(p->why, OW_EPARSE,
                              "media section %d of the offer has a malformed m-line", i + 1);
        if (s->mid.text)
            span_copy(s->mid, out->media[i].mid, sizeof out->media[i].mid);
        out->media[i].bundled = group_has(p->bundle, s->mid);
    }
    memcpy(out->video_mid, out->media[out->video_index].mid, sizeof out->video_mid);
    read_kept_section(p, out);
    read_data_section(p, out);
    return OW_OK;
}

int sdp_parse_offer(struct sdp_offer *out, const char *text, size_t size, unsigned codecs,
                    struct reason *why)
{
    if (size > SDP_MAX_BYTES)
        return reason_set(why, OW_ELIMIT, "the offer is larger than %d kB", SDP_MAX_BYTES / 1024);
    if (size == 0)
        return reason_set(why, OW_EPARSE, "the offer is empty");
    if (memchr(text, 0, size))
        return reason_set(why, OW_EPARSE, "the offer contains a NUL byte");
    struct span rest = {text, size};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        rest = (struct span){text + 3, size - 3};
    struct parser parser = {.why = why, .codecs = codecs != 0 ? codecs : ~0u};
    struct sdp_offer offer = {0};
    int err = read_sections(&parser, rest);
    if (!err)
        err = check_mids(&parser);
    if (!err)
        err = choose_video(&parser);
    if (!err)
        err = copy_sections(&parser, &offer);
    if (!err)
        err = read_transport(&parser, &offer);
    if (!err)
        err = read_video(&parser, &offer);
    if (!err)
        *out = offer;
    return err;
}

#include "rtc/sdp_codec.h"

#include <stdio.h>
#include <string.h>

/* "102 rest": the payload type, and `value` moved to the rest. NULL when it is none. */
static struct sdp_format *read_type(struct sdp_formats *formats, struct span *value)
{
    uint32_t type;
    if (!span_number(span_next(value, ' '), SDP_PAYLOAD_TYPES - 1, &type))
        return NULL;
    *value = span_trim(*value);
    return &formats->format[type];
}

void sdp_formats_rtpmap(struct sdp_formats *formats, struct span value)
{
    struct sdp_format *format = read_type(formats, &value);
    uint32_t rate;
    if (!format || format->name.text)
        return;
    struct span name = span_next(&value, '/');
    if (!span_number(span_next(&value, '/'), UINT32_MAX, &rate))
        return;
    format->name = name;
    format->clock_rate = rate;
}

void sdp_formats_fmtp(struct sdp_formats *formats, struct span value)
{
    struct sdp_format *format = read_type(formats, &value);
    if (format && !format->fmtp.text)
        format->fmtp = value;
}

void sdp_formats_feedback(struct sdp_formats *formats, struct span value)
{
    static const struct {
        const char *text;
        unsigned bit;
    } table[] = {
        {"nack", SDP_FB_NACK},
        {"nack pli", SDP_FB_PLI},
        {"ccm fir", SDP_FB_FIR},
        {"goog-remb", SDP_FB_REMB},
        {"transport-cc", SDP_FB_TRANSPORT_CC},
    };
    unsigned *into = &formats->feedback;
    if (value.size > 1 && value.text[0] == '*') {
        span_next(&value, ' ');
        value = span_trim(value);
    } else {
        struct sdp_format *format = read_type(formats, &value);
        if (!format)
            return;
        into = &format->feedback;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (span_is_nocase(value, table[i].text))
            *into |= table[i].bit;
}

/* The value of `key` in "a=1;b=2"; NULL text when absent. */
static struct span find_parameter(struct span fmtp, const char *key)
{
    while (fmtp.size > 0) {
        struct span value = span_trim(span_next(&fmtp, ';'));
        struct span name = span_trim(span_next(&value, '='));
        if (span_is_nocase(name, key))
            return span_trim(value);
    }
    return (struct span){0};
}

static int hex_digit(char c)
{
    const char digits[] = "0123456789abcdef";
    const char *at = c ? memchr(digits, c | 0x20, 16) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* RFC 6184 section 8.1: six hexadecimal digits; absent means Baseline, level 1. */
static bool read_profile(struct span value, uint8_t profile[3])
{
    static const uint8_t absent[3] = {0x42, 0x00, 0x0a};
    if (!value.text) {
        memcpy(profile, absent, 3);
        return true;
    }
    if (value.size != 6)
        return false;
    for (size_t i = 0; i < 3; i++) {
        int high = hex_digit(value.text[2 * i]), low = hex_digit(value.text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        profile[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

enum profile_rank { RANK_CONSTRAINED_BASELINE, RANK_BASELINE, RANK_MAIN, RANK_HIGH, RANK_NONE };

/* What we send is constrained baseline: every decoder of these profiles must decode it (H.264 annex
 * A.2), so the order is that of likeness. RFC 6184 table 5 names constrained baseline in three
 * ways. */
static enum profile_rank rank_profile(const uint8_t profile[3])
{
    bool set0 = profile[1] & 0x80, set1 = profile[1] & 0x40;
    switch (profile[0]) {
    case 0x42:
        return set1 ? RANK_CONSTRAINED_BASELINE : RANK_BASELINE;
    case 0x4d:
        return set0 ? RANK_CONSTRAINED_BASELINE : RANK_MAIN;
    case 0x58:
        return set0 && set1 ? RANK_CONSTRAINED_BASELINE : RANK_NONE;
    case 0x64:
        return RANK_HIGH;
    default:
        return RANK_NONE;
    }
}

/* The best format of one codec found so far. */
struct choice {
    int rank; /* the lower the better; RANK_NONE = none */
    uint32_t type;
    uint8_t profile[3];
    bool only_mode_0; /* H.264 was seen that needs single NAL unit packets */
};

static void consider_h264(struct choice *choice, const struct sdp_format *format, uint32_t type)
{
    uint8_t profile[3];
    if (!read_profile(find_parameter(format->fmtp, "profile-level-id"), profile))
        return;
    if (!span_is(find_parameter(format->fmtp, "packetization-mode"), "1")) {
        choice->only_mode_0 = true;
        return;
    }
    enum profile_rank rank = rank_profile(profile);
    if ((int)rank < choice->rank) {
        choice->rank = (int)rank;
        choice->type = type;
        memcpy(choice->profile, profile, 3);
    }
}

static void consider_vp8(struct choice *choice, const struct sdp_format *format, uint32_t type)
{
    (void)format; /* its parameters, max-fr and max-fs, are for pictures larger than ours */
    if (choice->rank == RANK_NONE)
        *choice = (struct choice){.rank = 0, .type = type};
}

/* Not repair but pictures: the names worth telling. */
static bool is_media(struct span name)
{
    static const char *const repair[] = {"rtx", "red", "ulpfec", "flexfec-03", "flexfec"};
    for (size_t i = 0; i < sizeof repair / sizeof repair[0]; i++)
        if (span_is_nocase(name, repair[i]))
            return false;
    return name.size > 0 && name.size <= 16;
}

/* "VP8, VP9, AV1": each once, in the order offered. */
static void list_names(const struct sdp_formats *formats, char *out, size_t capacity)
{
    struct span rest = formats->order, token, seen[8];
    size_t seen_count = 0, used = 0;
    out[0] = '\0';
    while ((token = span_next(&rest, ' ')).text && seen_count < 8) {
        uint32_t type;
        char name[17];
        if (!span_number(token, SDP_PAYLOAD_TYPES - 1, &type) ||
            !is_media(formats->format[type].name) ||
            !span_copy(formats->format[type].name, name, sizeof name))
            continue;
        bool known = false;
        for (size_t i = 0; i < seen_count; i++)
            known |= span_equal(seen[i], formats->format[type].name);
        if (known)
            continue;
        seen[seen_count++] = formats->format[type].name;
        int n = snprintf(out + used, capacity - used, "%s%s", used ? ", " : "", name);
        if (n < 0 || (size_t)n >= capacity - used)
            return;
        used += (size_t)n;
    }
    if (used == 0)
        snprintf(out, capacity, "nothing known");
}

static void find_rtx(struct sdp_codec *codec, const struct sdp_formats *formats)
{
    struct span rest = formats->order, token;
    while ((token = span_next(&rest, ' ')).text) {
        uint32_t type, apt;
        if (!span_number(token, SDP_PAYLOAD_TYPES - 1, &type))
            continue;
        const struct sdp_format *format = &formats->format[type];
        if (span_is_nocase(format->name, "rtx") && format->clock_rate == 90000 &&
            span_number(find_parameter(format->fmtp, "apt"), 127, &apt) &&
            apt == codec->payload_type && type != apt) {
            codec->rtx = true;
            codec->rtx_payload_type = (uint8_t)type;
            return;
        }
    }
}

/* draft-ietf-payload-flexible-fec-scheme-03, which is what libwebrtc reads; RFC 8627 differs. */
static void find_flexfec(struct sdp_codec *codec, const struct sdp_formats *formats)
{
    struct span rest = formats->order, token;
    while ((token = span_next(&rest, ' ')).text) {
        uint32_t type;
        if (!span_number(token, SDP_PAYLOAD_TYPES - 1, &type) || (type >= 64 && type <= 95))
            continue;
        const struct sdp_format *format = &formats->format[type];
        if (span_is_nocase(format->name, "flexfec-03") && format->clock_rate == 90000) {
            codec->flexfec_payload_type = (uint8_t)type;
            return;
        }
    }
}

/* RFC 6184 section 8.2.2: profile and mode of an answer are the offer's; the level is ours to name
 * when asymmetry is allowed, and the offered one is legal in any case: nothing is received here.
 * Other parameters (max-fs, sprop-parameter-sets, …) speak of the offerer and are not repeated. */
static void describe_h264(struct sdp_codec *codec, struct span offered)
{
    bool asymmetric = span_is(find_parameter(offered, "level-asymmetry-allowed"), "1");
    int used = snprintf(codec->fmtp, sizeof codec->fmtp, "%spacketization-mode=1",
                        asymmetric ? "level-asymmetry-allowed=1;" : "");
    if (used > 0 && find_parameter(offered, "profile-level-id").text)
        snprintf(codec->fmtp + used, sizeof codec->fmtp - (size_t)used,
                 ";profile-level-id=%02x%02x%02x", codec->profile_level_id[0],
                 codec->profile_level_id[1], codec->profile_level_id[2]);
}

/* In the order of preference: what most devices decode in hardware first. */
static const struct codec_row {
    enum video_codec codec;
    const char *name; /* of a=rtpmap */
    void (*consider)(struct choice *choice, const struct sdp_format *format, uint32_t type);
    void (*describe)(struct sdp_codec *codec, struct span offered); /* a=fmtp; NULL = none */
} codec_rows[] = {
    {VIDEO_H264, "H264", consider_h264, describe_h264},
    {VIDEO_VP8, "VP8", consider_vp8, NULL},
};

static struct choice choose_format(const struct codec_row *row, const struct sdp_formats *formats)
{
    struct choice choice = {.rank = RANK_NONE};
    struct span rest = formats->order, token;
    while ((token = span_next(&rest, ' ')).text) {
        uint32_t type;
        /* 64..95 would be taken for RTCP on a multiplexed port (RFC 5761 section 4). */
        if (!span_number(token, SDP_PAYLOAD_TYPES - 1, &type) || (type >= 64 && type <= 95))
            continue;
        const struct sdp_format *format = &formats->format[type];
        if (span_is_nocase(format->name, row->name) && format->clock_rate == 90000)
            row->consider(&choice, format, type);
    }
    return choice;
}

static int refuse(const struct sdp_formats *formats, bool only_mode_0, struct reason *why)
{
    char names[120];
    list_names(formats, names, sizeof names);
    if (only_mode_0)
        return reason_set(why, OW_EUNSUPPORTED,
                          "this browser offers H.264 only in a form that cannot be sent to it "
                          "(packetization-mode 1 is needed; offered: %s): use the WebSocket view",
                          names);
    return reason_set(why, OW_EUNSUPPORTED,
                      "this browser offers no codec that is sent here, H.264 or VP8 (offered: %s): "
                      "install its H.264 decoder or use the WebSocket view",
                      names);
}

static void take(struct sdp_codec *out, const struct codec_row *row, const struct choice *choice,
                 const struct sdp_formats *formats)
{
    const struct sdp_format *format = &formats->format[choice->type];
    unsigned feedback = format->feedback | formats->feedback;
    struct sdp_codec codec = {
        .codec = row->codec,
        .name = row->name,
        .payload_type = (uint8_t)choice->type,
        .nack = feedback & SDP_FB_NACK,
        .pli = feedback & SDP_FB_PLI,
        .fir = feedback & SDP_FB_FIR,
        .remb = feedback & SDP_FB_REMB,
        .transport_cc = feedback & SDP_FB_TRANSPORT_CC,
    };
    memcpy(codec.profile_level_id, choice->profile, 3);
    find_rtx(&codec, formats);
    find_flexfec(&codec, formats);
    if (row->describe)
        row->describe(&codec, format->fmtp);
    *out = codec;
}

int sdp_choose_codec(struct sdp_codec *out, const struct sdp_formats *formats, unsigned allowed,
                     struct reason *why)
{
    bool only_mode_0 = false;
    for (size_t i = 0; i < sizeof codec_rows / sizeof codec_rows[0]; i++) {
        if ((allowed & 1u << codec_rows[i].codec) == 0)
            continue;
        struct choice choice = choose_format(&codec_rows[i], formats);
        if (choice.rank != RANK_NONE) {
            take(out, &codec_rows[i], &choice, formats);
            return OW_OK;
        }
        only_mode_0 |= choice.only_mode_0;
    }
    return refuse(formats, only_mode_0, why);
}

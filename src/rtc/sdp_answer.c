/* The answer (RFC 8829 section 5.3.1): everything the offer did not ask for is left out. */
#include "rtc/sdp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_MAX_BYTES = 48 * 1024,
    REPAIR_WINDOW_US = 10000000, /* of FlexFEC: what libwebrtc names */
};

const char *const sdp_extension_uris[SDP_EXT_COUNT] = {
    [SDP_EXT_TRANSPORT_CC] =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    [SDP_EXT_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    [SDP_EXT_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    [SDP_EXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
    [SDP_EXT_ABS_CAPTURE_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
};

struct text {
    char *data;
    size_t size, capacity;
    bool overflow;
};

/* One line; CRLF is added. */
__attribute__((format(printf, 2, 3))) static void line(struct text *text, const char *format, ...)
{
    if (text->overflow)
        return;
    size_t room = text->capacity - text->size;
    va_list args;
    va_start(args, format);
    int written = vsnprintf(text->data + text->size, room, format, args);
    va_end(args);
    if (written < 0 || (size_t)written + 3 > room) {
        text->overflow = true;
        return;
    }
    memcpy(text->data + text->size + written, "\r\n", 3);
    text->size += (size_t)written + 2;
}

/* The section that owns the transport: the first of the group (RFC 8843 section 7.3.1), which the
 * offer names first too, as it is written. */
static int owner(const struct sdp_offer *offer)
{
    if (offer->kept_index >= 0)
        return offer->kept_index;
    return offer->data_index >= 0 && offer->data_index < offer->video_index ? offer->data_index
                                                                            : offer->video_index;
}

static bool is_accepted(const struct sdp_offer *offer, int index)
{
    return index == offer->video_index || index == offer->kept_index || index == offer->data_index;
}

/* The owner, then the others as they come. */
static void write_bundle(struct text *text, const struct sdp_offer *offer)
{
    char mids[3 * SDP_MID_BYTES];
    int used = snprintf(mids, sizeof mids, "%s", offer->media[owner(offer)].mid);
    for (int i = 0; i < offer->media_count; i++)
        if (i != owner(offer) && is_accepted(offer, i))
            used += snprintf(mids + used, sizeof mids - (size_t)used, " %s", offer->media[i].mid);
    line(text, "a=group:BUNDLE %s", mids);
}

static void write_session(struct text *text, const struct sdp_offer *offer,
                          const struct sdp_answer_settings *settings)
{
    line(text, "v=0");
    line(text, "o=- %" PRIu64 " 1 IN IP4 127.0.0.1", settings->session_id & INT64_MAX);
    line(text, "s=-");
    line(text, "t=0 0");
    if (offer->media[offer->video_index].bundled)
        write_bundle(text, offer);
    line(text, "a=msid-semantic: WMS %s", settings->stream_id);
    if (settings->ice_lite)
        line(text, "a=ice-lite");
    if (offer->mixed_session)
        line(text, "a=extmap-allow-mixed");
}

static uint32_t default_priority(const struct sdp_candidate *candidate, int index)
{
    if (strcmp(candidate->type, "srflx") == 0)
        return sdp_srflx_priority(index);
    if (strcmp(candidate->type, "relay") == 0)
        return sdp_relay_priority(index);
    if (candidate->address.transport == ADDRESS_TCP)
        return sdp_tcp_priority(index);
    return sdp_host_priority(index);
}

static void write_candidates(struct text *text, const struct sdp_answer_settings *settings)
{
    for (int i = 0; i < settings->candidate_count && i < SDP_MAX_LOCAL_CANDIDATES; i++) {
        struct sdp_candidate candidate = settings->candidates[i];
        if (candidate.type[0] == '\0')
            strcpy(candidate.type, "host");
        if (candidate.priority == 0)
            candidate.priority = default_priority(&candidate, i);
        char written[SDP_CANDIDATE_TEXT_BYTES];
        sdp_write_candidate(written, &candidate);
        line(text, "a=%s", written);
    }
    line(text, "a=end-of-candidates");
}

static void write_transport(struct text *text, const struct sdp_offer *offer,
                            const struct sdp_answer_settings *settings)
{
    char hex[32 * 3 + 1];
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 3 * i, 4, "%02X:", settings->fingerprint[i]);
    line(text, "a=ice-ufrag:%s", settings->ufrag);
    line(text, "a=ice-pwd:%s", settings->pwd);
    line(text, "a=ice-options:ice2%s", offer->trickle ? " trickle" : "");
    line(text, "a=fingerprint:sha-256 %.*s", 32 * 3 - 1, hex);
    line(text, "a=setup:passive");
}

static void write_codec(struct text *text, const struct sdp_codec *codec)
{
    int type = codec->payload_type;
    line(text, "a=rtpmap:%d %s/90000", type, codec->name);
    if (codec->remb)
        line(text, "a=rtcp-fb:%d goog-remb", type);
    if (codec->transport_cc)
        line(text, "a=rtcp-fb:%d transport-cc", type);
    if (codec->fir)
        line(text, "a=rtcp-fb:%d ccm fir", type);
    if (codec->nack)
        line(text, "a=rtcp-fb:%d nack", type);
    if (codec->pli)
        line(text, "a=rtcp-fb:%d nack pli", type);
    if (codec->fmtp[0])
        line(text, "a=fmtp:%d %s", type, codec->fmtp);
    if (codec->rtx) {
        line(text, "a=rtpmap:%d rtx/90000", codec->rtx_payload_type);
        line(text, "a=fmtp:%d apt=%d", codec->rtx_payload_type, type);
    }
    if (codec->flexfec_payload_type) {
        line(text, "a=rtpmap:%d flexfec-03/90000", codec->flexfec_payload_type);
        line(text, "a=fmtp:%d repair-window=%d", codec->flexfec_payload_type, REPAIR_WINDOW_US);
    }
}

/* RFC 5576; the groups are RFC 4588's and RFC 5956's. */
static void write_sources(struct text *text, const struct sdp_codec *codec,
                          const struct sdp_answer_settings *settings)
{
    uint32_t sources[3] = {settings->ssrc};
    int count = 1;
    if (codec->rtx)
        sources[count++] = settings->rtx_ssrc;
    if (codec->flexfec_payload_type)
        sources[count++] = settings->flexfec_ssrc;
    if (codec->rtx)
        line(text, "a=ssrc-group:FID %u %u", settings->ssrc, settings->rtx_ssrc);
    if (codec->flexfec_payload_type)
        line(text, "a=ssrc-group:FEC-FR %u %u", settings->ssrc, settings->flexfec_ssrc);
    for (int i = 0; i < count; i++) {
        line(text, "a=ssrc:%u cname:%s", sources[i], settings->cname);
        line(text, "a=ssrc:%u msid:%s %s", sources[i], settings->stream_id, settings->track_id);
    }
}

static void write_media_line(struct text *text, const char *protocol, const struct sdp_codec *codec)
{
    char formats[24];
    int used = snprintf(formats, sizeof formats, "%d", codec->payload_type);
    if (codec->rtx)
        used +=
            snprintf(formats + used, sizeof formats - (size_t)used, " %d", codec->rtx_payload_type);
    if (codec->flexfec_payload_type)
        snprintf(formats + used, sizeof formats - (size_t)used, " %d", codec->flexfec_payload_type);
    line(text, "m=video 9 %s %s", protocol, formats);
}

static void write_video(struct text *text, const struct sdp_offer *offer,
                        const struct sdp_answer_settings *settings)
{
    const struct sdp_codec *codec = &offer->codec;
    write_media_line(text, offer->media[offer->video_index].protocol, codec);
    line(text, "c=IN IP4 0.0.0.0");
    if (owner(offer) == offer->video_index)
        write_candidates(text, settings);
    write_transport(text, offer, settings);
    if (offer->video_mid[0])
        line(text, "a=mid:%s", offer->video_mid);
    if (offer->mixed_media)
        line(text, "a=extmap-allow-mixed");
    for (int i = 0; i < SDP_EXT_COUNT; i++)
        if (offer->extension_id[i] != 0)
            line(text, "a=extmap:%d %s", offer->extension_id[i], sdp_extension_uris[i]);
    line(text, "a=sendonly");
    line(text, "a=msid:%s %s", settings->stream_id, settings->track_id);
    line(text, "a=rtcp-mux");
    if (offer->rtcp_rsize)
        line(text, "a=rtcp-rsize");
    write_codec(text, codec);
    write_sources(text, codec, settings);
}

/* The transport's owner: alive, without media. Candidates belong here (RFC 8829 section 5.3.1). */
static void write_kept(struct text *text, const struct sdp_offer *offer,
                       const struct sdp_answer_settings *settings)
{
    int index = offer->kept_index;
    line(text, "m=%s 9 %s %s", offer->media[index].kind, offer->media[index].protocol,
         offer->kept_format);
    line(text, "c=IN IP4 0.0.0.0");
    write_candidates(text, settings);
    write_transport(text, offer, settings);
    line(text, "a=mid:%s", offer->media[index].mid);
    line(text, "a=inactive");
    line(text, "a=rtcp-mux");
    if (offer->kept_rtpmap[0])
        line(text, "a=rtpmap:%s %s", offer->kept_format, offer->kept_rtpmap);
}

/* RFC 8841 section 9.3. */
static void write_data(struct text *text, const struct sdp_offer *offer,
                       const struct sdp_answer_settings *settings)
{
    int index = offer->data_index;
    line(text, "m=application 9 %s webrtc-datachannel", offer->media[index].protocol);
    line(text, "c=IN IP4 0.0.0.0");
    if (owner(offer) == index)
        write_candidates(text, settings);
    write_transport(text, offer, settings);
    line(text, "a=mid:%s", offer->media[index].mid);
    line(text, "a=sctp-port:%u", settings->sctp_port);
    line(text, "a=max-message-size:%u", settings->max_message_size);
}

/* RFC 3264 section 6: port 0 rejects; the formats are there for form's sake. */
static void write_rejected(struct text *text, const struct sdp_offer *offer, int index)
{
    line(text, "m=%s 0 %s %s", offer->media[index].kind, offer->media[index].protocol,
         offer->media[index].formats);
    line(text, "c=IN IP4 0.0.0.0");
    if (offer->media[index].mid[0])
        line(text, "a=mid:%s", offer->media[index].mid);
    line(text, "a=inactive");
}

int sdp_write_answer(char **out, const struct sdp_offer *offer,
                     const struct sdp_answer_settings *settings)
{
    struct text text = {.data = malloc(ANSWER_MAX_BYTES), .capacity = ANSWER_MAX_BYTES};
    if (!text.data)
        return OW_ENOMEM;
    write_session(&text, offer, settings);
    for (int i = 0; i < offer->media_count; i++) {
        if (i == offer->video_index)
            write_video(&text, offer, settings);
        else if (i == offer->kept_index)
            write_kept(&text, offer, settings);
        else if (i == offer->data_index)
            write_data(&text, offer, settings);
        else
            write_rejected(&text, offer, i);
    }
    if (text.overflow) {
        free(text.data);
        return OW_ELIMIT;
    }
    char *fitted = realloc(text.data, text.size + 1);
    *out = fitted ? fitted : text.data;
    return OW_OK;
}

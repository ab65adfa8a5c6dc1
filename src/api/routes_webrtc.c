/* /api/webrtc: offers, figures, closing. */
#include "api/api_internal.h"
#include "api/ice_servers.h"
#include "core/clock.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ID = 127, MAX_SDP = SDP_MAX_BYTES };

struct offer {
    const char *node_id, *sdp; /* inside the body */
};

static int read_offer(struct offer *out, const json_t *body, struct reason *why)
{
    const char *type = NULL;
    int rc = json_body_text(&out->node_id, body, "node_id", MAX_ID, false, why);
    if (rc == OW_OK)
        rc = json_body_text(&type, body, "type", 16, false, why);
    if (rc == OW_OK)
        rc = json_body_text(&out->sdp, body, "sdp", MAX_SDP, true, why);
    if (rc != OW_OK)
        return rc;
    if (!out->node_id || !out->node_id[0])
        return reason_set(why, OW_EPARSE, "\"node_id\" is missing: which view shall be shown?");
    if (type && strcmp(type, "offer") != 0)
        return reason_set(why, OW_EPARSE, "\"type\" must be \"offer\".");
    if (!out->sdp || !out->sdp[0])
        return reason_set(why, OW_EPARSE, "\"sdp\" is missing: send the browser's offer.");
    return OW_OK;
}

int api_take_offer(struct api *api, const struct http_request *request, const char *node_id,
                   const char *sdp, size_t size, struct media_answer *out, struct reason *why)
{
    log_info("📡 Received WebRTC offer from node %s", node_id);
    int rc = media_server_offer(api->media, node_id, sdp, size, &request->local, &request->peer,
                                out, why);
    if (rc == OW_OK)
        log_info("✅ Created WebRTC answer for %s", node_id);
    else
        log_warn("WebRTC offer refused: %s", why->text);
    return rc;
}

void api_webrtc_offer(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    struct reason why = {""};
    struct offer offer = {0};
    struct media_answer answer = {0};
    json_t *body = api_read_body(exchange, false);
    if (!body)
        return;
    int rc = read_offer(&offer, body, &why);
    if (rc == OW_OK)
        rc = api_take_offer(api, request, offer.node_id, offer.sdp, strlen(offer.sdp), &answer,
                            &why);
    if (rc == OW_OK) {
        api_reply_json(exchange, 200,
                       json_pack("{s:s, s:s, s:s, s:{s:I, s:I}}", "sdp", answer.sdp, "type",
                                 "answer", "session_id", answer.session_id, "clock", "rtp_offset",
                                 (json_int_t)answer.rtp_offset, "now_us",
                                 (json_int_t)clock_now_us()));
        free(answer.sdp);
    } else {
        api_reply_failure(exchange, rc, &why);
    }
    json_decref(body);
}

static const char *address_or_empty(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    return address->family == ADDRESS_NONE ? "" : address_text(address, text);
}

static const char *transport_name(const struct address *selected)
{
    static const char *const names[] = {
        [ADDRESS_UDP] = "udp", [ADDRESS_TCP] = "tcp", [ADDRESS_RELAY] = "relay"};
    return selected->family == ADDRESS_NONE ? "" : names[selected->transport];
}

static json_t *describe_traffic(const struct rtc_session_stats *stats)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s}",
        "frames_sent", (json_int_t)stats->frames_sent, "key_frames_sent",
        (json_int_t)stats->key_frames_sent, "frames_dropped", (json_int_t)stats->frames_dropped,
        "packets_sent", (json_int_t)stats->packets_sent, "bytes_sent",
        (json_int_t)stats->bytes_sent, "nack_count", (json_int_t)stats->nacks, "retransmits",
        (json_int_t)stats->retransmits, "fec_packets", (json_int_t)stats->fec_packets, "pli_count",
        (json_int_t)stats->plis, "fir_count", (json_int_t)stats->firs, "dropped_datagrams",
        (json_int_t)stats->dropped_datagrams, "probes", (json_int_t)stats->probes, "padding",
        (json_int_t)stats->padding_packets, "records_sent", (json_int_t)stats->records_sent,
        "records_dropped", (json_int_t)stats->records_dropped, "data_channel", stats->data_channel,
        "tier", stats->vector ? "vector" : "video");
}

static json_t *describe_rate(const struct rtc_session_stats *stats)
{
    return json_pack("{s:i, s:i, s:i, s:s, s:f, s:b}", "estimate_bps", stats->estimate_bps,
                     "target_bps", stats->target_bps, "sent_bps", stats->sent_bps, "rate_state",
                     stats->rate_state ? stats->rate_state : "", "queue_delay_ms",
                     (double)stats->queue_delay_us / 1000.0, "transport_cc",
                     stats->receives_transport_cc);
}

static void take_members(json_t *out, json_t *members)
{
    json_object_update(out, members);
    json_decref(members);
}

/* The encoding that a viewer is shown. */
static json_t *describe_rendition(const struct view_info *info, int track)
{
    static const char *const codecs[VIDEO_CODECS] = {[VIDEO_H264] = "h264", [VIDEO_VP8] = "vp8"};
    const struct view_track_info *shown = &info->tracks[track];
    return json_pack("{s:i, s:s, s:i, s:i, s:i, s:f, s:s}", "track", track, "codec",
                     codecs[rendition_codec(track)], "rung", rendition_rung(track), "width",
                     shown->width, "height", shown->height, "fps", shown->fps, "encoder",
                     shown->encoder);
}

/* What the view behind a viewer does: size, encoder, latencies by stage. */
static void add_view(struct api *api, json_t *out, const struct media_viewer_info *viewer)
{
    struct view *view = runtime_find_view(api->runtime, viewer->stream_id);
    if (!view)
        return;
    struct view_info info = {0};
    view_read_info(view, &info);
    json_t *described = view_describe(view);
    static const char *const wanted[] = {"width",   "height",     "fps",
                                         "encoder", "latency_ms", "processing_time_ms"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        json_object_set(out, wanted[i], json_object_get(described, wanted[i]));
    if (viewer->track >= 0 && viewer->track < RENDITION_TRACKS)
        json_object_set_new(out, "rendition", describe_rendition(&info, viewer->track));
    json_decref(described);
    view_unref(&view);
}

static json_t *describe_viewer(struct api *api, const struct media_viewer_info *viewer)
{
    const struct rtc_session_stats *stats = &viewer->stats;
    char selected[ADDRESS_TEXT_BYTES];
    double connected_s =
        viewer->connected_us ? (double)(clock_now_us() - viewer->connected_us) / 1e6 : 0.0;
    json_t *out = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:f}", "node_id", viewer->stream_id,
        "step", rtc_step_name(stats->step), "ice_state", ice_state_name(stats->ice_state),
        "dtls_state", stats->dtls_state ? stats->dtls_state : "new", "srtp_profile",
        stats->srtp_profile ? stats->srtp_profile : "", "selected_pair",
        address_or_empty(&stats->selected, selected), "transport", transport_name(&stats->selected),
        "connected_s", connected_s, "round_trip_ms", (double)stats->round_trip_us / 1000.0,
        "loss_fraction", stats->loss_fraction, "jitter_ms", stats->jitter_ms);
    take_members(out, describe_rate(stats));
    take_members(out, describe_traffic(stats));
    add_view(api, out, viewer);
    return out;
}

struct media_viewer_info *api_viewers(struct api *api, int *count)
{
    int max = media_server_max_viewers(api->media);
    /* Room for as many as can be: pages that nothing is written to cost nothing. */
    struct media_viewer_info *viewers = calloc((size_t)max, sizeof *viewers);
    if (!viewers)
        return NULL;
    int there = media_server_viewers(api->media, viewers, max);
    *count = there < max ? there : max;
    return viewers;
}

void api_webrtc_stats(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    int count, connected = 0;
    struct media_viewer_info *viewers = api_viewers(api, &count);
    if (!viewers) {
        http_reply_error(exchange, 503, "Out of memory.");
        return;
    }
    json_t *ids = json_array(), *list = json_array();
    for (int i = 0; i < count; i++) {
        connected += viewers[i].connected_us != 0;
        json_array_append_new(ids, json_string(viewers[i].stream_id));
        json_array_append_new(list, describe_viewer(api, &viewers[i]));
    }
    free(viewers);
    api_reply_json(exchange, 200,
                   json_pack("{s:i, s:i, s:o, s:o}", "active_connections", count, "active_tracks",
                             connected, "connection_ids", ids, "connections", list));
}

/* -- one session: how far it is, and what its page has found -- */

/* The figures of a viewer that is there; NULL when it is not. */
static json_t *describe_connection(struct api *api, const char *session_id)
{
    struct media_viewer_info viewer;
    if (media_server_viewer(api->media, session_id, &viewer) != OW_OK)
        return NULL;
    return describe_viewer(api, &viewer);
}

/* Where the server can be reached: what it has learned since its answer is news to the page. */
static json_t *describe_candidates(struct api *api)
{
    struct sdp_candidate candidates[SDP_MAX_LOCAL_CANDIDATES];
    int count = media_server_candidates(api->media, candidates, SDP_MAX_LOCAL_CANDIDATES);
    json_t *out = json_array();
    for (int i = 0; i < count && i < SDP_MAX_LOCAL_CANDIDATES; i++) {
        char text[SDP_CANDIDATE_TEXT_BYTES];
        sdp_write_candidate(text, &candidates[i]);
        json_array_append_new(out, json_string(text));
    }
    return out;
}

void api_webrtc_session(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *id = http_param(http_exchange_request(exchange), "session_id");
    struct media_session_status status;
    struct reason why = {""};
    int rc = media_server_session_status(api->media, id, &status);
    if (rc != OW_OK) {
        reason_set(&why, rc, "There is no such session (any more).");
        api_reply_failure(exchange, rc, &why);
        return;
    }
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:b, s:s, s:o}", "node_id", status.stream_id, "step",
                  rtc_step_name(status.step), "advice", rtc_step_advice(status.step), "closed",
                  status.closed, "reason", status.text, "candidates", describe_candidates(api));
    json_t *connection = status.closed ? NULL : describe_connection(api, id);
    if (connection)
        json_object_set_new(out, "connection", connection);
    api_reply_json(exchange, 200, out);
}

void api_webrtc_trickle(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    static const char type[] = "application/trickle-ice-sdpfrag";
    struct reason why = {""};
    char *answer = NULL;
    if (!api_is_type(request->content_type, type)) {
        http_reply_error(exchange, 415,
                         "Candidates must be of the type "
                         "application/trickle-ice-sdpfrag.");
        return;
    }
    int rc = media_server_trickle(api->media, http_param(request, "session_id"), request->body,
                                  request->body_size, &answer, &why);
    if (rc != OW_OK)
        api_reply_failure(exchange, rc, &why);
    else if (answer)
        http_reply(exchange, 200, type, answer, strlen(answer), "Cache-Control: no-store\r\n");
    else
        http_reply(exchange, 204, "text/plain", NULL, 0, NULL);
    free(answer);
}

void api_webrtc_close(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    struct reason why = {""};
    json_t *body = api_read_body(exchange, true);
    if (!body)
        return;
    const char *session_id = http_query(request, "session_id");
    int rc = OW_OK;
    if (!session_id)
        rc = json_body_text(&session_id, body, "session_id", MAX_ID, false, &why);
    int closed = 0;
    if (rc != OW_OK)
        api_reply_failure(exchange, rc, &why);
    else if (session_id)
        closed = media_server_close_session(api->media, session_id) == OW_OK;
    else
        closed = media_server_close_viewers(api->media, http_param(request, "node_id"));
    json_decref(body);
    api_reply_json(exchange, 200, json_pack("{s:s, s:i}", "status", "closed", "closed", closed));
}

void api_webrtc_cleanup(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    int closed = media_server_close_viewers(api->media, NULL);
    api_reply_json(exchange, 200, json_pack("{s:s, s:i}", "status", "closed", "closed", closed));
}

json_t *api_describe_webrtc(struct api *api)
{
    json_t *presets = json_pack("{s:{s:s, s:i}, s:{s:s, s:i}, s:{s:s, s:i}}", "low", "label",
                                "Low bandwidth", "bps", 200000, "balanced", "label", "Balanced",
                                "bps", 500000, "high", "label", "High quality", "bps", 2000000);
    return json_pack("{s:o, s:o, s:s, s:i}", "iceServers",
                     ice_servers_json(&api->settings.ice_servers, clock_wall_us() / 1000000),
                     "bitratePresets", presets, "defaultPreset", "balanced", "mediaPort",
                     (int)media_server_port(api->media));
}

void api_webrtc_config(void *context, struct http_exchange *exchange)
{
    api_reply_json(exchange, 200, api_describe_webrtc(context));
}

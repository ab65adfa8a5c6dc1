/* Viewers: sessions, their datagrams in and out, their end. */
#include "core/clock.h"
#include "core/log.h"
#include "net/media_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_US = 30 * 1000 * 1000, /* an offer whose browser never comes */
    STUN_HEADER_BYTES = 20,
    STUN_REQUEST = 0x0001,
    STUN_SUCCESS = 0x0101,
    STUN_ERROR = 0x0111,
};

static unsigned stun_type(const uint8_t *data, size_t size)
{
    return size < STUN_HEADER_BYTES ? 0 : (unsigned)(data[0] << 8 | data[1]);
}

static const uint8_t *stun_transaction(const uint8_t *data)
{
    return data + 8;
}

static void add_candidate(struct rtc_session_settings *settings, const struct address *address,
                          uint16_t port)
{
    struct sdp_candidate candidate = {.address = *address};
    candidate.address.port = port;
    if (settings->local_candidate_count >= SDP_MAX_LOCAL_CANDIDATES)
        return;
    for (int i = 0; i < settings->local_candidate_count; i++)
        if (address_same_ip(&settings->local_candidates[i].address, address))
            return;
    settings->local_candidates[settings->local_candidate_count++] = candidate;
}

static void add_interfaces(struct rtc_session_settings *settings, uint16_t port, bool loopback)
{
    struct address found[SDP_MAX_LOCAL_CANDIDATES];
    int count = media_local_addresses(found, SDP_MAX_LOCAL_CANDIDATES, loopback);
    for (int i = 0; i < count; i++)
        add_candidate(settings, &found[i], port);
}

static bool is_any(const struct address *address)
{
    static const uint8_t zero[16] = {0};
    return memcmp(address->ip, zero, sizeof zero) == 0;
}

/* In order of hope: the address by which the browser reached us, the public one, the interfaces. */
static void collect_candidates(struct media_server *server, const struct address *via,
                               struct rtc_session_settings *settings)
{
    uint16_t port = media_socket_port(server->socket);
    const struct address *bound = &server->bind_address;
    bool bound_to_one = bound->family != ADDRESS_NONE && !is_any(bound);
    bool via_known = via && via->family != ADDRESS_NONE && !is_any(via);
    if (bound_to_one)
        add_candidate(settings, bound, port);
    else if (via_known)
        add_candidate(settings, via, port);
    if (server->has_public)
        add_candidate(settings, &server->public_address, port);
    if (bound_to_one)
        return;
    if (via_known && address_is_loopback(via))
        add_interfaces(settings, port, true);
    add_interfaces(settings, port, false);
    if (settings->local_candidate_count == 0)
        add_interfaces(settings, port, true);
}

static void make_id(struct random_source *random, char id[SESSION_ID_BYTES])
{
    uint8_t bytes[(SESSION_ID_BYTES - 1) / 2];
    random->fill(random, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static int check_limits(struct media_server *server, const struct address *from, struct reason *why)
{
    if (server->viewer_count >= server->settings.max_sessions)
        return reason_set(why, OW_ELIMIT,
                          "There are %d viewers already, which is the limit: close some first.",
                          server->viewer_count);
    if (!from || from->family == ADDRESS_NONE)
        return OW_OK;
    int unconnected = 0;
    for (struct media_stream *stream = server->streams; stream; stream = stream->next)
        for (struct media_viewer *i = stream->viewers; i; i = i->next)
            unconnected += i->connected_us == 0 && address_same_ip(&i->from, from);
    if (unconnected < server->settings.max_unconnected_per_ip)
        return OW_OK;
    return reason_set(why, OW_ELIMIT,
                      "%d connections from your address are waiting to be established: try again "
                      "in half a minute.",
                      unconnected);
}

static int start_session(struct media_viewer *viewer, const char *offer, size_t offer_size,
                         const struct address *via, int64_t now_us, struct reason *why)
{
    struct media_stream *stream = viewer->stream;
    struct media_server *server = stream->server;
    struct rtc_session_settings settings = {
        .identity = server->identity,
        .random = &server->random,
        .ice_lite = server->settings.ice_lite,
        .min_bps = stream->ladders[0].settings.min_bps,
        .start_bps = stream->ladders[0].settings.start_bps,
        .max_bps = stream->ladders[0].settings.max_bps,
        .wall_minus_now_us = clock_wall_us() - clock_now_us(),
        .label = stream->id,
    };
    collect_candidates(server, via, &settings);
    return rtc_session_create(&viewer->session, &settings, offer, offer_size, now_us, why);
}

static void viewer_free(struct media_viewer *viewer)
{
    media_routes_forget(viewer->stream->server->routes, viewer);
    rtc_session_destroy(&viewer->session);
    free(viewer);
}

int media_viewer_create(struct media_stream *stream, const char *offer, size_t offer_size,
                        const struct address *via, const struct address *from,
                        struct media_answer *out, struct reason *why)
{
    struct media_server *server = stream->server;
    int rc = check_limits(server, from, why);
    if (rc != OW_OK)
        return rc;
    struct media_viewer *viewer = calloc(1, sizeof *viewer);
    if (!viewer)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    int64_t now_us = clock_now_us();
    viewer->stream = stream;
    viewer->created_us = now_us;
    if (from)
        viewer->from = *from;
    make_id(&server->random, viewer->id);
    rc = start_session(viewer, offer, offer_size, via, now_us, why);
    if (rc != OW_OK)
        goto fail;
    rc = media_routes_add_ufrag(server->routes, rtc_session_local_ufrag(viewer->session), viewer);
    char *sdp = rc == OW_OK ? strdup(rtc_session_answer(viewer->session)) : NULL;
    if (!sdp) {
        rc = reason_set(why, OW_ENOMEM, "Out of memory.");
        goto fail;
    }
    ladder_join(&stream->ladders[0], &viewer->place, now_us);
    viewer->next = stream->viewers;
    stream->viewers = viewer;
    stream->viewer_count++;
    server->viewer_count++;
    out->sdp = sdp;
    memcpy(out->session_id, viewer->id, sizeof out->session_id);
    out->rtp_offset = rtc_session_rtp_offset(viewer->session);
    media_viewer_drain(viewer, now_us);
    return OW_OK;
fail:
    viewer_free(viewer);
    return rc;
}

/* A success response proves that the check it answers had valid integrity: from now on other
 * packets from that address are this viewer's. */
static void send_datagram(struct media_viewer *viewer, const struct rtc_output *output)
{
    struct media_server *server = viewer->stream->server;
    if (ice_is_stun(output->data, output->size)) {
        unsigned type = stun_type(output->data, output->size);
        if (type == STUN_REQUEST)
            media_routes_add_transaction(server->routes, stun_transaction(output->data), viewer);
        else if (type == STUN_SUCCESS)
            media_routes_set_address(server->routes, &output->to, viewer);
    }
    media_socket_send(server->socket, &output->to, output->data, output->size);
}

static void on_closed(struct media_viewer *viewer, const char *text)
{
    log_info("WebRTC connection state: %s (%s, %s)",
             viewer->connected_us == 0 && !viewer->close_asked ? "failed" : "closed",
             viewer->stream->id, text && text[0] ? text : "closed");
    viewer->closed = true;
}

static void handle_output(struct media_viewer *viewer, const struct rtc_output *output,
                          int64_t now_us)
{
    switch (output->kind) {
    case RTC_OUTPUT_DATAGRAM:
        send_datagram(viewer, output);
        break;
    case RTC_OUTPUT_ICE_STATE:
        log_info("WebRTC ICE state: %s (%s)", ice_state_name(output->ice_state),
                 viewer->stream->id);
        break;
    case RTC_OUTPUT_CONNECTED:
        viewer->connected_us = now_us;
        log_info("WebRTC connection state: connected (%s, %.0f ms after the offer)",
                 viewer->stream->id, (double)(now_us - viewer->created_us) / 1000.0);
        media_stream_ask_key_frame(viewer->stream, now_us, true);
        break;
    case RTC_OUTPUT_KEY_FRAME:
        media_stream_ask_key_frame(viewer->stream, now_us, false);
        break;
    case RTC_OUTPUT_TARGET_BPS:
        ladder_set_target(&viewer->stream->ladders[0], &viewer->place, now_us, output->target_bps);
        break;
    case RTC_OUTPUT_HOLD:
        break;
    case RTC_OUTPUT_CLOSED:
        on_closed(viewer, output->text);
        break;
    }
}

void media_viewer_drain(struct media_viewer *viewer, int64_t now_us)
{
    struct rtc_output output;
    while (!viewer->closed && rtc_session_poll(viewer->session, now_us, &output) == OW_OK)
        handle_output(viewer, &output, now_us);
}

/* Requests go by user fragment, so that a viewer may move; all else by what is validated. */
static struct media_viewer *route(struct media_server *server,
                                  const struct media_datagram *datagram)
{
    if (ice_is_stun(datagram->data, datagram->size)) {
        unsigned type = stun_type(datagram->data, datagram->size);
        char ufrag[SDP_UFRAG_BYTES];
        if (type == STUN_REQUEST)
            return ice_peek_local_ufrag(datagram->data, datagram->size, ufrag, sizeof ufrag) ==
                           OW_OK
                       ? media_routes_by_ufrag(server->routes, ufrag)
                       : NULL;
        if (type == STUN_SUCCESS || type == STUN_ERROR) {
            struct media_viewer *asker =
                media_routes_by_transaction(server->routes, stun_transaction(datagram->data));
            if (asker)
                return asker;
        }
    }
    return media_routes_by_address(server->routes, &datagram->from);
}

void media_viewer_receive(struct media_server *server, const struct media_datagram *datagram,
                          int64_t now_us)
{
    if (datagram->size == 0 || datagram->size > RTC_MAX_DATAGRAM)
        return;
    struct media_viewer *viewer = route(server, datagram);
    if (!viewer || viewer->closed)
        return;
    rtc_session_receive(viewer->session, now_us, &datagram->from, datagram->data, datagram->size);
    media_viewer_drain(viewer, now_us);
}

static void end(struct media_viewer *viewer, int64_t now_us, const char *reason)
{
    rtc_session_close(viewer->session, now_us, reason);
    media_viewer_drain(viewer, now_us);
    if (!viewer->closed)
        on_closed(viewer, reason);
}

void media_viewer_tick(struct media_viewer *viewer, int64_t now_us)
{
    if (viewer->closed)
        return;
    if (viewer->connected_us == 0 && now_us - viewer->created_us >= CONNECT_TIMEOUT_US) {
        end(viewer, now_us, "no connection within 30 s");
    } else if (rtc_session_deadline(viewer->session) <= now_us) {
        rtc_session_handle_timeout(viewer->session, now_us);
        media_viewer_drain(viewer, now_us);
    }
}

int64_t media_viewer_deadline(const struct media_viewer *viewer)
{
    int64_t deadline = rtc_session_deadline(viewer->session);
    int64_t give_up = viewer->created_us + CONNECT_TIMEOUT_US;
    return viewer->connected_us == 0 && give_up < deadline ? give_up : deadline;
}

void media_viewer_close(struct media_viewer *viewer, int64_t now_us, const char *reason)
{
    if (viewer->closed)
        return;
    viewer->close_asked = true;
    end(viewer, now_us, reason);
}

void media_viewers_sweep(struct media_stream *stream)
{
    struct media_viewer **link = &stream->viewers;
    while (*link) {
        struct media_viewer *viewer = *link;
        if (!viewer->closed) {
            link = &viewer->next;
            continue;
        }
        *link = viewer->next;
        ladder_leave(&stream->ladders[0], &viewer->place);
        stream->viewer_count--;
        stream->server->viewer_count--;
        viewer_free(viewer);
    }
}

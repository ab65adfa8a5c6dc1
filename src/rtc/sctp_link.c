#include "rtc/sctp_link.h"

#include "core/error.h"
#include "rtc/rtp_header.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <usrsctp.h>

enum {
    OUT_PACKETS = 16,
    HEADER_BYTES = 12, /* of a packet, which the library counts when it bundles, not when it cuts */
    BUCKETS = 256,
    TICK_US = 40000,         /* the timers are not looked at more often: each look is at all */
    MAX_STEP_US = 1000000,   /* nor moved on by more: nobody was there to move them before */
    WAKE_US = 20000,         /* while it connects, … */
    CONNECTING_US = 5000000, /* … so long at most: the peer may have other plans */
    RESEND_US = 50000,       /* the wakes of a link whose messages are not acknowledged in time */
    BUSY_US = 2000000,       /* after a packet timers may run: longer than RTO_MAX_MS */
    RECEIVE_BYTES = 16 * 1024,
    RTO_MIN_MS = 200, /* what is lost at the opening delays all records: RFC 9260 has 1 s */
    RTO_INITIAL_MS = 500,
    RTO_MAX_MS = 1000,   /* nor may a path that comes back be tried late */
    MAX_ATTEMPTS = 1000, /* ICE knows sooner that a peer is gone */
};

struct sctp_link {
    struct sctp_link *next; /* in its bucket */
    uintptr_t number;       /* its address for the library */
    struct socket *socket;
    bool calm, closed, skipping; /* skipping: the rest of a message that is too long */
    int64_t begun_us, wake_us;
    int64_t busy_us; /* when something last came or was to leave */

    /* of packets to send */
    int first, count;
    uint16_t sizes[OUT_PACKETS];
    uint8_t packets[OUT_PACKETS][SCTP_LINK_MTU];
};

/* Per process, as the library is. */
static atomic_flag entered = ATOMIC_FLAG_INIT; /* guards the library and all that follows */
static struct sctp_link *table[BUCKETS];
static uintptr_t last_number;
static int64_t moved_us; /* where the library's timers stand */

/* The library has locks of its own, but a timer that is stopped by one thread while it runs on
 * another can stop both. A call takes some microseconds. */
static void enter(void)
{
    while (atomic_flag_test_and_set_explicit(&entered, memory_order_acquire))
        sched_yield();
}

static void leave(void)
{
    atomic_flag_clear_explicit(&entered, memory_order_release);
}

/* Numbers as the library keeps some: in the order of the wire. */
static uint16_t wire_u16(uint16_t value)
{
    uint8_t bytes[sizeof(value)];
    write_u16(bytes, value);
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint32_t wire_u32(uint32_t value)
{
    uint8_t bytes[sizeof(value)];
    write_u32(bytes, value);
    memcpy(&value, bytes, sizeof(value));
    return value;
}

static struct sctp_link **bucket_of(uintptr_t number)
{
    return &table[number % BUCKETS];
}

/* From within the library, for any link. What does not fit is lost, as it might be on the wire. */
static int on_packet(void *address, void *data, size_t size, uint8_t tos, uint8_t set_df)
{
    (void)tos;
    (void)set_df;
    uintptr_t number = (uintptr_t)address;
    struct sctp_link *link = *bucket_of(number);
    while (link != NULL && link->number != number)
        link = link->next;
    if (link != NULL && link->count < OUT_PACKETS && size <= SCTP_LINK_MTU) {
        int place = (link->first + link->count++) % OUT_PACKETS;
        link->sizes[place] = (uint16_t)size;
        memcpy(link->packets[place], data, size);
    }
    return 0;
}

void sctp_link_start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    usrsctp_init_nothreads(0, on_packet, NULL);
    /* Nothing that a browser's data channel does not use. */
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auto_asconf(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_blackhole(2); /* packets of no association are not answered */
    usrsctp_sysctl_set_sctp_sendspace(SCTP_LINK_SEND_BYTES);
    usrsctp_sysctl_set_sctp_recvspace(RECEIVE_BYTES);
}

/* Something has come or is to leave, for which timers may run. */
static void stir(struct sctp_link *link, int64_t now_us)
{
    link->busy_us = now_us;
    if (link->calm)
        link->wake_us = now_us + SCTP_LINK_WAKE_US;
}

/* Who comes first after TICK_US moves them for all. A clock that runs backwards is another one. */
static void move_timers(int64_t now_us)
{
    int64_t passed_us = now_us - moved_us;
    if (passed_us >= 0 && passed_us < TICK_US)
        return;
    moved_us = passed_us > 0 ? now_us - passed_us % 1000 : now_us;
    if (passed_us > 0)
        usrsctp_handle_timers(
            (uint32_t)((passed_us < MAX_STEP_US ? passed_us : MAX_STEP_US) / 1000));
}

static bool set(struct socket *socket, int option, const void *value, socklen_t size)
{
    return usrsctp_setsockopt(socket, IPPROTO_SCTP, option, value, size) == 0;
}

static bool set_up(struct socket *socket)
{
    const struct linger at_once = {.l_onoff = 1};
    const int on = 1;
    const struct sctp_initmsg init = {.sinit_num_ostreams = SCTP_LINK_STREAMS,
                                      .sinit_max_instreams = SCTP_LINK_STREAMS,
                                      .sinit_max_attempts = MAX_ATTEMPTS,
                                      .sinit_max_init_timeo = RTO_MAX_MS};
    const struct sctp_assoc_value resets = {.assoc_id = SCTP_ALL_ASSOC,
                                            .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ};
    const struct sctp_event event = {
        .se_assoc_id = SCTP_ALL_ASSOC, .se_type = SCTP_STREAM_RESET_EVENT, .se_on = 1};
    const struct sctp_rtoinfo rto = {
        .srto_initial = RTO_INITIAL_MS, .srto_min = RTO_MIN_MS, .srto_max = RTO_MAX_MS};
    const struct sctp_assocparams attempts = {.sasoc_asocmaxrxt = MAX_ATTEMPTS};
    /* The path is known, and ICE watches whether it lives. */
    const struct sctp_paddrparams path = {.spp_pathmtu = SCTP_LINK_MTU - HEADER_BYTES,
                                          .spp_pathmaxrxt = MAX_ATTEMPTS,
                                          .spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE};
    return usrsctp_set_non_blocking(socket, 1) == 0 &&
           usrsctp_setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0 &&
           set(socket, SCTP_NODELAY, &on, sizeof(on)) &&
           set(socket, SCTP_RECVRCVINFO, &on, sizeof(on)) &&
           set(socket, SCTP_INITMSG, &init, sizeof(init)) &&
           set(socket, SCTP_ENABLE_STREAM_RESET, &resets, sizeof(resets)) &&
           set(socket, SCTP_EVENT, &event, sizeof(event)) &&
           set(socket, SCTP_ASSOCINFO, &attempts, sizeof(attempts)) &&
           set(socket, SCTP_RTOINFO, &rto, sizeof(rto)) &&
           set(socket, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
}

static int connect_to(struct sctp_link *link, uint16_t remote_port)
{
    struct sockaddr_conn local = {.sconn_family = AF_CONN,
                                  .sconn_port = wire_u16(SCTP_LINK_PORT),
                                  .sconn_addr = (void *)link->number}; /* NOLINT: a number */
    struct sockaddr_conn remote = local;
    remote.sconn_port = wire_u16(remote_port);
    link->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (link->socket == NULL)
        return OW_ENOMEM;
    if (!set_up(link->socket) ||
        usrsctp_bind(link->socket, (struct sockaddr *)&local, sizeof(local)) != 0)
        return OW_EIO;
    int code = usrsctp_connect(link->socket, (struct sockaddr *)&remote, sizeof(remote));
    return code == 0 || errno == EINPROGRESS ? OW_OK : OW_EIO;
}

int sctp_link_create(struct sctp_link **out, int64_t now_us, uint16_t remote_port)
{
    struct sctp_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return OW_ENOMEM;
    link->begun_us = now_us;
    link->wake_us = now_us + WAKE_US;
    enter();
    move_timers(now_us); /* what passed before is none of its time */
    link->number = ++last_number;
    link->next = *bucket_of(link->number);
    *bucket_of(link->number) = link;
    usrsctp_register_address((void *)link->number); /* NOLINT: a number */
    int code = connect_to(link, remote_port);
    leave();
    if (code == OW_OK)
        *out = link;
    else
        sctp_link_destroy(&link);
    return code;
}

void sctp_link_destroy(struct sctp_link **out)
{
    struct sctp_link *link = *out;
    *out = NULL;
    if (link == NULL)
        return;
    enter();
    struct sctp_link **place = bucket_of(link->number);
    while (*place != link)
        place = &(*place)->next;
    *place = link->next;
    if (link->socket != NULL)
        usrsctp_close(link->socket);
    usrsctp_deregister_address((void *)link->number); /* NOLINT: a number */
    leave();
    free(link);
}

void sctp_link_receive(struct sctp_link *link, int64_t now_us, const uint8_t *packet, size_t size)
{
    enter();
    move_timers(now_us);
    if (!link->closed)
        usrsctp_conninput((void *)link->number, packet, size, 0); /* NOLINT: a number */
    leave();
    stir(link, now_us);
}

int sctp_link_poll(struct sctp_link *link, uint8_t *packet, size_t *size)
{
    int code = OW_EAGAIN;
    enter();
    if (link->count > 0) {
        *size = link->sizes[link->first];
        memcpy(packet, link->packets[link->first], *size);
        link->first = (link->first + 1) % OUT_PACKETS;
        link->count--;
        code = OW_OK;
    }
    leave();
    return code;
}

/* A link that stands has no timers but for what came or was sent: else it sleeps. */
static int64_t next_wake(struct sctp_link *link, int64_t now_us)
{
    if (!link->calm && now_us - link->begun_us <= CONNECTING_US)
        return now_us + WAKE_US;
    if (sctp_link_waiting(link) > 0)
        return now_us + RESEND_US;
    return link->calm && now_us - link->busy_us > BUSY_US ? INT64_MAX : now_us + SCTP_LINK_WAKE_US;
}

void sctp_link_handle_timeout(struct sctp_link *link, int64_t now_us)
{
    enter();
    move_timers(now_us);
    bool sends = link->count > 0;
    leave();
    if (sends)
        stir(link, now_us);
    if (now_us >= link->wake_us)
        link->wake_us = next_wake(link, now_us);
}

int64_t sctp_link_deadline(const struct sctp_link *link)
{
    return link->closed ? INT64_MAX : link->wake_us;
}

static bool read_notification(const struct sctp_message *in, struct sctp_message *out)
{
    struct sctp_stream_reset_event event;
    size_t head = sizeof(event);
    if (in->size < head + sizeof(out->stream))
        return false;
    memcpy(&event, in->data, head);
    if (event.strreset_type != SCTP_STREAM_RESET_EVENT ||
        (event.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) == 0)
        return false;
    /* Of several streams at once the first is told: the peer that we answer has but one. */
    memcpy(&out->stream, in->data + head, sizeof(out->stream));
    out->reset = true;
    out->size = 0;
    return true;
}

int sctp_link_read(struct sctp_link *link, struct sctp_message *out)
{
    while (!link->closed) {
        struct sctp_rcvinfo info = {0};
        socklen_t from_size = 0, info_size = sizeof(info);
        unsigned type = 0;
        int flags = 0;
        enter();
        ssize_t size = usrsctp_recvv(link->socket, out->data, sizeof(out->data), NULL, &from_size,
                                     &info, &info_size, &type, &flags);
        int error = errno;
        leave();
        if (size < 0 && (error == EAGAIN || error == ENOTCONN || error == EINTR))
            return OW_EAGAIN;
        if (size <= 0) {
            link->closed = true;
            break;
        }
        bool whole = (flags & MSG_EOR) != 0, wanted = whole && !link->skipping;
        link->skipping = !whole;
        if (!wanted)
            continue;
        link->calm = true;
        out->size = (size_t)size;
        out->reset = false;
        if ((flags & MSG_NOTIFICATION) != 0) {
            if (read_notification(out, out))
                return OW_OK;
            continue;
        }
        out->stream = info.rcv_sid;
        out->protocol = wire_u32(info.rcv_ppid);
        return OW_OK;
    }
    return OW_ECLOSED;
}

int sctp_link_send(struct sctp_link *link, int64_t now_us, const struct sctp_manner *manner,
                   const uint8_t *data, size_t size)
{
    if (link->closed)
        return OW_ECLOSED;
    if (size == 0 || size > SCTP_LINK_MAX_SENT || manner->stream >= SCTP_LINK_STREAMS)
        return OW_EINVAL;
    struct sctp_sendv_spa how = {.sendv_flags = SCTP_SEND_SNDINFO_VALID};
    how.sendv_sndinfo.snd_sid = manner->stream;
    how.sendv_sndinfo.snd_ppid = wire_u32(manner->protocol);
    how.sendv_sndinfo.snd_flags = (uint16_t)(SCTP_EOR | (manner->unordered ? SCTP_UNORDERED : 0));
    if (manner->unreliable) {
        how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX;
        how.sendv_prinfo.pr_value = 0;
    }
    enter();
    move_timers(now_us);
    ssize_t sent =
        usrsctp_sendv(link->socket, data, size, NULL, 0, &how, sizeof(how), SCTP_SENDV_SPA, 0);
    leave();
    stir(link, now_us);
    return sent == (ssize_t)size ? OW_OK : OW_EAGAIN;
}

int sctp_link_waiting(struct sctp_link *link)
{
    struct sctp_status status;
    socklen_t size = sizeof(status);
    memset(&status, 0, size);
    enter();
    bool known = !link->closed &&
                 usrsctp_getsockopt(link->socket, IPPROTO_SCTP, SCTP_STATUS, &status, &size) == 0;
    leave();
    return known ? status.sstat_unackdata : 0;
}

void sctp_link_reset(struct sctp_link *link, int64_t now_us, uint16_t stream)
{
    _Alignas(struct sctp_reset_streams)
        uint8_t list[sizeof(struct sctp_reset_streams) + sizeof(stream)];
    const struct sctp_reset_streams head = {.srs_assoc_id = SCTP_ALL_ASSOC,
                                            .srs_flags = SCTP_STREAM_RESET_OUTGOING,
                                            .srs_number_streams = 1};
    memcpy(list, &head, sizeof(head));
    memcpy(list + sizeof(head), &stream, sizeof(stream));
    enter();
    move_timers(now_us);
    if (!link->closed)
        (void)set(link->socket, SCTP_RESET_STREAMS, list, sizeof(list));
    leave();
    stir(link, now_us);
}

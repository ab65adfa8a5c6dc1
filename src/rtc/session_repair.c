/* Repair: lost packets are sent again (RFC 4588), and a viewer that was away gets a key frame.
 *
 * A copy is lost as easily as the packet was, and a receiver repeats its question only every 100
 * ms: whoever waits for it has frozen the picture. So where losses are random (2 % and more,
 * without a queue) a lost packet is sent three times, some milliseconds apart, and the last packet
 * of a frame once more without being asked for, because its loss is noticed only when the next
 * frame comes. At 5 % and 250 packets a second, 60 s see 750 losses: one copy would leave 750 *
 * 0.05 = 37 for a second round, two copies 2, three 0.1; a fourth follows unless feedback says that
 * one arrived. */
#include "rtc/session_internal.h"

enum {
    DEFAULT_ROUND_TRIP_US = 50000,
    MIN_PAUSE_US = 5000,
    COPY_AFTER_US = 7000,         /* apart from the first, for losses come in bursts */
    RANDOM_LOSS_QUEUE_US = 55000, /* a queue that was longer lately may have run over */
    QUEUE_REMEMBERED_US = 2000000,
    LONG_ROUND_TRIP_US = 100000,
    LOSING_US = 500000,
    BURST_REPORTS = 2, /* of a trial that count */
    BURST_AGAIN_US = 30000000,
    LATE_COPY_US = 70000,
    FEEDBACK_US = 20000,
    MAX_HISTORY_US = 4000000,
    TAIL_COPY_PACKETS = 5,     /* a frame of fewer would pay too much for it */
    AWAY_US = 2000000,         /* silence of a peer that sends transport-wide feedback */
    AWAY_REPORTS_US = 8000000, /* of one that sends reports, perhaps every five seconds */
    OTHER_PATH_US = 5000000,   /* what was known of the path is void after so long */
    HANDOVER_US = 300000,
    KEY_FRAME_US = 150000,     /* how long a key frame of four frames' size takes to leave */
    ANEW_INTERVAL_US = 500000, /* lest key frames that are lost lead to nothing but key frames */
};

static const double RANDOM_LOSS = 0.02;
static const double FAR_RANDOM_LOSS = 0.005; /* where a second question costs LONG_ROUND_TRIP_US */
static const double SMALL_BURST = 0.2;

static const double HEAVY_LOSS = 0.12; /* from here on three copies would take the place of video */

double session_loss(const struct rtc_session *session)
{
    if (session->loss_average >= 0)
        return session->loss_average;
    return session->lost_packets < 2
               ? 0
               : (double)session->lost_packets / (double)session->video_packets;
}

bool session_is_far(const struct rtc_session *session)
{
    return session_round_trip_us(session) >= LONG_ROUND_TRIP_US;
}

bool session_loses_at_random(const struct rtc_session *session, int64_t now_us)
{
    return session_loss(session) >= (session_is_far(session) ? FAR_RANDOM_LOSS : RANDOM_LOSS) &&
           session->counters.receives_transport_cc &&
           now_us - session->queue_seen_us > QUEUE_REMEMBERED_US;
}

void session_watch_queue(struct rtc_session *session, int64_t now_us)
{
    if (cc_queue_delay_us(&session->cc) > RANDOM_LOSS_QUEUE_US)
        session->queue_seen_us = now_us;
}

/* Beside the first. Before the first report nobody knows what kind of loss it is. */
static int copies_of(const struct rtc_session *session, int64_t now_us, bool again)
{
    if (session_fec_in_use(session, now_us) && !again)
        return 0; /* restored most likely by the time the question came here */
    if (session_loses_at_random(session, now_us))
        return session_loss(session) < HEAVY_LOSS ? 2 : 1;
    return session->loss_average < 0 || (again && session_loss(session) >= RANDOM_LOSS);
}

/* ---- bursts ---- */

static void set_burst(struct rtc_session *session, enum session_burst_size size, int64_t again_us)
{
    session->burst.size = size;
    session->burst.again_us = again_us;
    session->burst.reports = 0;
    session->burst.loss_tried = 0;
    pacer_set_burst_part(&session->pacer, size == BURST_WHOLE ? 1 : SMALL_BURST);
}

/* Losses without a queue are random, or a frame that leaves at once does not fit into a queue that
 * is too short to be noticed (a policer). The report behind the first of a trial is of both. */
void session_learn_burst(struct rtc_session *session, int64_t now_us, double reported)
{
    struct session_burst *burst = &session->burst;
    if (burst->size == BURST_TRIED) {
        burst->loss_tried += burst->reports++ > 0 ? reported : 0;
        if (burst->reports <= BURST_REPORTS)
            return;
        bool helps = burst->loss_tried / BURST_REPORTS < burst->loss_before / 2;
        set_burst(session, helps ? BURST_SMALL : BURST_WHOLE, now_us + BURST_AGAIN_US);
    } else if (now_us >= burst->again_us) {
        if (burst->size == BURST_SMALL) {
            set_burst(session, BURST_WHOLE, now_us);
        } else if (session_loses_at_random(session, now_us)) {
            burst->loss_before = session->loss_average;
            set_burst(session, BURST_TRIED, now_us);
        }
    }
}

/* ---- queues ---- */

static void put(struct session_resends *queue, int64_t due_us, uint16_t sequence)
{
    if (queue->count == SESSION_RESENDS)
        return;
    int at = (queue->first + queue->count++) % SESSION_RESENDS;
    queue->items[at] = (struct session_resend){.due_us = due_us, .sequence = sequence};
}

static bool take(struct session_resends *queue, int64_t now_us, uint16_t *sequence)
{
    if (queue->count == 0 || queue->items[queue->first].due_us > now_us)
        return false;
    *sequence = queue->items[queue->first].sequence;
    queue->first = (queue->first + 1) % SESSION_RESENDS;
    queue->count--;
    return true;
}

static int64_t due(const struct session_resends *queue)
{
    return queue->count == 0 ? INT64_MAX : queue->items[queue->first].due_us;
}

int64_t session_repair_deadline(const struct rtc_session *session)
{
    int64_t resend_us = due(&session->resends), copy_us = due(&session->copies);
    int64_t late_us = due(&session->late_copies);
    copy_us = copy_us < late_us ? copy_us : late_us;
    return resend_us < copy_us ? resend_us : copy_us;
}

bool session_take_resend(struct rtc_session *session, int64_t now_us,
                         const struct history_packet **out, uint16_t *original)
{
    while (take(&session->resends, now_us, original) || take(&session->copies, now_us, original) ||
           take(&session->late_copies, now_us, original)) {
        *out = history_find(&session->history, *original);
        if (*out != NULL && !(*out)->arrived)
            return true;
    }
    return false;
}

void session_forget_media(struct rtc_session *session)
{
    session->counters.frames_dropped += (uint64_t)pacer_clear(&session->pacer);
    history_clear(&session->history);
    session->resends.count = session->copies.count = session->late_copies.count = 0;
    session->fec.packets = session->fec.rows = 0;
    session->probe.active = false;
}

/* ---- NACK (RFC 4585 section 6.2.1) ---- */

/* A packet that is asked for again before its copy can have arrived is on its way; it may stand in
 * the path's queue. The question may have had a quicker way than the last one. */
static int64_t resend_pause_us(const struct rtc_session *session)
{
    int64_t round_trip_us = session_round_trip_us(session);
    if (round_trip_us <= 0)
        round_trip_us = DEFAULT_ROUND_TRIP_US;
    int64_t pause_us = round_trip_us / 8 * 7 + cc_queue_delay_us(&session->cc);
    return pause_us > MIN_PAUSE_US ? pause_us : MIN_PAUSE_US;
}

/* The last moment at which a copy prevents a freeze where the round trip is 50 ms: 150 ms less the
 * time until the loss is noticed, told, and repaired. Until then feedback may make it needless. */
static int64_t late_after_us(const struct rtc_session *session)
{
    int64_t after_us = session_round_trip_us(session) + FEEDBACK_US;
    return after_us > LATE_COPY_US ? after_us : LATE_COPY_US;
}

static void put_all(struct rtc_session *session, int64_t now_us, uint16_t sequence, bool again)
{
    int copies = copies_of(session, now_us, again);
    put(&session->resends, now_us, sequence);
    for (int i = 1; i <= copies; i++)
        put(&session->copies, now_us + i * COPY_AFTER_US, sequence);
    if (copies > 1)
        put(&session->late_copies, now_us + late_after_us(session), sequence);
}

/* True when the packet is gone and only a key frame helps. */
static bool request_resend(struct rtc_session *session, int64_t now_us, uint16_t sequence,
                           int64_t pause_us)
{
    uint16_t age = (uint16_t)(session->video.sequence - sequence);
    if (age == 0 || age > session->video_packets)
        return false; /* was never sent */
    if (session->video_packets - age < session->key_at)
        return false; /* nothing depends on what was before the key frame */
    if (history_find(&session->history, sequence) == NULL)
        return true;
    if (session->resends.count == SESSION_RESENDS)
        return false;
    const struct history_packet *packet =
        history_resend(&session->history, now_us, sequence, pause_us);
    if (packet == NULL)
        return false;
    session->lost_packets += packet->resends == 1;
    put_all(session, now_us, sequence, packet->resends > 1);
    return false;
}

static void keep_long_enough(struct rtc_session *session)
{
    int64_t age_us = HISTORY_US + 4 * session_round_trip_us(session);
    history_set_age(&session->history, age_us < MAX_HISTORY_US ? age_us : MAX_HISTORY_US);
}

/* What waits is out of date and what was sent is not worth repeating: a key frame is, at once. */
static void start_anew(struct rtc_session *session, int64_t now_us)
{
    session_forget_media(session);
    session->key_at = session->video_packets;
    session->repair_bytes = 0;
    session->anew_us = now_us;
    session_want_key(session);
    session->key_asked_us = INT64_MIN / 2; /* no waiting for the one asked for before */
}

bool session_is_losing(const struct rtc_session *session, int64_t now_us)
{
    return now_us - session->asked_us < LOSING_US;
}

static size_t waiting_bytes(const struct rtc_session *session)
{
    const struct session_resends *queue = &session->resends;
    size_t bytes = 0;
    for (int i = 0; i < queue->count; i++) {
        uint16_t sequence = queue->items[(queue->first + i) % SESSION_RESENDS].sequence;
        const struct history_packet *packet = history_find(&session->history, sequence);
        if (packet != NULL)
            bytes += packet->frame->payloads[packet->index].size + PACER_PACKET_BYTES;
    }
    return bytes;
}

/* What was resent lately counts as long as repair takes more than half of what may leave. */
static void age_repair(struct rtc_session *session, int64_t now_us)
{
    double step_us = (double)(now_us - session->repair_bytes_us);
    session->repair_bytes -= step_us * session->pacer.bytes_per_us / 2;
    session->repair_bytes = session->repair_bytes > 0 ? session->repair_bytes : 0;
    session->repair_bytes_us = now_us;
}

/* After a queue has run over there can be more to repeat than a key frame is large. */
static bool costs_more_than_a_key_frame(struct rtc_session *session, int64_t now_us)
{
    age_repair(session, now_us);
    if (now_us - session->anew_us < ANEW_INTERVAL_US)
        return false;
    double bytes = session->repair_bytes + (double)waiting_bytes(session);
    return bytes / session->pacer.bytes_per_us > KEY_FRAME_US;
}

/* Without RTX nothing is resent: a plain repetition is a replay to SRTP. */
void session_on_nack(struct rtc_session *session, int64_t now_us, const struct rtcp_packet *packet)
{
    if (packet->media_ssrc != session->video.ssrc)
        return;
    session->counters.nacks++;
    session->asked_us = now_us;
    if (!session->has_rtx)
        return;
    bool gone = false;
    int64_t pause_us = resend_pause_us(session);
    keep_long_enough(session);
    history_expire(&session->history, now_us);
    for (int i = 0; i < packet->count; i++) {
        uint16_t sequence, following;
        rtcp_nack_item(packet, i, &sequence, &following);
        gone |= request_resend(session, now_us, sequence, pause_us);
        for (int bit = 0; bit < 16; bit++)
            if ((following >> bit & 1) != 0)
                gone |= request_resend(session, now_us, (uint16_t)(sequence + 1 + bit), pause_us);
    }
    if (gone)
        session_on_key_wish(session, now_us);
    else if (costs_more_than_a_key_frame(session, now_us))
        start_anew(session, now_us);
}

void session_repair_frame(struct rtc_session *session, int64_t now_us,
                          const struct rtp_frame *frame, uint16_t sequence)
{
    if (session->has_rtx && frame->count >= TAIL_COPY_PACKETS &&
        !session_fec_in_use(session, now_us) && session_loses_at_random(session, now_us) &&
        session_loss(session) < HEAVY_LOSS)
        put(&session->copies, now_us + COPY_AFTER_US, sequence);
}

/* ---- lost repetitions ---- */

void session_copy_sent(struct rtc_session *session, int64_t now_us, uint16_t transport_sequence,
                       uint16_t original, size_t bytes)
{
    session->sent_copies[transport_sequence % SESSION_COPIES] = (struct session_copy){
        .transport_sequence = transport_sequence, .original = original, .open = true};
    session->copy_sent_us = now_us;
    age_repair(session, now_us);
    session->repair_bytes += (double)bytes;
    history_copy_left(&session->history, original);
}

static void on_copy(struct rtc_session *session, int64_t now_us, const struct rtcp_status *status)
{
    struct session_copy *copy = &session->sent_copies[status->sequence % SESSION_COPIES];
    if (!copy->open || copy->transport_sequence != status->sequence)
        return;
    copy->open = false;
    uint16_t age = (uint16_t)(session->video.sequence - copy->original);
    bool useless = age > session->video_packets || session->video_packets - age < session->key_at;
    if (useless || session->resends.count == SESSION_RESENDS)
        return;
    if (history_copy_fate(&session->history, now_us, copy->original, status->received) != NULL)
        put_all(session, now_us, copy->original, true);
}

void session_on_copies(struct rtc_session *session, int64_t now_us,
                       const struct rtcp_packet *feedback)
{
    struct rtcp_status_reader reader;
    struct rtcp_status status;
    if (now_us - session->copy_sent_us > MAX_HISTORY_US ||
        rtcp_status_reader_init(&reader, feedback) != OW_OK)
        return;
    while (rtcp_status_next(&reader, &status))
        on_copy(session, now_us, &status);
}

/* ---- padding ---- */

/* Large ones, so that few are needed, among those sent last: one that was lost is even of use. */
bool session_take_padding(struct rtc_session *session, const struct history_packet **out,
                          uint16_t *original)
{
    enum { LOOK_AT = 32, LARGE_BYTES = 800 };
    const struct history *history = &session->history;
    uint16_t held = (uint16_t)(history->next - history->oldest);
    size_t largest = 0;
    if (!session->has_rtx || held == 0)
        return false;
    for (uint16_t i = 0; i < LOOK_AT && i < held && largest < LARGE_BYTES; i++) {
        uint16_t back = (uint16_t)((session->probe.padding_back + i) % held);
        uint16_t sequence = (uint16_t)(history->next - 1 - back);
        const struct history_packet *packet = history_find(history, sequence);
        size_t size = packet->frame->payloads[packet->index].size;
        if (size <= largest)
            continue;
        largest = size;
        *out = packet;
        *original = sequence;
    }
    session->probe.padding_back = (uint16_t)(history->next - *original);
    return true;
}

/* ---- a viewer that was away ---- */

static void on_return(struct rtc_session *session, int64_t silent_us, int64_t now_us)
{
    if (silent_us >= OTHER_PATH_US)
        cc_on_path_change(&session->cc, now_us);
    start_anew(session, now_us);
    session->returning = true;
    session_rate_changed(session, now_us);
}

void session_heard(struct rtc_session *session, int64_t now_us)
{
    int64_t silent_us = now_us - session->heard_us;
    int64_t away_us = session->counters.receives_transport_cc ? AWAY_US : AWAY_REPORTS_US;
    bool missed_media = session->media_sent_us > session->heard_us;
    session->heard_us = now_us;
    if (session->phase == PHASE_CONNECTED && missed_media && silent_us >= away_us)
        on_return(session, silent_us, now_us);
}

void session_path_changed(struct rtc_session *session, int64_t now_us)
{
    if (session->phase != PHASE_CONNECTED || session->counters.frames_sent == 0)
        return;
    cc_on_path_change(&session->cc, now_us);
    session->probe.active = false;
    int64_t silent_us = now_us - session->feedback_us;
    if (silent_us >= HANDOVER_US) /* otherwise the old path carried media to the end */
        on_return(session, silent_us, now_us);
}

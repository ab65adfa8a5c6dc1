#include "sim_tcp.h"

#include "sim_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ACK_BYTES = 40, FIRST_WINDOW = 10, REORDER = 3, MIN_TIMEOUT_US = 1000000, TICK_US = 200000 };

static const double CUBIC_C = 0.4, CUBIC_BETA = 0.7;

static void send_segments(struct sim_tcp *tcp)
{
    int64_t now_us = tcp->clock->now_us;
    while (tcp->active && tcp->flying < (int)tcp->window && tcp->left > 0 &&
           tcp->next - tcp->oldest < SIM_TCP_WINDOW) {
        int64_t number = tcp->next++;
        tcp->segments[number % SIM_TCP_WINDOW] = SIM_TCP_FLYING;
        tcp->sent_us[number % SIM_TCP_WINDOW] = now_us;
        tcp->flying++;
        tcp->left--;
        sim_port_send(&tcp->out, &number, sizeof(number), SIM_TCP_SEGMENT_BYTES, false);
    }
}

/* RFC 9438 section 4: the window as a function of the time since the last reduction. */
static void grow(struct sim_tcp *tcp)
{
    if (tcp->window < tcp->threshold) {
        tcp->window += 1;
        return;
    }
    double t = (double)(tcp->clock->now_us - tcp->reduced_us) / 1e6;
    double round_trip = (double)tcp->smooth_us / 1e6;
    double k = cbrt(tcp->largest * (1 - CUBIC_BETA) / CUBIC_C);
    double cubic = CUBIC_C * pow(t + round_trip - k, 3) + tcp->largest;
    double reno = tcp->largest * CUBIC_BETA +
                  3 * (1 - CUBIC_BETA) / (1 + CUBIC_BETA) * t / fmax(round_trip, 1e-3);
    double aim = fmin(fmax(cubic, reno), 1.5 * tcp->window);
    if (aim > tcp->window)
        tcp->window += (aim - tcp->window) / tcp->window;
}

static void reduce(struct sim_tcp *tcp)
{
    tcp->largest = tcp->window;
    tcp->window = fmax(2, tcp->window * CUBIC_BETA);
    tcp->threshold = tcp->window;
    tcp->reduced_us = tcp->clock->now_us;
    tcp->recovery_below = tcp->next;
}

/* Lost data is sent again as new segments. */
static void give_up(struct sim_tcp *tcp, int64_t number)
{
    tcp->segments[number % SIM_TCP_WINDOW] = SIM_TCP_GONE;
    tcp->flying--;
    tcp->left++;
}

static void pause_ended(void *context, void *argument);

static void end_transfer(struct sim_tcp *tcp)
{
    tcp->active = false;
    double pause_us = -log(1 - random_unit(&tcp->random)) * (double)tcp->settings.pause_us;
    sim_at(tcp->clock, tcp->clock->now_us + (int64_t)pause_us, pause_ended, tcp, NULL);
}

static void acknowledged(void *context, const void *data, size_t size)
{
    struct sim_tcp *tcp = context;
    int64_t number;
    (void)size;
    memcpy(&number, data, sizeof(number));
    if (number < tcp->oldest || tcp->segments[number % SIM_TCP_WINDOW] == SIM_TCP_GONE)
        return;
    int64_t round_trip_us = tcp->clock->now_us - tcp->sent_us[number % SIM_TCP_WINDOW];
    tcp->smooth_us = tcp->smooth_us == 0 ? round_trip_us : (7 * tcp->smooth_us + round_trip_us) / 8;
    tcp->heard_us = tcp->clock->now_us;
    tcp->segments[number % SIM_TCP_WINDOW] = SIM_TCP_GONE;
    tcp->flying--;
    bool lost = false;
    for (int64_t at = tcp->oldest; at < number - REORDER; at++)
        if (tcp->segments[at % SIM_TCP_WINDOW] == SIM_TCP_FLYING) {
            give_up(tcp, at);
            lost = lost || at >= tcp->recovery_below;
        }
    while (tcp->oldest < tcp->next && tcp->segments[tcp->oldest % SIM_TCP_WINDOW] == SIM_TCP_GONE)
        tcp->oldest++;
    if (lost)
        reduce(tcp);
    else
        grow(tcp);
    if (tcp->left == 0 && tcp->flying == 0 && tcp->active) {
        tcp->transfers++;
        end_transfer(tcp);
    }
    send_segments(tcp);
}

static void arrived(void *context, const void *data, size_t size)
{
    struct sim_tcp *tcp = context;
    sim_port_send(&tcp->back, data, size, ACK_BYTES, false);
}

static void passed(void *context, size_t bytes, int64_t waited_us)
{
    struct sim_tcp *tcp = context;
    int64_t at = tcp->clock->now_us / SIM_BIN_US;
    (void)waited_us;
    tcp->bins[at < tcp->bin_count ? at : tcp->bin_count - 1] += bytes;
    tcp->passed_bytes += bytes;
}

static void start_transfer(struct sim_tcp *tcp)
{
    const struct sim_tcp_settings *settings = &tcp->settings;
    int64_t bytes = INT64_MAX / 4;
    if (settings->min_bytes != 0)
        bytes =
            settings->min_bytes + (int64_t)(random_unit(&tcp->random) *
                                            (double)(settings->max_bytes - settings->min_bytes));
    tcp->left = bytes / SIM_TCP_SEGMENT_BYTES + 1;
    tcp->window = FIRST_WINDOW;
    tcp->threshold = SIM_TCP_WINDOW;
    tcp->heard_us = tcp->clock->now_us;
    tcp->active = true;
    send_segments(tcp);
}

static void pause_ended(void *context, void *argument)
{
    (void)argument;
    start_transfer(context);
}

/* The retransmission timeout: everything outstanding counts as lost. */
static void tick(void *context, void *argument)
{
    struct sim_tcp *tcp = context;
    int64_t now_us = tcp->clock->now_us;
    int64_t timeout_us = 3 * tcp->smooth_us > MIN_TIMEOUT_US ? 3 * tcp->smooth_us : MIN_TIMEOUT_US;
    if (tcp->settings.stop_us != 0 && now_us >= tcp->settings.stop_us) {
        tcp->active = false;
        return;
    }
    if (tcp->active && tcp->flying > 0 && now_us - tcp->heard_us > timeout_us) {
        for (int64_t at = tcp->oldest; at < tcp->next; at++)
            if (tcp->segments[at % SIM_TCP_WINDOW] == SIM_TCP_FLYING)
                give_up(tcp, at);
        tcp->oldest = tcp->next;
        reduce(tcp);
        tcp->window = 1;
        tcp->heard_us = now_us;
        send_segments(tcp);
    }
    sim_at(tcp->clock, now_us + TICK_US, tick, tcp, argument);
}

static void begin(void *context, void *argument)
{
    struct sim_tcp *tcp = context;
    if (tcp->settings.min_bytes != 0)
        end_transfer(tcp); /* a pause first, so that several do not start together */
    else
        start_transfer(tcp);
    tick(tcp, argument);
}

void sim_tcp_init(struct sim_tcp *tcp, struct sim_clock *clock, struct sim_link *forward,
                  struct sim_link *backward, const struct sim_tcp_settings *settings,
                  int64_t duration_us, uint64_t seed)
{
    *tcp = (struct sim_tcp){.clock = clock,
                            .settings = *settings,
                            .out = {.link = forward, .receive = arrived, .passed = passed},
                            .back = {.link = backward, .receive = acknowledged},
                            .bin_count = (int)(duration_us / SIM_BIN_US) + 1};
    tcp->out.context = tcp->back.context = tcp;
    tcp->bins = sim_alloc((size_t)tcp->bin_count * sizeof(tcp->bins[0]));
    random_seeded(&tcp->random, seed);
    sim_at(clock, settings->start_us, begin, tcp, NULL);
}

void sim_tcp_clear(struct sim_tcp *tcp)
{
    free(tcp->bins);
    tcp->bins = NULL;
}

double sim_tcp_bps(const struct sim_tcp *tcp, int64_t from_us, int64_t to_us)
{
    int begin_at = (int)(from_us / SIM_BIN_US), end_at = (int)(to_us / SIM_BIN_US);
    uint64_t bytes = 0;
    for (int i = begin_at; i < end_at && i < tcp->bin_count; i++)
        bytes += tcp->bins[i];
    return end_at > begin_at ? (double)bytes * 8e6 / ((double)(end_at - begin_at) * SIM_BIN_US) : 0;
}

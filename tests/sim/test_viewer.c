/* What one viewer's network may do: steps of capacity, loss, an outage, another path, a viewer
 * without transport-wide feedback. Latencies are from capture to shown, 3 ms of encoding included.
 */
#include "sim_bounds.h"

static const struct sim_bounds CASES[] = {
    {"steps", /* 2, 1, 0.4, 2 Mbit/s at 0, 30, 50, 70 s */
     {
         SIM_BOUND(SIM_UTILISATION, 0, 2, 30, 0.88, 1.002),
         SIM_BOUND(SIM_WORST_SECOND_MS, 0, 30, 50, 10, 120),
         SIM_BOUND_AT(40, SIM_SETTLED_MS, 0, 30, 50, 0, 1000),
         SIM_BOUND(SIM_UTILISATION, 0, 32, 50, 0.88, 1.002),
         SIM_BOUND(SIM_WORST_SECOND_MS, 0, 50, 70, 20, 250),
         SIM_BOUND_AT(40, SIM_SETTLED_MS, 0, 50, 70, 200, 1500),
         SIM_BOUND(SIM_LEAST_KBPS, 0, 50, 70, 250, 400),
         SIM_BOUND(SIM_UTILISATION, 0, 53, 70, 0.85, 1.002),
         SIM_BOUND_AT(1500, SIM_REACHED_MS, 0, 70, 90, 1000, 4000),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 90, 1, 60),
         SIM_BOUND(SIM_SHOWN, 0, 0, 90, 0.99, 1),
     }},
    {"start-slow",
     {
         SIM_BOUND_AT(1500, SIM_REACHED_MS, 0, 0, 30, 1000, 2000),
         SIM_BOUND(SIM_FIRST_MS, 0, 0, 30, 25, 150), /* a round trip and 100 ms */
         SIM_BOUND(SIM_UTILISATION, 0, 3, 30, 0.9, 1.002),
         SIM_BOUND(SIM_GOODPUT_KBPS, 0, 3, 30, 1600, 1900),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 1, 30, 1, 60),
         SIM_BOUND(SIM_FREEZES, 0, 0, 30, 0, 0),
     }},
    {"slow-path", /* 40 ms: a frame of its own takes 33 to pass */
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 60, 0.9, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 5, 60, 10, 40),
         SIM_BOUND(SIM_LATENCY_P50_MS, 0, 5, 60, 35, 45),
         SIM_BOUND(SIM_LATENCY_P95_MS, 0, 5, 60, 40, 63),
         SIM_BOUND(SIM_LEAST_KBPS, 0, 5, 60, 270, 400),
         SIM_BOUND(SIM_FREEZES, 0, 0, 60, 0, 0),
     }},
    {"start-fast",
     {
         SIM_BOUND_AT(90, SIM_SETTLED_MS, 0, 1, 30, 0, 1000),
         SIM_BOUND(SIM_UTILISATION, 0, 4, 30, 0.88, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 4, 30, 1, 60),
     }},
    {"outage",
     {
         SIM_BOUND(SIM_GAP_MS, 0, 0, 40, 1950, 2150), /* a round trip and 100 ms */
         SIM_BOUND_AT(90, SIM_SETTLED_MS, 0, 22, 40, 0, 1500),
         SIM_BOUND_AT(1500, SIM_REACHED_MS, 0, 22, 40, 1000, 2500),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 23, 40, 1, 60),
     }},
    {"outage-long",
     {
         SIM_BOUND(SIM_GAP_MS, 0, 0, 50, 11950, 12150),
         SIM_BOUND_AT(90, SIM_SETTLED_MS, 0, 32, 50, 0, 1000),
         SIM_BOUND_AT(1500, SIM_REACHED_MS, 0, 32, 50, 1000, 2000),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 33, 50, 1, 60),
     }},
    {"path-change",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 2, 20, 0.88, 1.002),
         SIM_BOUND_AT(110, SIM_SETTLED_MS, 0, 20, 50, 0, 1000),
         SIM_BOUND(SIM_UTILISATION, 0, 24, 50, 0.88, 1.002),
         SIM_BOUND(SIM_GAP_MS, 0, 0, 50, 40, 400),
     }},
    {"loss-bursts",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.82, 1.002),
         SIM_BOUND(SIM_LOSS, 0, 0, 60, 0.005, 0.05),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 1, 60),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.99, 1),
         SIM_BOUND(SIM_FREEZES, 0, 0, 60, 0, 3),
     }},
    {"reordering",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 40, 0.85, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 40, 1, 60),
         SIM_BOUND(SIM_SHOWN, 0, 0, 40, 0.99, 1),
         SIM_BOUND(SIM_FREEZES, 0, 0, 40, 0, 0),
     }},
    {"duplicates",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 40, 0.9, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 40, 1, 60),
         SIM_BOUND(SIM_SHOWN, 0, 0, 40, 0.99, 1),
         SIM_BOUND(SIM_FREEZES, 0, 0, 40, 0, 0),
     }},
    {"jitter",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.85, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 1, 60),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.98, 1),
         SIM_BOUND(SIM_FREEZES, 0, 0, 60, 0, 1),
     }},
    {"feedback-slow",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.88, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 1, 60),
         SIM_BOUND_AT(85, SIM_SETTLED_MS, 0, 30, 60, 0, 2000),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.98, 1),
     }},
    {"feedback-lossy",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.9, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 1, 60),
         SIM_BOUND_AT(85, SIM_SETTLED_MS, 0, 30, 60, 0, 2000),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.98, 1),
     }},
    {"queue-short",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.88, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 1, 60),
         SIM_BOUND(SIM_LOSS, 0, 0, 60, 0, 0.02),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.97, 1),
     }},
    {"policer", /* without the loss side: 35 to 43 % of loss */
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 60, 0.5, 1.002),
         SIM_BOUND(SIM_GOODPUT_KBPS, 0, 5, 60, 1200, 2600),
         SIM_BOUND(SIM_LOSS, 0, 0, 60, 0.001, 0.2),
         SIM_BOUND(SIM_SENT_KBPS, 0, 10, 30, 1800, 4100),
         SIM_BOUND(SIM_SENT_KBPS, 0, 35, 60, 1000, 2100),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.98, 1),
         SIM_BOUND(SIM_FREEZES, 0, 0, 60, 0, 10),
     }},
    {"queue-deep",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.88, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 1, 60),
         SIM_BOUND_AT(85, SIM_SETTLED_MS, 0, 30, 60, 0, 1000),
         SIM_BOUND(SIM_LOSS, 0, 0, 60, 0, 0),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.97, 1),
     }},
    {"mobile",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 3, 60, 0.7, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 60, 20, 120),
         SIM_BOUND(SIM_LATENCY_P95_MS, 0, 2, 60, 60, 180),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.98, 1),
     }},
    {"application-limited",
     {
         SIM_BOUND(SIM_SENT_KBPS, 0, 3, 40, 350, 480), /* probing costs little */
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 40, 0, 15),
         SIM_BOUND(SIM_LATENCY_P95_MS, 0, 2, 40, 28, 45),
         SIM_BOUND(SIM_FREEZES, 0, 0, 40, 0, 0),
     }},
    {"remb", /* 0.8 Mbit/s from 30 s on */
     {
         SIM_BOUND(SIM_UTILISATION, 0, 15, 30, 0.6, 1.002),
         SIM_BOUND_AT(120, SIM_SETTLED_MS, 0, 30, 60, 0, 4000),
         SIM_BOUND(SIM_UTILISATION, 0, 35, 60, 0.6, 1.002),
         SIM_BOUND(SIM_SHOWN, 0, 0, 60, 0.95, 1),
     }},
    {"reports-only",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 15, 30, 0.6, 1.002),
         SIM_BOUND(SIM_UTILISATION, 0, 40, 60, 0.5, 1.002),
         SIM_BOUND(SIM_SENT_KBPS, 0, 40, 60, 300, 1000),
     }},
};

int main(void)
{
    return sim_bounds_main(CASES, sizeof(CASES) / sizeof(CASES[0]));
}

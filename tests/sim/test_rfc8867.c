/* The cases of RFC 8867 sections 5.1 to 5.8. Bounds: what the sender is to reach, and from the
 * other side what no sender could surpass or what would mean that nothing happened. */
#include "sim_bounds.h"

static const struct sim_bounds CASES[] = {
    {"8867-5.1",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 2, 100, 0.88, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 100, 1, 60),
         SIM_BOUND_AT(1900, SIM_REACHED_MS, 0, 40, 60, 1000, 3000), /* 2.5 Mbit/s open up */
         SIM_BOUND_AT(130, SIM_SETTLED_MS, 0, 60, 80, 0, 2000),     /* 0.6 Mbit/s are left */
         SIM_BOUND(SIM_WORST_SECOND_MS, 0, 60, 80, 80, 350),
         SIM_BOUND(SIM_LEAST_KBPS, 0, 60, 80, 300, 600),
         SIM_BOUND(SIM_SHOWN, 0, 0, 100, 0.985, 1),
     }},
    {"8867-5.1-far",
     {
         SIM_BOUND(SIM_FIRST_MS, 0, 0, 100, 100, 300),
         SIM_BOUND(SIM_UTILISATION, 0, 2, 100, 0.85, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 100, 1, 60),
         SIM_BOUND_AT(180, SIM_SETTLED_MS, 0, 60, 80, 0, 2500),
         SIM_BOUND(SIM_SHOWN, 0, 0, 100, 0.97, 1),
     }},
    {"8867-5.1-jitter",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 2, 100, 0.8, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 2, 100, 1, 60),
         SIM_BOUND(SIM_SHOWN, 0, 0, 100, 0.97, 1),
     }},
    {"8867-5.2",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 125, 0.88, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 5, 125, 1, 100),
         SIM_BOUND(SIM_FAIRNESS, 0, 5, 125, 0.95, 1),
         SIM_BOUND_AT(20, SIM_LEAST_FAIRNESS, 0, 5, 125, 0.85, 1),
         SIM_BOUND(SIM_SHOWN, 0, 0, 125, 0.95, 1),
         SIM_BOUND(SIM_SHOWN, 1, 0, 125, 0.95, 1),
     }},
    {"8867-5.3",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 100, 0.83, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 5, 100, 1, 60),
         SIM_BOUND(SIM_QUEUE_P95_MS, 1, 5, 100, 1, 60),
         SIM_BOUND(SIM_PASSED_KBPS, 1, 5, 100, 1300, 1580), /* of 1.58 Mbit/s on the way back */
         SIM_BOUND(SIM_SHOWN, 0, 0, 100, 0.95, 1),
         SIM_BOUND(SIM_SHOWN, 1, 0, 100, 0.95, 1),
     }},
    {"8867-5.4",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 120, 0.9, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 5, 120, 1, 100),
         SIM_BOUND(SIM_FAIRNESS, 0, 60, 120, 0.95, 1),
         SIM_BOUND(SIM_SHOWN, 0, 0, 120, 0.95, 1),
         SIM_BOUND(SIM_SHOWN, 2, 0, 120, 0.95, 1),
     }},
    {"8867-5.5",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 50, 300, 0.9, 1.002),
         SIM_BOUND(SIM_QUEUE_P95_MS, 0, 50, 300, 1, 150),
         SIM_BOUND(SIM_FAIRNESS, 0, 100, 300, 0.85, 1),
         SIM_BOUND(SIM_SHOWN, 4, 0, 300, 0.95, 1),
     }},
    {"8867-5.6",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 10, 120, 0.98, 1.002),
         SIM_BOUND(SIM_PASSED_KBPS, 0, 20, 120, 150, 1000), /* not starved, and TCP is not either */
         SIM_BOUND(SIM_TCP_KBPS, 0, 20, 120, 300, 1850),
     }},
    {"8867-5.6-deep",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 10, 120, 0.98, 1.002),
         SIM_BOUND(SIM_PASSED_KBPS, 0, 20, 120, 100, 1000),
         SIM_BOUND(SIM_TCP_KBPS, 0, 20, 120, 300, 1900),
     }},
    {"8867-5.7",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 300, 0.75, 1.002),
         SIM_BOUND(SIM_FAIRNESS, 0, 5, 300, 0.95, 1),
         SIM_BOUND(SIM_TCP_KBPS, 0, 5, 300, 200, 450), /* the transfers get through */
         SIM_BOUND(SIM_SHOWN, 0, 0, 300, 0.97, 1),
         SIM_BOUND(SIM_FREEZES, 0, 0, 300, 0, 35), /* a transfer's burst fills the queue */
         SIM_BOUND(SIM_FREEZES, 1, 0, 300, 0, 35),
     }},
    {"8867-5.8",
     {
         SIM_BOUND(SIM_UTILISATION, 0, 5, 120, 0.9, 1.002),
         SIM_BOUND(SIM_UTILISATION, 0, 45, 60, 0.9,
                   1.002), /* the others take what the pause leaves */
         SIM_BOUND_AT(700, SIM_REACHED_MS, 0, 60, 120, 1000, 5000),
         SIM_BOUND(SIM_FAIRNESS, 0, 80, 120, 0.93, 1),
         SIM_BOUND(SIM_QUEUE_P95_MS, 1, 5, 120, 1, 100),
     }},
};

int main(void)
{
    return sim_bounds_main(CASES, sizeof(CASES) / sizeof(CASES[0]));
}

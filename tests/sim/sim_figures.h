/* The figures that tests bound and the bench prints, by name. */
#ifndef OW_TESTS_SIM_FIGURES_H
#define OW_TESTS_SIM_FIGURES_H

#include "sim_scenario.h"

enum sim_figure {
    SIM_UTILISATION,  /* of the forward link by everything on it, 0..1 */
    SIM_SENT_KBPS,    /* of the flow, with IP and UDP headers */
    SIM_PASSED_KBPS,  /* of it, through the bottleneck */
    SIM_GOODPUT_KBPS, /* RTP payload of the frames shown */
    SIM_LEAST_KBPS,   /* sent in the least second */
    SIM_QUEUE_P50_MS, /* wait at the bottleneck */
    SIM_QUEUE_P95_MS,
    SIM_LATENCY_P50_MS, /* of frames, from capture to shown */
    SIM_LATENCY_P95_MS,
    SIM_WORST_SECOND_MS, /* the largest median latency of a second */
    SIM_SETTLED_MS,      /* until a second's median latency is `limit` ms or less */
    SIM_REACHED_MS,      /* until a second passes with `limit` kbit/s or more */
    SIM_FAIRNESS,        /* Jain's index of all flows over the whole time */
    SIM_LEAST_FAIRNESS,  /* … of the worst window of `limit` seconds */
    SIM_OSCILLATION,     /* deviation of the sent rate of seconds, of their mean */
    SIM_SHOWN,           /* frames shown of those made, 0..1; over the whole run */
    SIM_LOSS,            /* packets lost before repair, 0..1; over the whole run */
    SIM_FREEZES,         /* over the whole run */
    SIM_GAP_MS,          /* longest between two frames shown; over the whole run */
    SIM_KEY_FRAMES,      /* made; over the whole run */
    SIM_FIRST_MS,        /* from connected to the first frame shown */
    SIM_TCP_KBPS,        /* of all competitors */
};

const char *sim_figure_name(enum sim_figure figure);
/* Of flow number `flow` in [from_s, to_s); `limit` where the figure has one. */
double sim_figure(const struct sim_run *run, enum sim_figure figure, int flow, double from_s,
                  double to_s, double limit);

#endif

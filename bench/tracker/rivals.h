/* Four trackers to compare ours with, written from their papers with the constants that their
 * authors published. They know no classes but persons and vehicles. */
#ifndef OW_BENCH_TRACKER_RIVALS_H
#define OW_BENCH_TRACKER_RIVALS_H

#include "mot.h"

struct rival {
    float high;     /* score from which a detection is a sure one */
    float begin;    /* score from which it may begin a track */
    int lost_after; /* frames for which a track that is not seen is kept */
};

/* SORT (Bewley et al., 2016): assignment by overlap, one stage, a track is shown after three
 * frames. */
void sort_run(const struct rival *settings, const struct mot_sequence *seen,
              struct mot_sequence *out);

/* ByteTrack (Zhang et al., 2022): then a second stage, for which detections from 0.1 are good. */
void byte_run(const struct rival *settings, const struct mot_sequence *seen,
              struct mot_sequence *out);

/* BoT-SORT (Aharon et al., 2022) without looks and, since this camera stands, without its motion:
 * ByteTrack with the width in the place of the aspect. */
void bot_sort_run(const struct rival *settings, const struct mot_sequence *seen,
                  struct mot_sequence *out);

/* OC-SORT (Cao et al., 2023): SORT, in which the direction of the way counts (momentum), what is
 * left is looked for where it was last detected (recovery), and who is found again is led through
 * the frames between once more (re-update). */
void oc_sort_run(const struct rival *settings, const struct mot_sequence *seen,
                 struct mot_sequence *out);

#endif

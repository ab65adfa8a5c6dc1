/* How well a tracker does, against tracks known to be right: CLEAR MOT (Bernardin, Stiefelhagen,
 * 2008) and IDF1 (Ristani et al., 2016). For tests and bench/tracker; see tests/data/vtest. */
#ifndef OW_TESTS_MOT_H
#define OW_TESTS_MOT_H

#include "core/detections.h"

#include <stdbool.h>

enum { MOT_FRAMES = 300, MOT_STEP_US = 100000 /* vtest.avi has 10 frames a second */ };

struct mot_frame {
    struct detection *items;
    int count, room;
};

/* What is in each frame: detections, or boxes of tracks with their track_id. All zero is empty. */
struct mot_sequence {
    struct mot_frame frames[MOT_FRAMES];
};

void mot_add(struct mot_sequence *sequence, int frame, const struct detection *box);
void mot_free(struct mot_sequence *sequence);
/* The same from the last frame to the first: another scene, as hard. */
void mot_reverse(const struct mot_sequence *from, struct mot_sequence *out);

/* Read the files of tests/data/vtest from `folder`; false when a file is missing or not as it
 * should be. Detections of a frame are sorted by falling confidence; tracks are filled in between
 * their lines, with class 0 (person) or 2 (car, for any vehicle). */
bool mot_read_detections(struct mot_sequence *out, const char *folder);
bool mot_read_tracks(struct mot_sequence *out, const char *folder);

/* A person is no vehicle; all vehicles are alike. */
bool mot_same_kind(int class_a, int class_b);

struct mot_scores {
    int truth; /* boxes that are there, over all frames */
    int missed, false_positives;
    int switches;      /* a true track goes on under another id */
    int fragments;     /* a true track goes on after it was not followed */
    int tracks;        /* ids that were given */
    double mota, idf1; /* 1 = perfect */
};

/* Boxes match when they are of one kind and overlap by an IoU of 0.5 or more. */
void mot_score(const struct mot_sequence *truth, const struct mot_sequence *tracked,
               struct mot_scores *out);

/* The one-to-one pairing of rows and columns with the greatest sum of gains (row-major, rows x
 * columns, 0 = never): column_of[row] is a column or -1. The shortest augmenting path method
 * (Jonker, Volgenant, 1987). */
void mot_assign(const double *gain, int rows, int columns, int *column_of);

#endif

/* The cells of class maps, line by line: of which class each is, and how surely. Loops are written
 * so that compilers make vectors of them. Internal to this folder; pure. */
#ifndef OW_VISION_MODELS_CLASS_CELLS_H
#define OW_VISION_MODELS_CLASS_CELLS_H

#include <stddef.h>
#include <stdint.h>

enum { CLASS_MAP_CLASSES_MAX = 256, CLASS_MAP_SIDE_MAX = 2048 };

enum class_values {
    CLASS_PROBABILITIES,
    CLASS_LOGITS, /* what goes into a sigmoid (one class) or softmax */
    CLASS_IDS     /* one value a cell: its class */
};

/* A single map tells how likely a cell is inside. Of several, a cell belongs to the class of the
 * highest value, and the first is what is none of the others, by custom (Pascal VOC). */
struct class_map {
    const float *data;
    int classes, width, height;   /* at most CLASS_MAP_CLASSES_MAX and CLASS_MAP_SIDE_MAX */
    size_t class_step, cell_step; /* from a class to the next, from a cell to the one beside it */
    enum class_values values;
};

struct class_line {
    int32_t winner[CLASS_MAP_SIDE_MAX];  /* the cell's class; -1 = of no object, or no number */
    float certainty[CLASS_MAP_SIDE_MAX]; /* 0..1: how likely it is of it */
    float best[CLASS_MAP_SIDE_MAX], second[CLASS_MAP_SIDE_MAX]; /* the highest values */
};

void class_line_read(const struct class_map *map, int y, struct class_line *line);

/* How likely each of the cells [from, to) of a line is of a class: 0..1, at their places. */
void class_line_shares(const struct class_map *map, int y, int class_id, int from, int to,
                       float shares[CLASS_MAP_SIDE_MAX]);

#endif

#include "vision/models/class_cells.h"

#include "core/simd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The values of one more class, `step` from one cell to the next. */
static inline __attribute__((always_inline)) void
compare_class(struct class_line *line, int class_id, const float *at, size_t step, int from, int to)
{
    for (int x = from; x < to; x++) {
        float value = at[(size_t)(x - from) * step];
        float best = line->best[x], second = line->second[x];
        int32_t winner = line->winner[x];
        bool better = value > best;
        float loser = better ? best : value;
        line->second[x] = loser > second ? loser : second;
        line->winner[x] = better ? class_id : winner;
        line->best[x] = better ? value : best;
    }
}

/* Cells [from, to) of a line, without their certainties. */
SIMD_CLONES static void compare_classes(const struct class_map *map, int y, int from, int to,
                                        struct class_line *line)
{
    const float *at = map->data + ((size_t)y * (size_t)map->width + (size_t)from) * map->cell_step;
    for (int x = from; x < to; x++) {
        line->best[x] = line->second[x] = -INFINITY;
        line->winner[x] = -1;
    }
    for (int c = 0; c < map->classes; c++, at += map->class_step)
        if (map->cell_step == 1) /* in a loop of its own, of which vectors can be made */
            compare_class(line, c, at, 1, from, to);
        else
            compare_class(line, c, at, map->cell_step, from, to);
}

/* Held in low..high; a NaN is low. */
static inline float held(float value, float low, float high)
{
    float raised = value > low ? value : low;
    return raised < high ? raised : high;
}

enum { SOFT_STEP_MAX = 40 };

/* 1 / (1 + exp(-value)) to 2e-4 for values of -SOFT_STEP_MAX to SOFT_STEP_MAX, in steps that vector
 * units have: exp(-value) is a power of two, made of a float's exponent, times one of 0 to 1, by
 * its series. */
static inline float soft_step(float value)
{
    float power = value * -1.44269504F; /* of two */
    int32_t whole = (int32_t)(power + 64.0F) - 64;
    float rest = power - (float)whole;
    float part =
        1 + rest * (0.6931472F + rest * (0.2402265F + rest * (0.0555041F + rest * 0.0096181F)));
    int32_t bits = (whole + 127) * (1 << 23);
    float doubled;
    memcpy(&doubled, &bits, sizeof doubled);
    return 1 / (1 + doubled * part);
}

/* How likely cells [from, to) are of a class whose values are `own`, against the best of the
 * others; 0 where a value is no number. Loops of their own are what compilers make vectors of. */
SIMD_CLONES static void weigh(const struct class_map *map, const float *restrict own,
                              const float *restrict other, int from, int to, float *restrict out)
{
    const float share = map->values == CLASS_LOGITS ? 1 : 0.5F,
                start = map->values == CLASS_LOGITS ? 0 : 0.5F;
    if (map->classes == 1)
        memcpy(out + from, own + from, (size_t)(to - from) * sizeof *out);
    else
        for (int x = from; x < to; x++)
            out[x] = start + (own[x] - other[x]) * share;
    if (map->values != CLASS_LOGITS) {
        for (int x = from; x < to; x++)
            out[x] = held(out[x], 0, 1);
        return;
    }
    for (int x = from; x < to; x++)
        out[x] = held(out[x], -SOFT_STEP_MAX, SOFT_STEP_MAX);
    for (int x = from; x < to; x++)
        out[x] = soft_step(out[x]);
}

/* Which cells belong to an object, by the class of their highest value. */
SIMD_CLONES static void drop_background(const struct class_map *map, struct class_line *line)
{
    const float least = map->values == CLASS_LOGITS ? 0 : 0.5F; /* of a single class */
    if (map->classes == 1)
        for (int x = 0; x < map->width; x++)
            line->winner[x] = line->best[x] >= least ? line->winner[x] : -1;
    else
        for (int x = 0; x < map->width; x++)
            line->winner[x] = line->winner[x] > 0 ? line->winner[x] : -1;
}

static const float *cell_at(const struct class_map *map, int x, int y, int class_id)
{
    return map->data + ((size_t)y * (size_t)map->width + (size_t)x) * map->cell_step +
           (size_t)class_id * map->class_step;
}

static void read_ids(const struct class_map *map, int y, struct class_line *line)
{
    const float *ids = cell_at(map, 0, y, 0), end = (float)map->classes;
    for (int x = 0; x < map->width; x++) {
        bool is_object = ids[x] >= 1 && ids[x] < end; /* a NaN is not */
        line->winner[x] = is_object ? (int32_t)ids[x] : -1;
        line->certainty[x] = 1;
    }
}

void class_line_read(const struct class_map *map, int y, struct class_line *line)
{
    if (map->values == CLASS_IDS) {
        read_ids(map, y, line);
        return;
    }
    compare_classes(map, y, 0, map->width, line);
    weigh(map, line->best, line->second, 0, map->width, line->certainty);
    drop_background(map, line);
}

void class_line_shares(const struct class_map *map, int y, int class_id, int from, int to,
                       float shares[CLASS_MAP_SIDE_MAX])
{
    struct class_line line;
    float own[CLASS_MAP_SIDE_MAX];
    const float *at = cell_at(map, from, y, map->values == CLASS_IDS ? 0 : class_id);
    for (int x = from; x < to; x++, at += map->cell_step)
        own[x] = *at;
    if (map->values == CLASS_IDS) {
        for (int x = from; x < to; x++)
            shares[x] = own[x] >= (float)class_id && own[x] < (float)class_id + 1 ? 1 : 0;
        return;
    }
    if (map->classes > 1)
        compare_classes(map, y, from, to, &line);
    for (int x = from; x < to && map->classes > 1; x++) /* the best of the others */
        line.best[x] = line.winner[x] == class_id ? line.second[x] : line.best[x];
    weigh(map, own, line.best, from, to, shares);
}

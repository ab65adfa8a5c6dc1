#include "xray/poses.h"

#include "xray/scheme.h"

#include <math.h>

enum { COCO_KEYPOINTS = 17, OUTLINE_ALPHA = 150 };

static const float seen_score = 0.25f; /* points below are guesses */
static const struct rgb rim_color = {0xf4, 0xf6, 0xf8};

struct pose {
    int count;
    bool seen[KEYPOINTS_MAX];
    float x[KEYPOINTS_MAX], y[KEYPOINTS_MAX]; /* pixels of the picture */
    float bone, joint, core;                  /* radii: of bones, of joints, within their rims */
};

/* COCO's skeleton (annotations of person_keypoints, "skeleton"), from 0; the ears are joined to the
 * shoulders. */
static const uint8_t bones_of_people[][2] = {
    {15, 13}, {13, 11}, {16, 14}, {14, 12}, {11, 12}, {5, 11}, {6, 12}, {5, 6}, {5, 7}, {6, 8},
    {7, 9},   {8, 10},  {1, 2},   {0, 1},   {0, 2},   {1, 3},  {2, 4},  {3, 5}, {4, 6},
};

enum side { MIDDLE, LEFT, RIGHT, SIDES };

/* COCO's points: the nose, then left and right by turns. */
static enum side side_of_point(const struct pose *pose, int k)
{
    return pose->count != COCO_KEYPOINTS || k == 0 ? MIDDLE : k % 2 == 1 ? LEFT : RIGHT;
}

/* Bones across the body are the middle's. */
static enum side side_of_bone(const struct pose *pose, const uint8_t bone[2])
{
    enum side a = side_of_point(pose, bone[0]), b = side_of_point(pose, bone[1]);
    return a == b ? a : MIDDLE;
}

/* A small object has thin lines. */
static void size_lines(struct pose *pose, const struct scene *scene, const struct bounds *bounds)
{
    float height = fmaxf(bounds->y2 - bounds->y1, bounds->x2 - bounds->x1);
    pose->bone = fmaxf(fminf((float)scene->thickness * 0.85f, height / 50), 0.7f);
    pose->joint = pose->bone * 1.6f + 0.6f;
    pose->core = pose->joint - fmaxf(pose->joint / 3, 0.8f);
}

static void read_pose(struct pose *pose, const struct scene *scene,
                      const struct scene_object *object)
{
    const struct object_shape *shape = object->item->shape;
    const struct bounds *b = &object->bounds;
    pose->count = shape->keypoint_count;
    size_lines(pose, scene, b);
    for (int k = 0; k < pose->count; k++) {
        const struct keypoint *point = &shape->keypoints[k];
        pose->x[k] = b->x1 + point->x * (b->x2 - b->x1);
        pose->y[k] = b->y1 + point->y * (b->y2 - b->y1);
        pose->seen[k] = point->score >= seen_score && fabsf(pose->x[k]) < CANVAS_FAR &&
                        fabsf(pose->y[k]) < CANVAS_FAR;
    }
}

/* Over what a side's points cover of the picture, or all of them; false for nothing. */
static bool open_layer(struct layer *layer, const struct pose *pose, enum side side,
                       struct frame *frame)
{
    float x1 = INFINITY, y1 = INFINITY, x2 = -INFINITY, y2 = -INFINITY, around = pose->joint + 3;
    for (int k = 0; k < pose->count; k++) {
        if (!pose->seen[k] || (side != SIDES && side_of_point(pose, k) != side))
            continue;
        x1 = fminf(x1, pose->x[k] - around);
        x2 = fmaxf(x2, pose->x[k] + around);
        y1 = fminf(y1, pose->y[k] - around);
        y2 = fmaxf(y2, pose->y[k] + around);
    }
    x1 = fmaxf(x1, 0);
    y1 = fmaxf(y1, 0);
    x2 = fminf(x2, (float)frame->width);
    y2 = fminf(y2, (float)frame->height);
    if (!(x1 + 1 <= x2) || !(y1 + 1 <= y2))
        return false;
    return layer_open(layer, frame,
                      (struct rect){(int)x1, (int)y1, (int)x2 - (int)x1, (int)y2 - (int)y1});
}

static void blend(const struct layer *layer, struct frame *frame, bool seam, struct rgb color)
{
    if (seam)
        layer_blend(layer, LAYER_SEAMED, frame, palette_ink(palette_seam, frame), OUTLINE_ALPHA);
    layer_blend(layer, LAYER_LINES, frame, palette_ink(color, frame), 255);
}

static void draw_bones(struct layer *layer, const struct pose *pose, enum side side,
                       struct frame *frame, struct rgb color)
{
    if (!open_layer(layer, pose, side == MIDDLE ? SIDES : side, frame))
        return;
    for (size_t i = 0; i < sizeof bones_of_people / sizeof bones_of_people[0]; i++) {
        const uint8_t *bone = bones_of_people[i];
        int a = bone[0], b = bone[1];
        if (pose->seen[a] && pose->seen[b] && side_of_bone(pose, bone) == side)
            layer_line(layer, pose->x[a], pose->y[a], pose->x[b], pose->y[b], pose->bone);
    }
    blend(layer, frame, true, color);
}

/* Of one side, or of all: these have a seam. */
static void draw_joints(struct layer *layer, const struct pose *pose, enum side side,
                        struct frame *frame, float radius, struct rgb color)
{
    if (!open_layer(layer, pose, side, frame))
        return;
    for (int k = 0; k < pose->count; k++)
        if (pose->seen[k] && (side == SIDES || side_of_point(pose, k) == side))
            layer_line(layer, pose->x[k], pose->y[k], pose->x[k], pose->y[k], radius);
    blend(layer, frame, side == SIDES, color);
}

/* Bones by side, then joints with a bright rim; a dark seam around all. */
static void draw_pose(const struct scene *scene, const struct scene_object *object,
                      const struct pose *pose, struct layer *layer, bool bones)
{
    struct frame *frame = scene->frame;
    const struct body_colors body = scheme_body(scene->style, object->color);
    const struct rgb colors[SIDES] = {body.middle, body.left, body.right};
    for (enum side side = MIDDLE; bones && side < SIDES; side++)
        draw_bones(layer, pose, side, frame, colors[side]);
    draw_joints(layer, pose, SIDES, frame, pose->joint, rim_color);
    for (enum side side = MIDDLE; side < SIDES; side++)
        draw_joints(layer, pose, side, frame, pose->core, colors[side]);
}

void poses_draw(const struct scene *scene, struct layer *layer, bool bones)
{
    for (int i = scene->count - 1; i >= 0; i--) {
        const struct scene_object *object = &scene->objects[i];
        struct pose pose;
        if (!scene_has_keypoints(object))
            continue;
        read_pose(&pose, scene, object);
        draw_pose(scene, object, &pose, layer, bones && pose.count == COCO_KEYPOINTS);
    }
}

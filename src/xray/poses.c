#include "xray/poses.h"

#include <math.h>

enum { COCO_KEYPOINTS = 17, OUTLINE_ALPHA = 150, JOINT_ALPHA = 230 };

static const float seen_score = 0.25f; /* points below are guesses */
static const struct rgb outline_color = {0x06, 0x08, 0x0b}, joint_color = {0xff, 0xff, 0xff};

/* COCO's skeleton (annotations of person_keypoints, "skeleton"), from 0; the ears are joined to the
 * shoulders. */
static const uint8_t bones_of_people[][2] = {
    {15, 13}, {13, 11}, {16, 14}, {14, 12}, {11, 12}, {5, 11}, {6, 12}, {5, 6}, {5, 7}, {6, 8},
    {7, 9},   {8, 10},  {1, 2},   {0, 1},   {0, 2},   {1, 3},  {2, 4},  {3, 5}, {4, 6},
};

struct pose {
    int count;
    bool seen[KEYPOINTS_MAX];
    float x[KEYPOINTS_MAX], y[KEYPOINTS_MAX]; /* pixels of the picture */
    float bone, joint;                        /* radii */
};

/* A small object has thin lines. */
static void size_lines(struct pose *pose, const struct scene *scene, const struct bounds *bounds)
{
    float height = fmaxf(bounds->y2 - bounds->y1, bounds->x2 - bounds->x1);
    pose->bone = fmaxf(fminf((float)scene->thickness * 0.7f, height / 50), 0.7f);
    pose->joint = pose->bone * 1.5f + 0.4f;
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

/* What the pose covers of the picture; false for nothing. */
static bool area_of(const struct pose *pose, const struct frame *frame, struct rect *out)
{
    float x1 = INFINITY, y1 = INFINITY, x2 = -INFINITY, y2 = -INFINITY, around = pose->joint + 3;
    for (int k = 0; k < pose->count; k++) {
        if (!pose->seen[k])
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
    *out = (struct rect){(int)x1, (int)y1, (int)x2 - (int)x1, (int)y2 - (int)y1};
    return true;
}

static void add_bones(struct layer *layer, const struct pose *pose)
{
    for (size_t i = 0; i < sizeof bones_of_people / sizeof bones_of_people[0]; i++) {
        int a = bones_of_people[i][0], b = bones_of_people[i][1];
        if (pose->seen[a] && pose->seen[b])
            layer_line(layer, pose->x[a], pose->y[a], pose->x[b], pose->y[b], pose->bone);
    }
}

static void add_joints(struct layer *layer, const struct pose *pose, float radius)
{
    for (int k = 0; k < pose->count; k++)
        if (pose->seen[k])
            layer_line(layer, pose->x[k], pose->y[k], pose->x[k], pose->y[k], radius);
}

static void draw_pose(const struct scene *scene, const struct scene_object *object,
                      const struct pose *pose, struct layer *layer, bool bones)
{
    struct frame *frame = scene->frame;
    if (bones)
        add_bones(layer, pose);
    add_joints(layer, pose, pose->joint);
    layer_blend(layer, LAYER_SEAMED, frame, palette_ink(outline_color, frame), OUTLINE_ALPHA);
    layer_blend(layer, LAYER_LINES, frame, palette_ink(object->color, frame), 255);
    layer_clear(layer);
    add_joints(layer, pose, 0.5f * pose->joint);
    layer_blend(layer, LAYER_LINES, frame, palette_ink(joint_color, frame), JOINT_ALPHA);
}

void poses_draw(const struct scene *scene, struct layer *layer, bool bones)
{
    for (int i = scene->count - 1; i >= 0; i--) {
        const struct scene_object *object = &scene->objects[i];
        struct pose pose;
        struct rect area;
        if (!scene_has_keypoints(object))
            continue;
        read_pose(&pose, scene, object);
        if (area_of(&pose, scene->frame, &area) && layer_open(layer, scene->frame, area))
            draw_pose(scene, object, &pose, layer, bones && pose.count == COCO_KEYPOINTS);
    }
}

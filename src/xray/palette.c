#include "xray/palette.h"

#include <math.h>
#include <string.h>

const struct rgb palette_seam = {0x06, 0x08, 0x0b};

/* Neighbouring ids get hues far apart, because neighbouring classes are often seen together. None
 * is so dark or so pale that it would be lost on footage. */
static const struct rgb class_colors[PALETTE_COLORS] = {
    {0x18, 0xb7, 0xf2}, {0xff, 0x7a, 0x1a}, {0x8b, 0xd4, 0x2a}, {0xf0, 0x3e, 0x6b},
    {0x9b, 0x6b, 0xff}, {0xff, 0xc6, 0x1a}, {0x12, 0xc9, 0x9b}, {0xff, 0x5f, 0xd0},
    {0x3d, 0x7b, 0xff}, {0xe4, 0x57, 0x2e}, {0x5f, 0xe0, 0xe6}, {0xc8, 0xe0, 0x3a},
    {0xb5, 0x17, 0x9e}, {0x2f, 0xae, 0x4e}, {0xff, 0x9e, 0x80}, {0x5a, 0x3c, 0xd8},
    {0xa8, 0x75, 0x2b}, {0x7f, 0xc4, 0xff}, {0xff, 0x2b, 0x24}, {0x00, 0x85, 0x7a},
    {0xd9, 0xa6, 0xff}, {0x7a, 0x9a, 0x01}, {0xc2, 0x18, 0x5b}, {0xb0, 0xbe, 0xc5},
};

/* Black and no less: then one of the two has a contrast of 4.58 or more on any ground. */
static const struct rgb text_dark = {0x00, 0x00, 0x00};
static const struct rgb text_light = {0xff, 0xff, 0xff};

struct rgb palette_class(int class_id)
{
    return class_colors[(unsigned)class_id % PALETTE_COLORS];
}

static uint8_t mix(uint8_t from, uint8_t to, float share)
{
    return (uint8_t)lroundf((float)from + share * (float)(to - from));
}

struct rgb palette_mix(struct rgb from, struct rgb to, float share)
{
    return (struct rgb){mix(from.r, to.r, share), mix(from.g, to.g, share),
                        mix(from.b, to.b, share)};
}

/* Evenly spaced stops from 0 to 1; what is outside or not a number is clamped. */
static struct rgb ramp(const struct rgb *stops, int count, float value)
{
    float at = value > 0 ? fminf(value, 1) * (float)(count - 1) : 0;
    int stop = at < (float)(count - 1) ? (int)at : count - 2;
    float share = at - (float)stop;
    return palette_mix(stops[stop], stops[stop + 1], share);
}

struct rgb palette_confidence(float confidence)
{
    static const struct rgb stops[] = {{0xf0, 0x39, 0x3b}, {0xff, 0xc6, 0x1a}, {0x2f, 0xc2, 0x5b}};
    return ramp(stops, 3, confidence);
}

struct rgb palette_thermal(float value)
{
    static const struct rgb stops[] = {{0x5b, 0x2b, 0xe0},
                                       {0xc4, 0x25, 0x8f},
                                       {0xff, 0x5a, 0x1f},
                                       {0xff, 0xc4, 0x2e},
                                       {0xff, 0xf6, 0xd6}};
    return ramp(stops, 5, value);
}

struct rgb palette_glow(float value)
{
    static const struct rgb stops[] = {{0x1b, 0x3c, 0xff},
                                       {0x00, 0xc8, 0xff},
                                       {0xc0, 0x3c, 0xff},
                                       {0xff, 0x2b, 0xd6},
                                       {0xff, 0xe3, 0xfa}};
    return ramp(stops, 5, value);
}

struct rgb palette_neon(int class_id)
{
    static const struct rgb colors[] = {
        {0x00, 0xf0, 0xff}, {0xff, 0x2b, 0xd6}, {0x39, 0xff, 0x14}, {0xff, 0xf0, 0x1f},
        {0xff, 0x6b, 0x1a}, {0xb1, 0x4b, 0xff}, {0x00, 0xff, 0x9d}, {0xff, 0x33, 0x55},
    };
    return colors[(unsigned)class_id % 8];
}

struct rgb palette_zone(int index)
{
    static const struct rgb colors[] = {
        {0xff, 0xd1, 0x66}, {0x7d, 0xe2, 0xd1}, {0xd8, 0xb4, 0xfe}, {0xff, 0xa8, 0xa8},
        {0xa5, 0xd8, 0xff}, {0xd0, 0xf4, 0x7a}, {0xff, 0xc9, 0x9b}, {0xf3, 0xb3, 0xe6},
    };
    return colors[(unsigned)index % 8];
}

bool palette_known(const char *class_name, struct rgb *out)
{
    static const struct {
        const char *name;
        struct rgb color;
    } known[] = {
        {"person", {0xff, 0x5a, 0x5f}},        {"face", {0xff, 0x8a, 0x8d}},
        {"head", {0xff, 0x8a, 0x8d}},          {"bicycle", {0x22, 0xd3, 0xee}},
        {"motorcycle", {0xa7, 0x8b, 0xfa}},    {"motorbike", {0xa7, 0x8b, 0xfa}},
        {"car", {0x3b, 0x9c, 0xff}},           {"van", {0x7c, 0xb8, 0xff}},
        {"truck", {0xfb, 0x92, 0x3c}},         {"bus", {0xfa, 0xcc, 0x15}},
        {"train", {0x94, 0xa3, 0xb8}},         {"boat", {0x2d, 0xd4, 0xbf}},
        {"airplane", {0xc4, 0xb5, 0xfd}},      {"aeroplane", {0xc4, 0xb5, 0xfd}},
        {"traffic light", {0xf4, 0x3f, 0x9e}}, {"stop sign", {0xef, 0x44, 0x44}},
        {"license plate", {0xff, 0xff, 0xff}}, {"bird", {0xbe, 0xf2, 0x64}},
        {"cat", {0xa3, 0xe6, 0x35}},           {"dog", {0x4a, 0xde, 0x80}},
        {"horse", {0x22, 0xc5, 0x5e}},         {"sheep", {0x86, 0xef, 0xac}},
        {"cow", {0x65, 0xa3, 0x0d}},           {"bear", {0x15, 0x9a, 0x4a}},
        {"backpack", {0xd9, 0x8a, 0x2b}},      {"handbag", {0xe8, 0x79, 0xf9}},
        {"suitcase", {0xc0, 0x84, 0xfc}},      {"umbrella", {0x81, 0x8c, 0xf8}},
        {"knife", {0xff, 0x17, 0x44}},         {"fire", {0xff, 0x3d, 0x00}},
        {"smoke", {0xb0, 0xbe, 0xc5}},         {"helmet", {0xff, 0xd6, 0x0a}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, class_name) != 0)
            continue;
        *out = known[i].color;
        return true;
    }
    return false;
}

static double linear(uint8_t value)
{
    double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double luminance(struct rgb color)
{
    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b);
}

double palette_contrast(struct rgb a, struct rgb b)
{
    double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

struct rgb palette_text_on(struct rgb ground)
{
    return palette_contrast(ground, text_dark) >= palette_contrast(ground, text_light) ? text_dark
                                                                                       : text_light;
}

static uint8_t to_byte(double value)
{
    return (uint8_t)lround(fmin(fmax(value, 0), 255));
}

struct ink palette_ink(struct rgb color, const struct frame *frame)
{
    bool hd = frame->matrix == COLOR_BT709;
    double kr = hd ? 0.2126 : 0.299, kb = hd ? 0.0722 : 0.114;
    double r = color.r / 255.0, g = color.g / 255.0, b = color.b / 255.0;
    double y = kr * r + (1 - kr - kb) * g + kb * b;
    double u = (b - y) / (2 * (1 - kb)), v = (r - y) / (2 * (1 - kr));
    if (frame->full_range)
        return (struct ink){{to_byte(255 * y), to_byte(128 + 255 * u), to_byte(128 + 255 * v)}};
    return (struct ink){{to_byte(16 + 219 * y), to_byte(128 + 224 * u), to_byte(128 + 224 * v)}};
}

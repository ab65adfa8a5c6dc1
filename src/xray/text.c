#include "xray/text.h"

#include <ft2build.h>
#include <stdlib.h>
#include <string.h>
#include FT_FREETYPE_H

enum {
    FACES = 2,         /* the font, and the one for characters that it lacks */
    SLOTS = 2048,      /* a power of two */
    GLYPHS_MAX = 1024, /* beyond, the cache starts anew: names may hold any characters */
    TEXT_BYTES_MAX = 256,
    REPLACEMENT = 0xfffd,
};

static const char *const default_fonts[] = {
    "/usr/share/fonts/opentype/inter/Inter-SemiBold.otf",
    "/usr/share/fonts/truetype/inter/Inter-SemiBold.ttf",
    "/usr/share/fonts/opentype/inter/Inter-Bold.otf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
};
static const char fallback_font[] = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";

struct glyph {
    uint32_t character;
    int pixels;    /* 0 = empty slot */
    int left, top; /* of the bitmap, from the pen; up is positive */
    int advance;   /* 1/64 pixel */
    int width, height;
    uint8_t *coverage;
};

struct text {
    FT_Library library;
    FT_Face faces[FACES]; /* the second may be NULL */
    int face_pixels[FACES];
    struct glyph slots[SLOTS];
    int count;
};

static void forget_glyphs(struct text *text)
{
    for (int i = 0; i < SLOTS; i++)
        free(text->slots[i].coverage);
    memset(text->slots, 0, sizeof text->slots);
    text->count = 0;
}

static int open_font(struct text *text, const char *font, struct reason *why)
{
    const char *named = font ? font : getenv("OVERWATCH_FONT");
    if (named && *named) {
        if (FT_New_Face(text->library, named, 0, &text->faces[0]))
            return reason_set(why, OW_ENOTFOUND, "\"%.200s\" is not a font that can be read",
                              named);
        return OW_OK;
    }
    for (size_t i = 0; i < sizeof default_fonts / sizeof default_fonts[0]; i++)
        if (!FT_New_Face(text->library, default_fonts[i], 0, &text->faces[0]))
            return OW_OK;
    return reason_set(why, OW_ENOTFOUND,
                      "no font found; install fonts-inter or fonts-dejavu-core, or name a font "
                      "file in OVERWATCH_FONT");
}

int text_create(struct text **out, const char *font, struct reason *why)
{
    struct text *text = calloc(1, sizeof *text);
    if (!text || FT_Init_FreeType(&text->library)) {
        free(text);
        return reason_set(why, OW_ENOMEM, "out of memory");
    }
    int rc = open_font(text, font, why);
    if (rc == OW_OK && !FT_IS_SCALABLE(text->faces[0]))
        rc = reason_set(why, OW_ENOTFOUND, "the font has fixed sizes; an outline font is needed");
    if (rc < 0) {
        text_destroy(&text);
        return rc;
    }
    if (FT_New_Face(text->library, fallback_font, 0, &text->faces[1]))
        text->faces[1] = NULL;
    *out = text;
    return OW_OK;
}

void text_destroy(struct text **text)
{
    struct text *t = *text;
    *text = NULL;
    if (!t)
        return;
    forget_glyphs(t);
    for (int i = 0; i < FACES; i++)
        if (t->faces[i])
            FT_Done_Face(t->faces[i]);
    FT_Done_FreeType(t->library);
    free(t);
}

static int clamp_pixels(int pixels)
{
    return pixels < TEXT_PIXELS_MIN   ? TEXT_PIXELS_MIN
           : pixels > TEXT_PIXELS_MAX ? TEXT_PIXELS_MAX
                                      : pixels;
}

/* Copies FreeType's picture of the glyph, if it has one (a blank has none). */
static void take_bitmap(struct glyph *glyph, const FT_GlyphSlot slot)
{
    const FT_Bitmap *bitmap = &slot->bitmap;
    size_t width = bitmap->width, height = bitmap->rows;
    if (!width || !height || bitmap->pixel_mode != FT_PIXEL_MODE_GRAY || bitmap->pitch <= 0)
        return;
    glyph->coverage = malloc(width * height);
    if (!glyph->coverage)
        return;
    for (size_t y = 0; y < height; y++)
        memcpy(glyph->coverage + y * width, bitmap->buffer + y * (size_t)bitmap->pitch, width);
    glyph->left = slot->bitmap_left;
    glyph->top = slot->bitmap_top;
    glyph->width = (int)width;
    glyph->height = (int)height;
}

static void render(struct text *text, struct glyph *glyph)
{
    int which = 0;
    if (!FT_Get_Char_Index(text->faces[0], glyph->character) && text->faces[1] &&
        FT_Get_Char_Index(text->faces[1], glyph->character))
        which = 1;
    FT_Face face = text->faces[which];
    if (text->face_pixels[which] != glyph->pixels) {
        if (FT_Set_Pixel_Sizes(face, 0, (FT_UInt)glyph->pixels))
            return;
        text->face_pixels[which] = glyph->pixels;
    }
    if (FT_Load_Char(face, glyph->character, FT_LOAD_RENDER | FT_LOAD_TARGET_LIGHT))
        return;
    glyph->advance = (int)face->glyph->advance.x;
    take_bitmap(glyph, face->glyph);
}

static const struct glyph *find_glyph(struct text *text, uint32_t character, int pixels)
{
    uint32_t at = (character * 2654435761u ^ (uint32_t)pixels * 40503u) & (SLOTS - 1);
    while (text->slots[at].pixels) {
        if (text->slots[at].character == character && text->slots[at].pixels == pixels)
            return &text->slots[at];
        at = (at + 1) & (SLOTS - 1);
    }
    if (text->count == GLYPHS_MAX) {
        forget_glyphs(text);
        return find_glyph(text, character, pixels);
    }
    struct glyph *glyph = &text->slots[at];
    glyph->character = character;
    glyph->pixels = pixels;
    text->count++;
    render(text, glyph);
    return glyph;
}

/* The next character; *at moves behind it. RFC 3629; overlong forms, surrogates and stray bytes
 * read as U+FFFD, one byte at a time. 0 at the end. */
static uint32_t next_character(const char **at)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *c = (const unsigned char *)*at;
    if (!*c)
        return 0;
    *at += 1;
    if (*c < 0x80)
        return *c < 0x20 || *c == 0x7f ? ' ' : *c;
    int more = *c >= 0xf0 && *c < 0xf8 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
    if (!more || *c >= 0xf8)
        return REPLACEMENT;
    uint32_t value = *c & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return REPLACEMENT;
        value = value << 6 | (c[i] & 0x3fu);
    }
    if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return REPLACEMENT;
    *at += more;
    return value;
}

static int digit_advance(struct text *text, int pixels)
{
    int widest = 0;
    for (uint32_t digit = '0'; digit <= '9'; digit++) {
        int advance = find_glyph(text, digit, pixels)->advance;
        widest = advance > widest ? advance : widest;
    }
    return widest;
}

/* Walks the line from `pen` (1/64 pixel); draws when `frame` is given. Returns the pen behind it.
 */
static int walk(struct text *text, struct frame *frame, int pen, int y, int pixels,
                const char *utf8, struct ink ink, int alpha)
{
    int digits = digit_advance(text, pixels);
    const char *end = utf8 + TEXT_BYTES_MAX;
    uint32_t character;
    while (utf8 < end && (character = next_character(&utf8)) != 0) {
        const struct glyph *glyph = find_glyph(text, character, pixels);
        int advance = character >= '0' && character <= '9' ? digits : glyph->advance;
        if (frame && glyph->coverage) {
            const struct mask mask = {glyph->coverage, glyph->width, glyph->height};
            int x = (pen + (advance - glyph->advance) / 2 + 32) >> 6;
            canvas_mask(frame, x + glyph->left, y - glyph->top, &mask, ink, alpha);
        }
        pen += advance;
    }
    return pen;
}

struct text_heights text_heights(struct text *text, int pixels)
{
    pixels = clamp_pixels(pixels);
    const struct glyph *capital = find_glyph(text, 'H', pixels);
    int above = capital->top;
    const struct glyph *hanging = find_glyph(text, 'g', pixels);
    return (struct text_heights){above, hanging->height - hanging->top};
}

int text_width(struct text *text, int pixels, const char *utf8)
{
    return (walk(text, NULL, 0, 0, clamp_pixels(pixels), utf8, (struct ink){{0}}, 0) + 63) >> 6;
}

int text_draw(struct text *text, struct frame *frame, int x, int y, int pixels, const char *utf8,
              struct ink ink, int alpha)
{
    return (walk(text, frame, x * 64, y, clamp_pixels(pixels), utf8, ink, alpha) + 63) >> 6;
}

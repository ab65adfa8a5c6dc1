#include "core/text_cut.h"

#include <string.h>

size_t text_fitting(const char *text, size_t most)
{
    size_t size = strnlen(text, most + 1);
    if (size <= most)
        return size;
    for (size = most; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80; size--) {
    }
    return size;
}

void text_cut(char *out, size_t room, const char *text)
{
    size_t size = text ? text_fitting(text, room - 1) : 0;
    if (size > 0)
        memcpy(out, text, size);
    out[size] = '\0';
}

/* The bytes of the character that the text begins with, 0 when it is none. */
static size_t character_size(const unsigned char *text)
{
    /* By the first byte: how many there are, and what the second may be. */
    static const struct {
        unsigned char from, to, size, low, high;
    } forms[] = {
        {0x01, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].from || text[0] > forms[i].to)
            continue;
        if (forms[i].size > 1 && (text[1] < forms[i].low || text[1] > forms[i].high))
            return 0;
        for (size_t at = 2; at < forms[i].size; at++)
            if ((text[at] & 0xc0) != 0x80)
                return 0;
        return forms[i].size;
    }
    return 0;
}

void text_mend(char *text)
{
    char *out = text;
    for (const char *at = text; *at;) {
        size_t size = character_size((const unsigned char *)at);
        if (size == 0) {
            *out++ = '?';
            do
                at++;
            while (((unsigned char)*at & 0xc0) == 0x80);
            continue;
        }
        memmove(out, at, size);
        out += size;
        at += size;
    }
    *out = '\0';
}

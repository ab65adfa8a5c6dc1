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

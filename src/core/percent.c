#include "core/percent.h"

#include <string.h>

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           strchr("-._~", c);
}

bool percent_encode(const char *text, const char *plain, char *out, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        bool stays = is_unreserved(*text) || strchr(plain, *text);
        if (at + (stays ? 1 : 3) >= room)
            return false;
        out[at++] = stays ? *text : '%';
        if (stays)
            continue;
        out[at++] = digits[byte >> 4];
        out[at++] = digits[byte & 15];
    }
    if (at >= room)
        return false;
    out[at] = '\0';
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int percent_byte(const char *text, size_t size)
{
    if (size < 3 || text[0] != '%')
        return -1;
    int high = hex_value(text[1]), low = hex_value(text[2]);
    return high < 0 || low < 0 || (high == 0 && low == 0) ? -1 : high << 4 | low;
}

#include "rtc/sdp_text.h"

#include <string.h>
#include <strings.h>

struct span span_next(struct span *rest, char separator)
{
    while (separator == ' ' && rest->size > 0 && rest->text[0] == ' ') {
        rest->text++;
        rest->size--;
    }
    if (rest->size == 0)
        return (struct span){0};
    const char *end = memchr(rest->text, separator, rest->size);
    size_t size = end ? (size_t)(end - rest->text) : rest->size;
    size_t consumed = end ? size + 1 : size;
    struct span found = {rest->text, size};
    rest->text += consumed;
    rest->size -= consumed;
    return found;
}

struct span span_next_line(struct span *rest)
{
    struct span line = span_next(rest, '\n');
    if (line.size > 0 && line.text[line.size - 1] == '\r')
        line.size--;
    return line;
}

struct span span_trim(struct span s)
{
    while (s.size > 0 && (s.text[0] == ' ' || s.text[0] == '\t')) {
        s.text++;
        s.size--;
    }
    while (s.size > 0 && (s.text[s.size - 1] == ' ' || s.text[s.size - 1] == '\t'))
        s.size--;
    return s;
}

bool span_is(struct span s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.text ? s.text : "", text, s.size) == 0;
}

bool span_is_nocase(struct span s, const char *text)
{
    return s.size == strlen(text) && strncasecmp(s.text ? s.text : "", text, s.size) == 0;
}

bool span_equal(struct span a, struct span b)
{
    return a.text && b.text && a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

bool span_number(struct span s, uint32_t max, uint32_t *out)
{
    uint64_t value = 0;
    if (s.size == 0 || s.size > 10)
        return false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.text[i] < '0' || s.text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(s.text[i] - '0');
    }
    if (value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

bool span_copy(struct span s, char *out, size_t capacity)
{
    if (s.size == 0 || s.size >= capacity)
        return false;
    for (size_t i = 0; i < s.size; i++)
        if (s.text[i] <= ' ' || s.text[i] > '~')
            return false;
    memcpy(out, s.text, s.size);
    out[s.size] = '\0';
    return true;
}

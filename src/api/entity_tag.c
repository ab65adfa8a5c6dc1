#include "api/entity_tag.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a of 64 bits: tells versions apart that came about without intent. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

void entity_tag_of(const json_t *document, char out[ENTITY_TAG_BYTES])
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    out[0] = '\0';
    if (text)
        snprintf(out, ENTITY_TAG_BYTES, "\"%016" PRIx64 "\"", hash_of(text));
    free(text);
}

bool entity_tag_listed(const char *list, const char *tag)
{
    size_t size = strlen(tag);
    while (*list) {
        list += strspn(list, ", \t");
        size_t item = strcspn(list, ", \t");
        if (item == size && item > 0 && memcmp(list, tag, size) == 0)
            return true;
        list += item;
    }
    return false;
}

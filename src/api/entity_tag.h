/* Entity tags (RFC 9110, 8.8.3): which version of a kept document somebody has seen. */
#ifndef OW_API_ENTITY_TAG_H
#define OW_API_ENTITY_TAG_H

#include <jansson.h>
#include <stdbool.h>

enum { ENTITY_TAG_BYTES = 24 };

/* With its quotes; the same for documents that are equal, whatever the order of their members. ""
 * when out of memory. */
void entity_tag_of(const json_t *document, char out[ENTITY_TAG_BYTES]);

/* Is the tag in the list of an If-Match (13.1.1)? Weak ones equal nothing there. */
bool entity_tag_listed(const char *list, const char *tag);

#endif

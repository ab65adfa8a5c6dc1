/* Texts for people, of any length, into a fixed room. */
#ifndef OW_CORE_TEXT_CUT_H
#define OW_CORE_TEXT_CUT_H

#include <stddef.h>

/* The bytes of a UTF-8 text that fit into `most`, cut between characters, never inside one. */
size_t text_fitting(const char *text, size_t most);
/* Copies what fits into `room` bytes, the 0 at the end among them. NULL counts as "". */
void text_cut(char *out, size_t room, const char *text);
/* Puts ? for all that is not UTF-8 (RFC 3629), in place: for characters that were cut, and names of
 * files, which may be any bytes. */
void text_mend(char *text);

#endif

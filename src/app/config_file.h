/* A configuration file: lines of "name = value", named like the flags; # begins a comment line. */
#ifndef OW_APP_CONFIG_FILE_H
#define OW_APP_CONFIG_FILE_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { CONFIG_FILE_MAX_BYTES = 64 * 1024 };

struct config_line {
    int number;         /* of the line, from 1 */
    char *name, *value; /* both in the text, ended by NULs */
};

/* Reads the whole file into *text, to be freed. *open_to_others: may others on this machine read
 * it? */
int config_file_load(const char *path, char **text, bool *open_to_others, struct reason *why);

/* The next line that says something; moves *at and overwrites parts of the text. `out` is zeroed
 * before the first call. OW_ENOTFOUND at the end, OW_EPARSE with the line's number set. Blanks
 * around name and value are dropped, and one pair of double quotes around a value. */
int config_file_next(char **at, struct config_line *out);

#endif

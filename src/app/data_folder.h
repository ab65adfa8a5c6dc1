/* Where the program keeps what outlives it. */
#ifndef OW_APP_DATA_FOLDER_H
#define OW_APP_DATA_FOLDER_H

#include "store/store.h"

enum { DATA_FOLDER_BYTES = 512 };

/* The folder as given, or $XDG_DATA_HOME/overwatch, or ~/.local/share/overwatch (NULL), made for
 * its owner alone if it is not there. */
int data_folder_find(const char *given, char out[DATA_FOLDER_BYTES], struct reason *why);

/* Opens the store in that folder; "none" = nothing is kept. */
int data_folder_open(struct store **out, const char *folder, struct reason *why);

/* The path of a folder in it ("uploads"); "" when nothing is kept. */
int data_folder_within(const char *folder, const char *name, char out[DATA_FOLDER_BYTES],
                       struct reason *why);

#endif

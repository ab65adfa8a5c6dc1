/* Where the program keeps what outlives it. */
#ifndef OW_APP_DATA_FOLDER_H
#define OW_APP_DATA_FOLDER_H

#include "store/store.h"

/* Opens the store in the folder, which is made if it is not there. NULL = $XDG_DATA_HOME/overwatch
 * or
 * ~/.local/share/overwatch; "none" = nothing is kept. */
int data_folder_open(struct store **out, const char *folder, struct reason *why);

/* For the runtime; `store` is a struct store *: the address of a saved camera, its user's name and
 * password put in. OW_ENOTFOUND, OW_ESTATE when it is switched off. */
int data_folder_camera_address(void *store, const char *id, char *url, size_t capacity,
                               struct reason *why);

#endif

/* What is installed: the models and the videos that workflows may name. */
#ifndef OW_WORKFLOW_LIBRARY_H
#define OW_WORKFLOW_LIBRARY_H

#include "core/error.h"

#include <jansson.h>
#include <stdbool.h>

/* The ONNX files of the model folder and of the folders in it, and those that were uploaded (NULL =
 * none), by name: [{"id", "name", "file", "size_bytes", "default"}]; ids are as modelId takes them.
 */
json_t *library_models(const char *folder, const char *upload_folder, const char *default_model);
/* The file of an id of that list: no path leads out of the folders. `path` has NODE_PATH_BYTES.
 * OW_ENOTFOUND. */
int library_model_path(const char *folder, const char *upload_folder, const char *id, char *path,
                       struct reason *why);
/* The video files of the media folder and of the folders in it, and those that were uploaded (NULL
 * = none), by name: [{"name", "bytes"}]; names are as videoPath takes them. */
json_t *library_videos(const char *folder, const char *upload_folder);
/* Does a file name end like a video's, a model's? */
bool library_is_video(const char *name);
bool library_is_model(const char *name);
/* The classes that a model knows: {"model", "task", "family", "input_width", "input_height",
 * "classes": [{"id", "name"}]}. `id` is one of library_models(), or NULL for the default. Opens the
 * model. OW_ENOTFOUND, or why it cannot be opened. */
int library_model_classes(const char *folder, const char *upload_folder, const char *default_model,
                          const char *id, json_t **out, struct reason *why);

#endif

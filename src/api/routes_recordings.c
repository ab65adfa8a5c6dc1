/* /api/recordings and the recording of a view. */
#include "api/api_internal.h"
#include "net/http_files.h"

#include <string.h>

static const char no_folder[] = "Nothing is recorded here: the server has no --data-folder and no "
                                "--recordings-folder, or --max-recordings-mb is 0.";

void api_view_recording(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    json_t *body = api_read_body(exchange, false);
    if (!body)
        return;
    const json_t *wanted = json_object_get(body, "recording");
    struct view *view =
        runtime_find_view(api->runtime, http_param(http_exchange_request(exchange), "node_id"));
    if (!view)
        http_reply_error(exchange, 404, "There is no view with this id.");
    else if (!json_is_boolean(wanted))
        http_reply_error(exchange, 400, "recording must be true or false.");
    else if (view_record(view, json_is_true(wanted)) != OW_OK)
        http_reply_error(exchange, 409, no_folder);
    else
        api_reply_json(exchange, 200, view_describe(view));
    view_unref(&view);
    json_decref(body);
}

void api_recordings_list(void *context, struct http_exchange *exchange)
{
    struct runtime *runtime = ((struct api *)context)->runtime;
    const struct record_folder *folder = runtime_recordings(runtime);
    json_t *list = runtime_list_recordings(runtime);
    api_reply_json(exchange, 200,
                   json_pack("{s:I, s:o, s:I}", "total", (json_int_t)json_array_size(list),
                             "recordings", list, "max_bytes",
                             folder ? (json_int_t)record_folder_max_bytes(folder) : 0));
}

static void reply_unknown(struct http_exchange *exchange)
{
    http_reply_error(exchange, 404, "There is no recording of this name.");
}

void api_recording_read(void *context, struct http_exchange *exchange)
{
    struct record_folder *folder = runtime_recordings(((struct api *)context)->runtime);
    const char *file = http_param(http_exchange_request(exchange), "file");
    char path[RECORD_PATH_BYTES];
    if (!folder || record_folder_path(folder, file, path) != OW_OK ||
        http_files_reply_path(exchange, path, record_folder_is_open(folder, file)) != OW_OK)
        reply_unknown(exchange);
}

/* By the name of either of its files, or without an ending. */
void api_recording_remove(void *context, struct http_exchange *exchange)
{
    struct record_folder *folder = runtime_recordings(((struct api *)context)->runtime);
    const char *given = http_param(http_exchange_request(exchange), "file");
    char name[RECORD_NAME_BYTES] = "";
    struct reason why = {""};
    size_t size = strcspn(given, ".");
    if (size < sizeof name)
        memcpy(name, given, size);
    int rc = folder ? record_folder_remove(folder, name, &why) : OW_ENOTFOUND;
    if (rc == OW_OK)
        api_reply_json(exchange, 200, json_pack("{s:s}", "status", "deleted"));
    else if (rc == OW_ENOTFOUND)
        reply_unknown(exchange);
    else
        api_reply_failure(exchange, rc, &why);
}

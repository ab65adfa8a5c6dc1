/* Running workflows. Any thread may call; calls that start, change and stop workflows are
 * serialised and may take as long as it takes to stop a source (2 s). Models load in threads of
 * their own. */
#ifndef OW_WORKFLOW_RUNTIME_H
#define OW_WORKFLOW_RUNTIME_H

#include "core/detections.h"
#include "core/error.h"
#include "workflow/view.h"

#include <jansson.h>

struct runtime;
struct sink_settings; /* workflow/node_types.h */

/* What the names of uploaded videos begin with in a workflow. */
#define UPLOAD_PREFIX "uploads/"

/* What nodes tell, beside pictures. Called on their threads; must be quick. */
struct runtime_outputs {
    void *context;
    /* Has anybody asked for the detections of this node? Then its model works. */
    bool (*wants_detections)(void *context, const char *workflow_id, const char *node_id);
    /* A result that passed at a model, a filter or a data preview, and what the zones counted that
     * it came through, and where these are (zone_describe(), zone_describe_place(); NULL = none);
     * lent. */
    void (*detections)(void *context, const char *workflow_id, const char *node_id,
                       const struct detections *detections, json_t *zones, const json_t *places);
    /* A result for the MQTT broker; `sink` says how; both lent. */
    void (*publish)(void *context, const struct sink_settings *sink, const char *workflow_id,
                    const char *node_id, const struct detections *detections, json_t *zones);
    /* "debug_message", "zone_event", "node_error"; the message has workflow_id and node_id, and is
     * lent. */
    void (*event)(void *context, const char *topic, const json_t *message);
};

struct runtime_settings {
    struct view_outputs outputs;
    struct runtime_outputs node_outputs; /* functions may be NULL */
    int model_threads;                   /* 0 = by the number of cores */
    const char *execution_providers;     /* see struct model_options; NULL = any */
    const char *model_folder;            /* where a bare modelId or modelName is looked for */
    const char *default_model;           /* file used when a model node names none */
    const char *media_folder;            /* where relative video paths are looked for */
    const char *upload_folder;           /* where "uploads/…" lies; NULL = there are none */
    const char *recordings_folder;       /* where recordings are kept; NULL = nothing is recorded */
    uint64_t max_recordings_bytes;       /* of all of them */
    int max_workflows;                   /* that run at a time; 0 = 64 */
    const char *h264_backend;            /* NULL = the best there is */
    /* The address, with credentials, of a saved camera. OW_ENOTFOUND. NULL = there are none. */
    int (*camera_address)(void *context, const char *camera_id, char *url, size_t capacity,
                          struct reason *why);
    void *camera_context;
};

/* OW_EIO with a sentence when the folder for recordings cannot be made. */
int runtime_create(struct runtime **out, const struct runtime_settings *settings,
                   struct reason *why);

/* Who wrote a workflow decides what it may open. */
enum runtime_origin {
    RUNTIME_TRUSTED, /* whoever started the program: anything */
    RUNTIME_REMOTE,  /* the API: files of the media, upload and model folders, network addresses,
                        local cameras, the test pattern */
};

/* Validates and starts a workflow. *report as graph_parse() makes it, always set. OW_EPARSE when
 * invalid, OW_EEXISTS when a workflow or a view with an id of its own is running already, OW_EAUTH
 * when it names what it may not open (why). */
int runtime_execute(struct runtime *runtime, json_t *workflow, enum runtime_origin origin,
                    json_t **report, struct reason *why);
/* Starts it, or changes the running one of its id: what is the same goes on untouched, settings
 * follow without a restart where they can, and views keep their viewers. A failure changes nothing.
 * *changes is [{"node_id", "change"}]: "kept", "updated", "restarted", "added", "removed". */
int runtime_apply(struct runtime *runtime, json_t *workflow, enum runtime_origin origin,
                  json_t **report, json_t **changes, struct reason *why);
/* What runtime_apply() would do. What is wrong stands in the report; then *changes is empty. */
int runtime_preview(struct runtime *runtime, json_t *workflow, enum runtime_origin origin,
                    json_t **report, json_t **changes);
/* Whether runtime_set_node() would be refused: its errors. */
int runtime_check_node(struct runtime *runtime, const char *workflow_id, const char *node_id,
                       const json_t *data, struct reason *why);
/* Changes settings of one node: `data` is merged into its own. *document (the whole workflow) and
 * *change ({"node_id", "change"}) are new references. OW_ENOTFOUND; OW_EINVAL names the setting. */
int runtime_set_node(struct runtime *runtime, const char *workflow_id, const char *node_id,
                     const json_t *data, json_t **document, json_t **change, struct reason *why);
/* OW_ENOTFOUND. */
int runtime_stop(struct runtime *runtime, const char *workflow_id);
void runtime_stop_all(struct runtime *runtime);

bool runtime_is_running(struct runtime *runtime, const char *workflow_id);
/* The running workflow as it was given, a deep copy; NULL when it does not run. */
json_t *runtime_document(struct runtime *runtime, const char *workflow_id);
/* {"running_workflows": n, "workflow_ids": […]} */
json_t *runtime_status(struct runtime *runtime);
/* {"workflow_id", "name", "running": true, "nodes": {id: {type, state, fps, …}}}; NULL when not
 * running. */
json_t *runtime_workflow_status(struct runtime *runtime, const char *workflow_id);
/* Tells node_error events of what has failed or recovered since the last call; to be called some
 * times a second, by one thread. */
void runtime_tell_errors(struct runtime *runtime);

/* A new reference, or NULL. */
struct view *runtime_find_view(struct runtime *runtime, const char *node_id);
/* New references of at most `max` views; returns how many were written. */
int runtime_views(struct runtime *runtime, struct view **out, int max);
/* The latest picture of a source node as JPEG, `width` wide (0 = its own). OW_ENOTFOUND, OW_EAGAIN
 * before the first picture. */
int runtime_source_picture(struct runtime *runtime, const char *node_id, int width,
                           struct encoded **out);

/* Does a node of this id run whose detections can be listened to? */
bool runtime_gives_detections(struct runtime *runtime, const char *node_id);
/* Is this file of the upload folder open, as a source or as a model? */
bool runtime_has_upload_open(struct runtime *runtime, const char *file);

/* The models that workflows can name, by name: [{"id", "name", "file", "size_bytes", "default"}]
 * with what model_catalogue_describe() finds; NULL when out of memory. Takes as long as that. */
json_t *runtime_models(struct runtime *runtime);
/* The same of one file, by its path; `error` in it is OW_EUNSUPPORTED with that sentence. */
int runtime_describe_model(struct runtime *runtime, const char *path, json_t **out,
                           struct reason *why);

/* Where recordings are kept, lent for the runtime's life; NULL = nowhere. */
struct record_folder *runtime_recordings(struct runtime *runtime);
/* recording_list_describe() of these; empty where nothing is kept. */
json_t *runtime_list_recordings(struct runtime *runtime);

void runtime_destroy(struct runtime **runtime); /* stops everything */

#endif

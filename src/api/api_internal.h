/* What the files of the api room share. */
#ifndef OW_API_INTERNAL_H
#define OW_API_INTERNAL_H

#include "api/api.h"
#include "api/json_body.h"
#include "api/saved_workflows.h"
#include "api/uploads.h"
#include "api/whep_sessions.h"
#include "api/ws_hub.h"

#include <stdatomic.h>

enum { API_MAX_VIEWS = 64 };

struct api {
    struct api_settings settings; /* its texts are copies */
    struct media_server *media;
    struct runtime *runtime; /* set by api_start() */
    struct http_server *http;
    struct ws_hub *hub;
    struct saved_workflows saved; /* from api_start() on */
    struct uploads uploads;       /* from api_start() on */
    struct whep_sessions whep;    /* of the HTTP thread */
    int64_t started_us;
    atomic_bool stopping; /* calls that wait for something are to end */
};

/* Takes the reference of `json`; answers with it, or 503 when it is NULL. */
void api_reply_json(struct http_exchange *exchange, int status, json_t *json);
/* {"detail": …} with the status that fits the code. */
void api_reply_failure(struct http_exchange *exchange, int code, const struct reason *why);
/* Parses the body of a request; answers 400 itself and returns NULL when it is not JSON. */
json_t *api_read_body(struct http_exchange *exchange, bool may_be_empty);

/* Is the Content-Type this one, whatever parameters it has? */
bool api_is_type(const char *content_type, const char *type);

/* routes_login.c */
void api_page_login(void *context, struct http_exchange *exchange);
void api_login(void *context, struct http_exchange *exchange);
void api_logout(void *context, struct http_exchange *exchange);

/* routes_metrics.c */
void api_metrics(void *context, struct http_exchange *exchange);

/* routes_webrtc.c */
/* All viewers, to be freed; *count is set. NULL when out of memory. */
struct media_viewer_info *api_viewers(struct api *api, int *count);
/* media_server_offer() with its lines in the log. */
int api_take_offer(struct api *api, const struct http_request *request, const char *node_id,
                   const char *sdp, size_t size, struct media_answer *out, struct reason *why);
void api_webrtc_offer(void *context, struct http_exchange *exchange);
void api_webrtc_stats(void *context, struct http_exchange *exchange);
void api_webrtc_close(void *context, struct http_exchange *exchange);
void api_webrtc_cleanup(void *context, struct http_exchange *exchange);
void api_webrtc_config(void *context, struct http_exchange *exchange);
/* What a page needs to know to connect; a new reference, NULL when out of memory. */
json_t *api_describe_webrtc(struct api *api);
void api_webrtc_session(void *context, struct http_exchange *exchange);
void api_webrtc_trickle(void *context, struct http_exchange *exchange);

/* routes_whep.c */
void api_whep_offer(void *context, struct http_exchange *exchange);
void api_whep_options(void *context, struct http_exchange *exchange);
void api_whep_trickle(void *context, struct http_exchange *exchange);
void api_whep_delete(void *context, struct http_exchange *exchange);

/* routes_workflow.c */
void api_workflow_performance(void *context, struct http_exchange *exchange);
void api_workflow_performance_reset(void *context, struct http_exchange *exchange);
void api_workflow_status_all(void *context, struct http_exchange *exchange);
void api_workflow_status(void *context, struct http_exchange *exchange);
void api_workflow_execute(void *context, struct http_exchange *exchange);
void api_workflow_stop(void *context, struct http_exchange *exchange);
void api_workflow_stop_all(void *context, struct http_exchange *exchange);

/* 400 with what is wrong with a workflow, in the shape that the page knows; `why` when the report
 * has no errors. */
void api_reply_invalid(struct http_exchange *exchange, const json_t *report, const char *why);

/* routes_saved.c */
void api_saved_list(void *context, struct http_exchange *exchange);
void api_saved_read(void *context, struct http_exchange *exchange);
void api_saved_add(void *context, struct http_exchange *exchange);
void api_saved_replace(void *context, struct http_exchange *exchange);
void api_saved_set_node(void *context, struct http_exchange *exchange);
void api_saved_remove(void *context, struct http_exchange *exchange);
void api_saved_execute(void *context, struct http_exchange *exchange);
void api_saved_deploy(void *context, struct http_exchange *exchange);
void api_saved_preview(void *context, struct http_exchange *exchange);
void api_saved_validate(void *context, struct http_exchange *exchange);
void api_saved_export(void *context, struct http_exchange *exchange);
void api_saved_import(void *context, struct http_exchange *exchange);

/* routes_cameras.c */
void api_cameras_list(void *context, struct http_exchange *exchange);
void api_camera_read(void *context, struct http_exchange *exchange);
void api_camera_add(void *context, struct http_exchange *exchange);
void api_camera_replace(void *context, struct http_exchange *exchange);
void api_camera_remove(void *context, struct http_exchange *exchange);
void api_camera_test(void *context, struct http_exchange *exchange);

/* routes_components.c */
void api_node_types(void *context, struct http_exchange *exchange);
void api_models(void *context, struct http_exchange *exchange);
void api_classes(void *context, struct http_exchange *exchange);
void api_videos(void *context, struct http_exchange *exchange);

/* routes_uploads.c */
void api_uploads_list(void *context, struct http_exchange *exchange);
void api_upload_video(void *context, struct http_exchange *exchange);
void api_upload_model(void *context, struct http_exchange *exchange);
void api_upload_remove(void *context, struct http_exchange *exchange);

/* routes_recordings.c */
void api_view_recording(void *context, struct http_exchange *exchange);
void api_recordings_list(void *context, struct http_exchange *exchange);
void api_recording_read(void *context, struct http_exchange *exchange);
void api_recording_remove(void *context, struct http_exchange *exchange);

/* routes_config.c */
void api_config(void *context, struct http_exchange *exchange);

/* routes_pages.c */
void api_views(void *context, struct http_exchange *exchange);
void api_snapshot(void *context, struct http_exchange *exchange);
void api_mjpeg(void *context, struct http_exchange *exchange);
void api_node_detections(void *context, struct http_exchange *exchange);
void api_health(void *context, struct http_exchange *exchange);
void api_page_view(void *context, struct http_exchange *exchange);
void api_page_fallback(void *context, struct http_exchange *exchange);

/* view_streams.c */
struct view_outputs api_streams_outputs(struct api *api);

#endif

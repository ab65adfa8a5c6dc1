#include "api/api.h"

#include "api/api_internal.h"
#include "core/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct http_route routes[] = {
    {HTTP_GET, "/healthz", api_health, HTTP_QUICK | HTTP_OPEN},
    {HTTP_GET, "/metrics", api_metrics, HTTP_QUICK},
    {HTTP_GET, "/login", api_page_login, HTTP_QUICK | HTTP_OPEN},
    {HTTP_POST, "/api/login", api_login, HTTP_MAY_BLOCK | HTTP_OPEN},
    {HTTP_POST, "/api/logout", api_logout, HTTP_QUICK | HTTP_OPEN},
    {HTTP_GET, "/view/{node_id}", api_page_view, HTTP_QUICK},
    {HTTP_GET, "/api/views", api_views, HTTP_QUICK},
    {HTTP_PUT, "/api/views/{node_id}/recording", api_view_recording, HTTP_QUICK},
    {HTTP_GET, "/api/recordings", api_recordings_list, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/recordings/{file}", api_recording_read, HTTP_MAY_BLOCK},
    {HTTP_DELETE, "/api/recordings/{file}", api_recording_remove, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/video/{node_id}/snapshot", api_snapshot, HTTP_QUICK},
    {HTTP_GET, "/api/video/{node_id}/mjpeg", api_mjpeg, HTTP_QUICK},
    {HTTP_GET, "/api/nodes/{node_id}/detections", api_node_detections, HTTP_QUICK},
    {HTTP_POST, "/api/webrtc/offer", api_webrtc_offer, HTTP_QUICK},
    {HTTP_GET, "/api/webrtc/stats", api_webrtc_stats, HTTP_QUICK},
    {HTTP_POST, "/api/webrtc/close/{node_id}", api_webrtc_close, HTTP_QUICK},
    {HTTP_POST, "/api/webrtc/cleanup", api_webrtc_cleanup, HTTP_QUICK},
    {HTTP_GET, "/api/webrtc/config", api_webrtc_config, HTTP_QUICK},
    {HTTP_GET, "/api/webrtc/sessions/{session_id}", api_webrtc_session, HTTP_QUICK},
    {HTTP_PATCH, "/api/webrtc/sessions/{session_id}", api_webrtc_trickle, HTTP_QUICK},
    {HTTP_POST, "/whep/{node_id}", api_whep_offer, HTTP_QUICK},
    {HTTP_OPTIONS, "/whep/{node_id}", api_whep_options, HTTP_QUICK},
    {HTTP_PATCH, "/whep/{node_id}/{session_id}", api_whep_trickle, HTTP_QUICK},
    {HTTP_DELETE, "/whep/{node_id}/{session_id}", api_whep_delete, HTTP_QUICK},
    {HTTP_GET, "/api/workflow-builder/performance", api_workflow_performance, HTTP_QUICK},
    {HTTP_POST, "/api/workflow-builder/performance/reset", api_workflow_performance_reset,
     HTTP_QUICK},
    {HTTP_GET, "/api/workflow-builder/status", api_workflow_status_all, HTTP_QUICK},
    {HTTP_POST, "/api/workflow-builder/execute", api_workflow_execute, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder/stop-all", api_workflow_stop_all, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder/{id}/stop", api_workflow_stop, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-builder/{id}/status", api_workflow_status, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder/validate", api_saved_validate, HTTP_QUICK},
    {HTTP_POST, "/api/workflow-builder/import", api_saved_import, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-builder", api_saved_list, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder", api_saved_add, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-builder/{id}", api_saved_read, HTTP_MAY_BLOCK},
    {HTTP_PUT, "/api/workflow-builder/{id}", api_saved_replace, HTTP_MAY_BLOCK},
    {HTTP_DELETE, "/api/workflow-builder/{id}", api_saved_remove, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder/{id}/execute", api_saved_execute, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder/{id}/deploy", api_saved_deploy, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/workflow-builder/{id}/preview", api_saved_preview, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-builder/{id}/export", api_saved_export, HTTP_MAY_BLOCK},
    {HTTP_PATCH, "/api/workflow-builder/{id}/nodes/{node_id}", api_saved_set_node, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-components/node-types", api_node_types, HTTP_QUICK},
    {HTTP_GET, "/api/workflow-components/models", api_models, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-components/classes", api_classes, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/workflow-components/videos", api_videos, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/uploads", api_uploads_list, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/uploads/video", api_upload_video, HTTP_STREAMS},
    {HTTP_POST, "/api/uploads/model", api_upload_model, HTTP_STREAMS},
    {HTTP_DELETE, "/api/uploads/{id}", api_upload_remove, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/config", api_config, HTTP_QUICK},
    {HTTP_GET, "/api/cameras", api_cameras_list, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/cameras", api_camera_add, HTTP_MAY_BLOCK},
    {HTTP_GET, "/api/cameras/{id}", api_camera_read, HTTP_MAY_BLOCK},
    {HTTP_PUT, "/api/cameras/{id}", api_camera_replace, HTTP_MAY_BLOCK},
    {HTTP_DELETE, "/api/cameras/{id}", api_camera_remove, HTTP_MAY_BLOCK},
    {HTTP_POST, "/api/cameras/{id}/test", api_camera_test, HTTP_MAY_BLOCK},
    {0, NULL, NULL, 0},
};

/* What the log-in page is made of: built code, the same for everybody. */
static const char *const open_paths[] = {"/assets/", "/favicon.", NULL};

/* -- WebSocket callbacks carry the api; the hub knows nothing of it -- */

static void on_opened(void *context, struct http_socket *socket)
{
    ws_hub_opened(((struct api *)context)->hub, socket);
}

static void on_message(void *context, struct http_socket *socket, const char *text, size_t size)
{
    ws_hub_message(((struct api *)context)->hub, socket, text, size);
}

static void on_closed(void *context, struct http_socket *socket)
{
    ws_hub_closed(((struct api *)context)->hub, socket);
}

static void on_tick(void *context)
{
    struct api *api = context;
    runtime_tell_errors(api->runtime);
    ws_hub_tick(api->hub);
}

static int copy_text(const char **field)
{
    if (!*field)
        return OW_OK;
    *field = strdup(*field); /* NULL without memory: nothing of others is freed */
    return *field ? OW_OK : OW_ENOMEM;
}

static void free_api(struct api *api)
{
    ws_hub_destroy(&api->hub);
    whep_sessions_free(&api->whep);
    saved_workflows_destroy(&api->saved);
    free((char *)api->settings.bind_address);
    free((char *)api->settings.web_folder);
    free((char *)api->settings.allowed_hosts);
    free((char *)api->settings.model_folder);
    free((char *)api->settings.default_model);
    free((char *)api->settings.media_folder);
    free((char *)api->settings.upload_folder);
    uploads_clear(&api->uploads);
    free(api);
}

int api_create(struct api **out, const struct api_settings *settings)
{
    if (!settings->media || !settings->store)
        return OW_EINVAL;
    struct api *api = calloc(1, sizeof *api);
    if (!api)
        return OW_ENOMEM;
    api->settings = *settings;
    if (!api->settings.bind_address)
        api->settings.bind_address = "127.0.0.1";
    api->media = settings->media;
    api->started_us = clock_now_us();
    const char **texts[] = {&api->settings.bind_address,  &api->settings.web_folder,
                            &api->settings.allowed_hosts, &api->settings.model_folder,
                            &api->settings.default_model, &api->settings.media_folder,
                            &api->settings.upload_folder};
    int rc = OW_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int copied = copy_text(texts[i]); /* each: all are freed */
        rc = rc < 0 ? rc : copied;
    }
    if (rc < 0 || ws_hub_create(&api->hub) != OW_OK) {
        free_api(api);
        return OW_ENOMEM;
    }
    *out = api;
    return OW_OK;
}

struct view_outputs api_view_outputs(struct api *api)
{
    return api_streams_outputs(api);
}

static bool on_wants_detections(void *context, const char *workflow_id, const char *node_id)
{
    return ws_hub_wants_detections(((struct api *)context)->hub, workflow_id, node_id);
}

static void on_detections(void *context, const char *workflow_id, const char *node_id,
                          const struct detections *detections, json_t *zones, const json_t *places)
{
    ws_hub_detections(((struct api *)context)->hub, workflow_id, node_id, detections, zones,
                      places);
}

static void on_event(void *context, const char *topic, const json_t *message)
{
    struct api *api = context;
    ws_hub_event(api->hub, topic, message);
    if (api->settings.mqtt.client)
        mqtt_out_event(&api->settings.mqtt, topic, message);
}

static void on_publish(void *context, const struct sink_settings *sink, const char *workflow_id,
                       const char *node_id, const struct detections *detections, json_t *zones)
{
    mqtt_out_detections(&((struct api *)context)->settings.mqtt, sink, workflow_id, node_id,
                        detections, zones);
}

struct runtime_outputs api_node_outputs(struct api *api)
{
    return (struct runtime_outputs){.context = api,
                                    .wants_detections = on_wants_detections,
                                    .detections = on_detections,
                                    .publish = api->settings.mqtt.client ? on_publish : NULL,
                                    .event = on_event};
}

int api_start(struct api *api, struct runtime *runtime, struct reason *why)
{
    api->runtime = runtime;
    ws_hub_set_runtime(api->hub, runtime);
    saved_workflows_init(&api->saved, api->settings.store, runtime);
    int rc = uploads_init(&api->uploads, api->settings.store, api->settings.upload_folder,
                          api->settings.upload_max_bytes, why);
    if (rc < 0)
        return rc;
    api->uploads.stopping = &api->stopping;
    struct http_server_settings settings = {
        .bind_address = api->settings.bind_address,
        .port = api->settings.port,
        .allowed_hosts = api->settings.allowed_hosts,
        .routes = routes,
        .fallback = api_page_fallback,
        .socket_path = "/api/ws",
        .max_connections = api->settings.max_connections,
        .max_per_address = api->settings.max_per_address,
        .auth = api->settings.auth,
        .tls_certificate = api->settings.tls_certificate,
        .tls_key = api->settings.tls_key,
        .open_paths = open_paths,
        .socket = {.opened = on_opened, .message = on_message, .closed = on_closed},
        .tick = on_tick,
        .context = api,
    };
    return http_server_start(&api->http, &settings, why);
}

void api_resume_workflows(struct api *api)
{
    saved_resume(&api->saved);
}

int api_add_example(struct api *api, json_t *workflow, struct reason *why)
{
    return saved_add_example(&api->saved, workflow, why);
}

int api_reload_tls(struct api *api, struct reason *why)
{
    return http_server_reload_tls(api->http, why);
}

uint16_t api_port(const struct api *api)
{
    return api->http ? http_server_port(api->http) : 0;
}

void api_stop(struct api *api)
{
    if (!api->http)
        return;
    atomic_store(&api->stopping, true);
    ws_hub_goodbye(api->hub);
    http_server_stop(&api->http);
}

void api_destroy(struct api **api)
{
    if (!*api)
        return;
    api_stop(*api);
    free_api(*api);
    *api = NULL;
}

/* -- answers -- */

void api_reply_json(struct http_exchange *exchange, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text)
        http_reply(exchange, status, "application/json", text, strlen(text),
                   "Cache-Control: no-store\r\n");
    else
        http_reply_error(exchange, 503, "Out of memory.");
    free(text);
}

void api_reply_failure(struct http_exchange *exchange, int code, const struct reason *why)
{
    static const struct {
        int code, status;
    } table[] = {
        {OW_ENOTFOUND, 404}, {OW_EEXISTS, 409}, {OW_ELIMIT, 429},   {OW_EPARSE, 400},
        {OW_EINVAL, 400},    {OW_EAUTH, 403},   {OW_ESTATE, 409},   {OW_EUNSUPPORTED, 415},
        {OW_ENOMEM, 503},    {OW_ECLOSED, 503}, {OW_ETIMEOUT, 504}, {OW_ETOOLARGE, 413},
        {OW_ECHANGED, 412},
    };
    int status = 500;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == code)
            status = table[i].status;
    http_reply_error(exchange, status, why && why->text[0] ? why->text : error_text(code));
}

bool api_is_type(const char *content_type, const char *type)
{
    size_t size = strlen(type);
    return strncasecmp(content_type, type, size) == 0 &&
           (content_type[size] == '\0' || strchr("; \t", content_type[size]));
}

json_t *api_read_body(struct http_exchange *exchange, bool may_be_empty)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct reason why = {""};
    json_t *body = NULL;
    int rc = json_body_parse(&body, request->body, request->body_size, may_be_empty, &why);
    if (rc == OW_OK)
        return body;
    api_reply_failure(exchange, rc, &why);
    return NULL;
}

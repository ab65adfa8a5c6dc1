/* /metrics: what the server does, for Prometheus and what reads its format. */
#include "api/api_internal.h"
#include "api/metrics_text.h"
#include "core/clock.h"
#include "core/perf.h"
#include "net/http_auth.h"
#include "record/record_folder.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct views {
    struct view_info *infos;
    int count;
};

/* -- the process -- */

static double open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

static double resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void gauge(struct metrics_text *text, const char *name, const char *help, double value)
{
    metrics_family(text, name, "gauge", help);
    metrics_sample(text, "", NULL, value);
}

static void counter(struct metrics_text *text, const char *name, const char *help, double value)
{
    metrics_family(text, name, "counter", help);
    metrics_sample(text, "", NULL, value);
}

static void write_process(struct metrics_text *text, const struct api *api)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    double up_s = (double)(clock_now_us() - api->started_us) / 1e6;
    const struct metrics_label version[] = {
        {"version", api->settings.version ? api->settings.version : ""}, {NULL, NULL}};
    metrics_family(text, "overwatch_build_info", "gauge", "The version that runs; always 1.");
    metrics_sample(text, "", version, 1);
    counter(text, "process_cpu_seconds_total", "CPU time of the process.",
            seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
    gauge(text, "process_resident_memory_bytes", "Memory that is resident.", resident_bytes());
    gauge(text, "process_open_fds", "Open file descriptors.", open_files());
    gauge(text, "process_start_time_seconds", "When the server started, since 1970.",
          (double)clock_wall_us() / 1e6 - up_s);
}

/* -- the way of a frame -- */

static void write_stages(struct metrics_text *text)
{
    metrics_family(text, "overwatch_stage_duration_seconds", "histogram",
                   "How long a stage takes for a frame; glass_to_encoder is from capture to "
                   "encoded.");
    for (int i = 0; i < PERF_OPERATION_COUNT; i++) {
        const char *stage = perf_operation_name((enum perf_operation)i);
        const struct metrics_label alone[] = {{"stage", stage}, {NULL, NULL}};
        struct perf_histogram histogram;
        perf_read_histogram((enum perf_operation)i, &histogram);
        for (int k = 0; k < PERF_BUCKETS; k++) {
            char bound[32] = "+Inf";
            if (k < PERF_BUCKETS - 1)
                snprintf(bound, sizeof bound, "%g", perf_bucket_ms[k] / 1000);
            const struct metrics_label labels[] = {{"stage", stage}, {"le", bound}, {NULL, NULL}};
            metrics_sample(text, "_bucket", labels, (double)histogram.counts[k]);
        }
        metrics_sample(text, "_sum", alone, histogram.sum_ms / 1000);
        metrics_sample(text, "_count", alone, (double)histogram.counts[PERF_BUCKETS - 1]);
    }
}

/* -- views, sources, models: a table of families each -- */

struct family {
    const char *name, *type, *help;
    double (*value)(const struct view_info *info);
};

static double view_fps(const struct view_info *info)
{
    return info->fps;
}
static double view_frames(const struct view_info *info)
{
    return (double)info->frames;
}
static double view_dropped(const struct view_info *info)
{
    return (double)info->dropped;
}
static double view_latency(const struct view_info *info)
{
    return info->processing_ms / 1000;
}
static double view_target(const struct view_info *info)
{
    return info->target_bps / 8.0;
}
static double view_detections(const struct view_info *info)
{
    return info->detections;
}
static double view_failed(const struct view_info *info)
{
    return info->error[0] != '\0';
}
static double source_fps(const struct view_info *info)
{
    return info->source.fps;
}
static double source_frames(const struct view_info *info)
{
    return (double)info->source.frames;
}
static double source_reopened(const struct view_info *info)
{
    return (double)info->source.reopened;
}
static double model_fps(const struct view_info *info)
{
    return info->model_fps;
}
static double model_seconds(const struct view_info *info)
{
    return info->model_ms / 1000;
}
static double model_failed(const struct view_info *info)
{
    return info->model_error[0] != '\0';
}

static const struct family view_families[] = {
    {"overwatch_view_fps", "gauge", "Pictures given out in the last second.", view_fps},
    {"overwatch_view_frames_total", "counter", "Pictures given out.", view_frames},
    {"overwatch_view_dropped_frames_total", "counter", "Pictures skipped for newer ones.",
     view_dropped},
    {"overwatch_view_latency_seconds", "gauge", "From capture to encoded, of the last picture.",
     view_latency},
    {"overwatch_view_target_bytes_per_second", "gauge", "Wanted of the best rendition.",
     view_target},
    {"overwatch_view_detections", "gauge", "Boxes on the last picture.", view_detections},
    {"overwatch_view_failed", "gauge", "1 when the view itself does not run.", view_failed},
};
static const struct family source_families[] = {
    {"overwatch_source_fps", "gauge", "Pictures read in the last second.", source_fps},
    {"overwatch_source_frames_total", "counter", "Pictures read.", source_frames},
    {"overwatch_source_reopened_total", "counter", "Times that it failed and was opened again.",
     source_reopened},
};
static const struct family model_families[] = {
    {"overwatch_model_fps", "gauge", "Inferences in the last second.", model_fps},
    {"overwatch_model_inference_seconds", "gauge", "Duration of the last inference.",
     model_seconds},
    {"overwatch_model_failed", "gauge", "1 when the model does not run.", model_failed},
};

static const char *view_id(const struct view_info *info)
{
    return info->node_id;
}
static const char *source_id(const struct view_info *info)
{
    return info->source_id;
}
static const char *model_id(const struct view_info *info)
{
    return info->model_id;
}

/* Several views may show one source: is this the first view that has it? */
static bool is_first(const struct views *views, int at, const char *(*id)(const struct view_info *))
{
    const struct view_info *info = &views->infos[at];
    if (!id(info)[0])
        return false;
    for (int i = 0; i < at; i++)
        if (strcmp(id(&views->infos[i]), id(info)) == 0 &&
            strcmp(views->infos[i].workflow_id, info->workflow_id) == 0)
            return false;
    return true;
}

static void write_families(struct metrics_text *text, const struct views *views,
                           const struct family *families, size_t count,
                           const char *(*id)(const struct view_info *))
{
    for (size_t f = 0; f < count; f++) {
        metrics_family(text, families[f].name, families[f].type, families[f].help);
        for (int i = 0; i < views->count; i++) {
            const struct view_info *info = &views->infos[i];
            const struct metrics_label labels[] = {
                {"workflow", info->workflow_id}, {"node", id(info)}, {NULL, NULL}};
            if (is_first(views, i, id))
                metrics_sample(text, "", labels, families[f].value(info));
        }
    }
}

static void write_source_states(struct metrics_text *text, const struct views *views)
{
    static const char *const states[] = {"opening", "playing", "no_signal", "ended"};
    metrics_family(text, "overwatch_source_state", "gauge", "1 for the state that it is in.");
    for (int i = 0; i < views->count; i++) {
        const struct view_info *info = &views->infos[i];
        for (size_t k = 0; k < sizeof states / sizeof states[0] && is_first(views, i, source_id);
             k++) {
            const struct metrics_label labels[] = {{"workflow", info->workflow_id},
                                                   {"node", info->source_id},
                                                   {"state", states[k]},
                                                   {NULL, NULL}};
            metrics_sample(text, "", labels, (size_t)info->source.state == k);
        }
    }
}

static int read_views(struct api *api, struct views *out)
{
    struct view *views[API_MAX_VIEWS];
    out->infos = calloc(API_MAX_VIEWS, sizeof *out->infos);
    if (!out->infos)
        return OW_ENOMEM;
    out->count = runtime_views(api->runtime, views, API_MAX_VIEWS);
    for (int i = 0; i < out->count; i++) {
        view_read_info(views[i], &out->infos[i]);
        view_unref(&views[i]);
    }
    return OW_OK;
}

static void write_views(struct metrics_text *text, const struct views *views)
{
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
    write_families(text, views, view_families, COUNT(view_families), view_id);
    write_families(text, views, source_families, COUNT(source_families), source_id);
    write_source_states(text, views);
    write_families(text, views, model_families, COUNT(model_families), model_id);
#undef COUNT
}

/* -- viewers and clients -- */

static void by_transport(struct metrics_text *text, const char *name, const char *type,
                         const char *help, double webrtc, double websocket)
{
    const struct metrics_label labels[2][2] = {{{"transport", "webrtc"}, {NULL, NULL}},
                                               {{"transport", "websocket"}, {NULL, NULL}}};
    metrics_family(text, name, type, help);
    metrics_sample(text, "", labels[0], webrtc);
    metrics_sample(text, "", labels[1], websocket);
}

static void write_viewers(struct metrics_text *text, struct api *api)
{
    struct ws_hub_stats hub;
    struct send_figures sent;
    ws_hub_read_stats(api->hub, &hub);
    media_server_figures(api->media, &sent);
    int viewers = media_server_viewers(api->media, NULL, 0);
    by_transport(text, "overwatch_viewers", "gauge", "Viewers, connected or connecting.", viewers,
                 hub.viewers);
    by_transport(text, "overwatch_sent_frames_total", "counter", "Pictures sent, once per viewer.",
                 (double)sent.frames, (double)hub.figures.frames);
    by_transport(text, "overwatch_sent_bytes_total", "counter",
                 "Bytes of those pictures, without headers and repeats.", (double)sent.bytes,
                 (double)hub.figures.bytes);
    by_transport(text, "overwatch_send_latency_seconds", "gauge",
                 "From capture to the socket, mean of the last second.", sent.latency_ms / 1000,
                 hub.figures.latency_ms / 1000);
    counter(text, "overwatch_websocket_replaced_frames_total",
            "Pictures that a newer one replaced before they were sent.", (double)hub.replaced);
    struct http_server_stats http;
    http_server_read_stats(api->http, &http);
    gauge(text, "overwatch_http_connections", "Open connections, WebSockets included.",
          http.connections);
    counter(text, "overwatch_http_refused_connections_total",
            "Connections refused for want of room.", (double)http.refused);
    gauge(text, "overwatch_websocket_clients", "Open WebSockets.", hub.clients);
}

static void write_mqtt(struct metrics_text *text, const struct api *api)
{
    struct mqtt_stats stats;
    if (!api->settings.mqtt.client)
        return;
    mqtt_client_read_stats(api->settings.mqtt.client, &stats);
    gauge(text, "overwatch_mqtt_connected", "Is there a connection to the broker?",
          stats.connected);
    counter(text, "overwatch_mqtt_messages_total", "Messages for the broker.",
            (double)stats.published);
    counter(text, "overwatch_mqtt_dropped_messages_total",
            "Messages that the broker could not be given.", (double)stats.dropped);
}

static void write_recordings(struct metrics_text *text, const struct api *api)
{
    struct record_stats stats;
    struct record_folder *folder = runtime_recordings(api->runtime);
    if (!folder)
        return;
    record_folder_read_stats(folder, &stats);
    gauge(text, "overwatch_recordings_running", "Recordings that are being written.",
          stats.running);
    gauge(text, "overwatch_recordings_bytes", "Room that all recordings take.",
          (double)stats.bytes);
    gauge(text, "overwatch_recordings_max_bytes", "Room that they may take.",
          (double)stats.max_bytes);
    counter(text, "overwatch_recorded_bytes_total", "Bytes of recordings written.",
            (double)stats.written.bytes);
    counter(text, "overwatch_recorded_frames_total", "Pictures recorded.",
            (double)stats.written.pictures);
    counter(text, "overwatch_recording_dropped_frames_total",
            "Pictures that came faster than they could be written.", (double)stats.written.lost);
    counter(text, "overwatch_recording_failures_total",
            "Recordings that could not begin or go on; tries again count.", (double)stats.failures);
}

static void write_access(struct metrics_text *text, const struct api *api)
{
    struct http_auth_stats stats = {0};
    if (!api->settings.auth)
        return;
    http_auth_read_stats(api->settings.auth, clock_now_us(), &stats);
    gauge(text, "overwatch_sessions", "Who is logged in.", stats.sessions);
    counter(text, "overwatch_logins_total", "Log-ins.", (double)stats.logins);
    counter(text, "overwatch_login_failures_total", "Log-ins with a wrong password or token.",
            (double)stats.failures);
    counter(text, "overwatch_login_limited_total", "Log-ins refused unseen: too many tries.",
            (double)stats.limited);
}

static double running_workflows(struct api *api)
{
    json_t *status = runtime_status(api->runtime);
    json_int_t count = json_integer_value(json_object_get(status, "running_workflows"));
    json_decref(status);
    return (double)count;
}

void api_metrics(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct metrics_text text = {0};
    struct views views = {0};
    if (read_views(api, &views) == OW_OK) {
        write_process(&text, api);
        gauge(&text, "overwatch_workflows_running", "Workflows that run.", running_workflows(api));
        write_stages(&text);
        write_views(&text, &views);
        write_viewers(&text, api);
        write_recordings(&text, api);
        write_access(&text, api);
        write_mqtt(&text, api);
    }
    free(views.infos);
    if (text.data && !text.failed)
        http_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.size,
                   "Cache-Control: no-store\r\n");
    else
        http_reply_error(exchange, 503, "Out of memory.");
    free(text.data);
}

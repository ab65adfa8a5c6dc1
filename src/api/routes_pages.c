/* Pages, their files, running views, snapshots, health. */
#include "api/api_internal.h"
#include "api/plain_page.h"
#include "core/clock.h"
#include "net/http_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void api_views(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    struct view *views[API_MAX_VIEWS];
    int count = runtime_views(api->runtime, views, API_MAX_VIEWS);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, view_describe(views[i]));
        view_unref(&views[i]);
    }
    api_reply_json(exchange, 200, json_pack("{s:o}", "views", list));
}

/* The node whose plain picture is meant: of a view without overlay, its source. */
static void find_plain(struct api *api, const struct http_request *request, char out[128])
{
    const char *overlay = http_query(request, "overlay");
    bool without = overlay && (strcmp(overlay, "0") == 0 || strcmp(overlay, "false") == 0);
    struct view_info info = {0};
    struct view *view =
        without ? runtime_find_view(api->runtime, http_param(request, "node_id")) : NULL;
    if (view)
        view_read_info(view, &info);
    view_unref(&view);
    snprintf(out, 128, "%s", info.source_id[0] ? info.source_id : http_param(request, "node_id"));
}

/* Of a source it is its latest picture as it is, of a view its next one with boxes. */
void api_snapshot(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const struct http_request *request = http_exchange_request(exchange);
    const char *width = http_query(request, "width");
    char node_id[128];
    struct encoded *picture = NULL;
    int wanted = width ? atoi(width) : 0;
    find_plain(api, request, node_id);
    int rc = runtime_source_picture(api->runtime, node_id, wanted > 0 ? wanted : 0, &picture);
    if (rc == OW_ENOTFOUND)
        ws_hub_snapshot(api->hub, node_id, exchange);
    else if (rc == OW_OK)
        http_reply(exchange, 200, "image/jpeg", picture->data, picture->size,
                   "Cache-Control: no-store\r\n");
    else if (rc == OW_EAGAIN)
        http_reply_error(exchange, 504, "The source has given no picture yet.");
    else
        api_reply_failure(exchange, rc, NULL);
    encoded_unref(&picture);
}

/* ?fps=, or `fallback`; 0 = it is wrong, and was answered. */
static double wanted_fps(struct http_exchange *exchange, double fallback)
{
    enum { MAX_FPS = 60 };
    const char *text = http_query(http_exchange_request(exchange), "fps");
    double fps = text ? strtod(text, NULL) : fallback;
    if (fps >= 0.1 && fps <= MAX_FPS)
        return fps;
    http_reply_error(exchange, 400, "fps must be a number from 0.1 to 60.");
    return 0;
}

void api_mjpeg(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    double fps = wanted_fps(exchange, 15);
    if (fps > 0)
        ws_hub_mjpeg(api->hub, http_param(http_exchange_request(exchange), "node_id"), fps,
                     exchange);
}

void api_node_detections(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *node_id = http_param(http_exchange_request(exchange), "node_id");
    double fps = wanted_fps(exchange, 60);
    if (fps > 0 && runtime_gives_detections(api->runtime, node_id))
        ws_hub_lines(api->hub, node_id, fps, exchange);
    else if (fps > 0)
        http_reply_error(exchange, 404,
                         "No model, filter, zone or data preview with this id is running.");
}

void api_health(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    if (!http_exchange_request(exchange)->authenticated) { /* that it lives, and no more */
        api_reply_json(exchange, 200, json_pack("{s:s}", "status", "ok"));
        return;
    }
    struct view *views[API_MAX_VIEWS];
    int count = runtime_views(api->runtime, views, API_MAX_VIEWS);
    for (int i = 0; i < count; i++)
        view_unref(&views[i]);
    const char *version = api->settings.version;
    int64_t now_us = clock_now_us();
    double uptime_s = (double)(now_us - api->started_us) / 1e6;
    api_reply_json(exchange, 200,
                   json_pack("{s:s, s:s, s:f, s:i, s:I}", "status", "ok", "version",
                             version ? version : "", "uptime_s", uptime_s, "views", count, "now_us",
                             (json_int_t)now_us));
}

static void reply_page(struct api *api, struct http_exchange *exchange, const char *name)
{
    static const char *const not_built[] = {
        "<!doctype html><meta charset=\"utf-8\"><title>Overwatch</title><style",
        ">body{font:16px/1.5 system-ui;max-width:40em;margin:4em auto;padding:0 1em}</style>"
        "<h1>The web page is not built</h1>"
        "<p>The server runs, and its API answers under <code>/api</code>. To see the page, start "
        "the program with <code>./run</code>, which builds it, or name its folder with "
        "<code>--web-folder</code>.</p>",
        NULL};
    if (http_files_reply(exchange, api->settings.web_folder, name) != OW_OK)
        plain_page_reply(exchange, 503, not_built);
}

void api_page_view(void *context, struct http_exchange *exchange)
{
    reply_page(context, exchange, "view.html");
}

void api_page_fallback(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *path = http_exchange_request(exchange)->path;
    if (strcmp(path, "/") == 0 || path[0] == '\0')
        reply_page(api, exchange, "index.html");
    else if (strcmp(path, "/wall") == 0)
        reply_page(api, exchange, "wall.html");
    else if (strcmp(path, "/recordings") == 0)
        reply_page(api, exchange, "recordings.html");
    else if (strcmp(path, "/performance") == 0)
        reply_page(api, exchange, "performance.html");
    else if (path[0] != '/' ||
             http_files_reply(exchange, api->settings.web_folder, path + 1) != OW_OK)
        http_reply_error(exchange, 404, "There is nothing at this path.");
}

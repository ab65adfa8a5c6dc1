/* overwatch: starts the rooms in order, runs a workflow, waits for a signal, stops them. */
#include "api/api.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/ice_urls.h"
#include "app/shorthand.h"
#include "core/address.h"
#include "core/log.h"
#include "encode/video_encoder.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef OVERWATCH_VERSION
#error "the build defines OVERWATCH_VERSION"
#endif

struct app {
    struct store *store;
    struct media_server *media;
    struct api *api;
    struct runtime *runtime;
};

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    enum log_level level = LOG_ERROR;
    while (level < LOG_DEBUG && strcmp(names[level], name) != 0)
        level++;
    return level;
}

static void open_log(const struct config *config)
{
    bool to_file = strcmp(config->log_file, "none") != 0;
    int rc = log_open(to_file ? config->log_file : NULL, level_of(config->log_level),
                      strcmp(config->log_format, "json") == 0);
    if (rc < 0)
        log_warn("the log file %s cannot be written: logging to stderr only", config->log_file);
}

/* Loopback needs no password. There is no other way in yet, so no other address is served. */
static int check_bind(const struct config *config, struct reason *why)
{
    struct address address;
    if (address_parse(&address, config->bind, 0) < 0)
        return reason_set(why, OW_EINVAL, "--bind %.60s is not an IP address", config->bind);
    if (!address_is_loopback(&address))
        return reason_set(why, OW_EUNSUPPORTED,
                          "--bind %.60s: only loopback addresses are served, since there is no "
                          "password protection yet; use an SSH tunnel to watch from elsewhere",
                          config->bind);
    return OW_OK;
}

static int write_pid(const char *path, struct reason *why)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return reason_set(why, OW_EIO, "the pid file %.200s cannot be written", path);
    fprintf(file, "%ld\n", (long)getpid());
    fclose(file);
    return OW_OK;
}

/* The built page: as told, or beside the build folder, or where packages put it. */
static const char *find_web_folder(const struct config *config, char found[512])
{
    if (config->web_folder)
        return config->web_folder;
    char exe[400] = "";
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    for (int up = 0; length > 0 && up < 4; up++) {
        char *slash = strrchr(exe, '/');
        if (!slash)
            break;
        *slash = '\0';
        snprintf(found, 512, "%s/workflow-builder/dist", exe);
        if (access(found, R_OK) == 0)
            return found;
    }
    return "/usr/share/overwatch/web";
}

/* The bit of one codec, 0 = any. */
static unsigned codecs_of(const char *name)
{
    if (strcmp(name, "h264") == 0)
        return 1u << VIDEO_H264;
    return strcmp(name, "vp8") == 0 ? 1u << VIDEO_VP8 : 0;
}

static int start_media(struct app *app, const struct config *config, struct reason *why)
{
    char stun_url[256], turn_url[256];
    bool has_stun = ice_urls_first(config->stun, "stun:", stun_url, sizeof stun_url) == OW_OK;
    bool relayed = config_flag(config->turn_relay) &&
                   ice_urls_first(config->turn, "turn", turn_url, sizeof turn_url) == OW_OK;
    const struct media_server_settings settings = {
        .port = (uint16_t)config_number(config->media_port),
        /* Whoever can only be reached through others must not bind to loopback alone. */
        .loopback_only = !config->public_address && !has_stun && !relayed,
        .public_address = config->public_address,
        .codecs = codecs_of(config->codec),
        .ice_lite = config_flag(config->ice_lite),
        .no_tcp = config_flag(config->no_ice_tcp),
        .threads = config_number(config->media_threads),
        .stun_url = has_stun ? stun_url : NULL,
        .turn_url = relayed ? turn_url : NULL,
        .turn_username = config->turn_username,
        .turn_password = config->turn_password,
        .turn_secret = config->turn_secret,
        .turn_ca_file = config->turn_ca,
    };
    return media_server_start(&app->media, &settings, why);
}

static int start_servers(struct app *app, const struct config *config, struct reason *why)
{
    int rc = data_folder_open(&app->store, config->data_folder, why);
    if (rc == OW_OK)
        rc = start_media(app, config, why);
    if (rc < 0)
        return rc;
    char web_folder[512];
    const struct api_settings api = {
        .bind_address = config->bind,
        .port = (uint16_t)config_number(config->port),
        .web_folder = find_web_folder(config, web_folder),
        .model_folder = config->model_folder,
        .default_model = config->default_model,
        .media_folder = config->media_folder,
        .allowed_hosts = config->allowed_hosts,
        .version = OVERWATCH_VERSION,
        .media = app->media,
        .store = app->store,
        .ice_servers = {.stun_urls = config->stun,
                        .turn_urls = config->turn,
                        .turn_username = config->turn_username,
                        .turn_password = config->turn_password,
                        .turn_secret = config->turn_secret},
    };
    rc = api_create(&app->api, &api);
    if (rc < 0)
        return reason_set(why, rc, "the API cannot start: %s", error_text(rc));
    const struct runtime_settings runtime = {
        .outputs = api_view_outputs(app->api),
        .node_outputs = api_node_outputs(app->api),
        .camera_address = data_folder_camera_address,
        .camera_context = app->store,
        .model_threads = config_number(config->model_threads),
        .model_folder = config->model_folder,
        .default_model = config->default_model,
        .media_folder = config->media_folder,
        .h264_backend = config->encoder,
    };
    rc = runtime_create(&app->runtime, &runtime);
    return rc < 0 ? reason_set(why, rc, "%s", error_text(rc))
                  : api_start(app->api, app->runtime, why);
}

static void log_findings(json_t *findings, enum log_level level)
{
    size_t i;
    json_t *entry;
    json_array_foreach(findings, i, entry)
        log_write(level, "workflow: %s", json_string_value(json_object_get(entry, "message")));
}

static int run_workflow(struct app *app, const struct config *config, struct reason *why)
{
    json_t *workflow = NULL, *report = NULL;
    int rc = shorthand_workflow(&workflow, config, why);
    if (rc < 0 || !workflow)
        return rc;
    rc = runtime_execute(app->runtime, workflow, RUNTIME_TRUSTED, &report, why);
    log_findings(json_object_get(report, "errors"), LOG_ERROR);
    log_findings(json_object_get(report, "warnings"), LOG_WARN);
    json_decref(report);
    json_decref(workflow);
    return rc;
}

static int add_example(struct app *app, const struct config *config, struct reason *why)
{
    json_error_t error;
    if (!config->example)
        return OW_OK;
    json_t *example = json_load_file(config->example, 0, &error);
    if (!example)
        return reason_set(why, OW_EPARSE, "--example %.200s: %.120s", config->example, error.text);
    int rc = api_add_example(app->api, example, why);
    json_decref(example);
    return rc;
}

/* The API tells its clients and takes no more calls; then the views end, whose streams must be gone
 * before the media server that they give to. */
static void stop_all(struct app *app)
{
    if (app->api)
        api_stop(app->api);
    runtime_destroy(&app->runtime);
    if (app->api)
        api_destroy(&app->api);
    media_server_stop(&app->media);
    store_close(&app->store);
}

static void wait_for_signal(const sigset_t *signals)
{
    int signal_number = 0;
    sigwait(signals, &signal_number);
    log_info("%s: stopping", strsignal(signal_number));
}

static int run(const struct config *config)
{
    struct app app = {0};
    struct reason why = {""};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals,
                    NULL); /* before the first thread, so that all inherit it */
    signal(SIGPIPE, SIG_IGN);
    /* A fixed threshold: glibc's own one grows until large buffers, once freed, stay resident. Two
     * arenas: what one thread frees another can use, and hardly any thread allocates often. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_ARENA_MAX, 2);

    open_log(config);
    int rc = check_bind(config, &why);
    if (rc == OW_OK && config->pid_file)
        rc = write_pid(config->pid_file, &why);
    if (rc == OW_OK)
        rc = start_servers(&app, config, &why);
    if (rc == OW_OK) {
        encoder_probe_backends();
        rc = run_workflow(&app, config, &why);
    }
    /* Whoever names what is to run wants that, and not what ran the last time. */
    if (rc == OW_OK && !config->source && !config->workflow_file) {
        api_resume_workflows(app.api);
        rc = add_example(&app, config, &why);
    }
    if (rc == OW_OK) {
        log_info("Overwatch X-RAY %s is ready: http://%s:%u/ (media on UDP port %u)",
                 OVERWATCH_VERSION, config->bind, api_port(app.api), media_server_port(app.media));
        wait_for_signal(&signals);
    } else {
        log_error("%s", why.text[0] ? why.text : error_text(rc));
    }
    stop_all(&app);
    if (rc == OW_OK && config->pid_file)
        unlink(config->pid_file);
    return rc == OW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct config config;
    struct reason why = {""};
    if (config_read(&config, argc, argv, &why) < 0) {
        fprintf(stderr, "overwatch: %s\n", why.text);
        return 2;
    }
    if (strcmp(config.command, "run") == 0)
        return run(&config);
    if (strcmp(config.command, "version") == 0)
        puts("overwatch " OVERWATCH_VERSION);
    else
        config_print_help();
    return EXIT_SUCCESS;
}

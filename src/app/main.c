/* overwatch: starts the rooms in order, runs a workflow, waits for a signal, stops them. */
#include "api/api.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/ice_urls.h"
#include "app/protection.h"
#include "app/shorthand.h"
#include "core/log.h"
#include "encode/video_encoder.h"
#include "vision/model.h"
#include "vision/session.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef OVERWATCH_VERSION
#error "the build defines OVERWATCH_VERSION"
#endif

enum { DESCRIPTORS = 32 * 1024 };

struct app {
    struct store *store;
    struct http_auth *auth; /* NULL = open to all who reach it */
    bool local;             /* only programs of this machine reach it */
    struct media_server *media;
    struct mqtt_client *mqtt; /* NULL = no broker */
    struct api *api;
    struct runtime *runtime;
    char upload_folder[DATA_FOLDER_BYTES], recordings_folder[DATA_FOLDER_BYTES]; /* "" = none */
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
    if (config->file_exposes_secrets)
        log_warn("%s holds secrets and can be read by others on this machine: chmod 600 it",
                 config->config_file);
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
        /* Media go where the page goes; and whoever can only be reached through others must not
           bind to loopback alone. */
        .loopback_only = app->local && !config->public_address && !has_stun && !relayed,
        .public_address = config->public_address,
        .codecs = codecs_of(config->codec),
        .ice_lite = config_flag(config->ice_lite),
        .no_tcp = config_flag(config->no_ice_tcp),
        .threads = config_number(config->media_threads),
        .max_sessions = config_number(config->max_viewers),
        .stun_url = has_stun ? stun_url : NULL,
        .turn_url = relayed ? turn_url : NULL,
        .turn_username = config->turn_username,
        .turn_password = config->turn_password,
        .turn_secret = config->turn_secret,
        .turn_ca_file = config->turn_ca,
    };
    return media_server_start(&app->media, &settings, why);
}

static int camera_address(void *store, const char *id, char *url, size_t capacity,
                          struct reason *why)
{
    return store_camera_address(store, id, url, capacity, why);
}

static int start_mqtt(struct app *app, const struct config *config, struct reason *why)
{
    char topic[MQTT_TOPIC_BYTES];
    if (!config->mqtt)
        return OW_OK;
    snprintf(topic, sizeof topic, "%.100s/status", config->mqtt_prefix);
    const struct mqtt_settings settings = {.url = config->mqtt,
                                           .username = config->mqtt_username,
                                           .password = config->mqtt_password,
                                           .ca_file = config->mqtt_ca,
                                           .status_topic = topic};
    return mqtt_client_start(&app->mqtt, &settings, why);
}

static int start_servers(struct app *app, const struct config *config, struct reason *why)
{
    int rc = data_folder_open(&app->store, config->data_folder, why);
    char web_folder[512];
    if (rc == OW_OK)
        rc = data_folder_within(config->data_folder, "uploads", app->upload_folder, why);
    if (rc == OW_OK && config->recordings_folder)
        snprintf(app->recordings_folder, DATA_FOLDER_BYTES, "%s", config->recordings_folder);
    else if (rc == OW_OK)
        rc = data_folder_within(config->data_folder, "recordings", app->recordings_folder, why);
    if (rc == OW_OK)
        rc = start_media(app, config, why);
    if (rc == OW_OK)
        rc = start_mqtt(app, config, why);
    if (rc < 0)
        return rc;
    const char *uploads = app->upload_folder[0] ? app->upload_folder : NULL;
    const struct api_settings api = {
        .bind_address = config->bind,
        .port = (uint16_t)config_number(config->port),
        .web_folder = find_web_folder(config, web_folder),
        .model_folder = config->model_folder,
        .default_model = config->default_model,
        .media_folder = config->media_folder,
        .upload_folder = uploads,
        .upload_max_bytes = (uint64_t)config_number(config->max_upload_mb) * 1000000,
        .allowed_hosts = config->allowed_hosts,
        .version = OVERWATCH_VERSION,
        .max_connections = config_number(config->max_connections),
        .max_per_address = config_number(config->max_per_address),
        .auth = app->auth,
        .tls_certificate = config->tls_cert,
        .tls_key = config->tls_key,
        .media = app->media,
        .store = app->store,
        .mqtt = {.client = app->mqtt, .prefix = config->mqtt_prefix},
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
        .camera_address = camera_address,
        .camera_context = app->store,
        .model_threads = config_number(config->model_threads),
        .execution_providers = config->execution_providers,
        .model_folder = config->model_folder,
        .default_model = config->default_model,
        .media_folder = config->media_folder,
        .upload_folder = uploads,
        .recordings_folder = app->recordings_folder[0] ? app->recordings_folder : NULL,
        .max_recordings_bytes = (uint64_t)config_number(config->max_recordings_mb) * 1000000,
        .max_workflows = config_number(config->max_workflows),
        .h264_backend = config->encoder,
    };
    rc = model_check_providers(config->execution_providers, why);
    if (rc < 0)
        return rc;
    rc = runtime_create(&app->runtime, &runtime, why);
    return rc < 0 ? rc : api_start(app->api, app->runtime, why);
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

/* Models first, for which others wait. The API tells its clients and takes no more calls; then the
 * views end, whose streams must be gone before the media server that they give to. */
static void stop_all(struct app *app)
{
    ort_sessions_stop();
    if (app->api)
        api_stop(app->api);
    runtime_destroy(&app->runtime);
    if (app->api)
        api_destroy(&app->api);
    media_server_stop(&app->media);
    mqtt_client_stop(&app->mqtt);
    store_close(&app->store);
    http_auth_destroy(&app->auth);
}

static void on_hangup(struct app *app, const struct config *config)
{
    struct reason why = {""};
    if (!config->tls_cert)
        log_info("Hangup: there is nothing to be read anew");
    else if (api_reload_tls(app->api, &why) == OW_OK)
        log_info("Hangup: the TLS certificate %s was read anew", config->tls_cert);
    else
        log_error("Hangup: the old TLS certificate stays in use: %s", why.text);
}

static void wait_for_signal(struct app *app, const struct config *config, const sigset_t *signals)
{
    int number = 0;
    while (sigwait(signals, &number) != 0 || number == SIGHUP)
        if (number == SIGHUP)
            on_hangup(app, config);
    log_info("%s: stopping", strsignal(number));
}

/* A new token is shown on the terminal, once, and is in no log file. */
static void log_ready(const struct app *app, const struct config *config, const char *token)
{
    bool brackets = strchr(config->bind, ':') != NULL;
    if (token[0])
        fprintf(stderr, "\n  Log in with this token: %s\n\n", token);
    log_info("Overwatch X-RAY %s is ready: http%s://%s%s%s:%u/ (media on UDP port %u)",
             OVERWATCH_VERSION, config->tls_cert ? "s" : "", brackets ? "[" : "", config->bind,
             brackets ? "]" : "", api_port(app->api), media_server_port(app->media));
}

/* A client over TLS takes three descriptors, and the usual soft limit is 1024. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct config *config)
{
    struct app app = {0};
    struct reason why = {""};
    char token[PROTECTION_TOKEN_BYTES] = "";
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (config->tls_cert || !isatty(STDERR_FILENO)) /* else a terminal that goes ends the program */
        sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals,
                    NULL); /* before the first thread, so that all inherit it */
    signal(SIGPIPE, SIG_IGN);
    allow_descriptors();
    /* A fixed threshold: glibc's own one grows until large buffers, once freed, stay resident. Two
     * arenas: what one thread frees another can use, and hardly any thread allocates often. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_ARENA_MAX, 2);

    open_log(config);
    int rc = protection_is_local(config->bind, &app.local, &why);
    if (rc == OW_OK)
        rc = protection_create(&app.auth, config, token, &why);
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
        log_ready(&app, config, token);
        wait_for_signal(&app, config, &signals);
    } else {
        log_error("%s", why.text[0] ? why.text : error_text(rc));
    }
    stop_all(&app);
    if (rc == OW_OK && config->pid_file)
        unlink(config->pid_file);
    return rc == OW_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int obey(const struct config *config)
{
    struct reason why = {""};
    if (strcmp(config->command, "run") == 0)
        return run(config);
    if (strcmp(config->command, "version") == 0) {
        puts("overwatch " OVERWATCH_VERSION);
    } else if (strcmp(config->command, "hash-password") != 0) {
        config_print_help();
    } else if (protection_print_hash(&why) != OW_OK) {
        fprintf(stderr, "overwatch: %s\n", why.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct config config;
    struct reason why = {""};
    /* ONNX Runtime would tell its maker what runs here, and wait for that at the end. No thread
     * runs yet that could read the environment. */
    setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    if (config_read(&config, argc, argv, &why) < 0) {
        fprintf(stderr, "overwatch: %s\n", why.text);
        return 2;
    }
    int status = obey(&config);
    config_free(&config);
    if (ort_sessions_left_behind())
        _exit(status);
    return status;
}

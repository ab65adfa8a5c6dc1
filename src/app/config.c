#include "app/config.h"

#include "app/config_file.h"
#include "app/ice_urls.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_kind {
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_FLAG,
    OPTION_CHOICE,
    OPTION_STUN_URLS,
    OPTION_TURN_URLS,
};

struct option {
    const char *name; /* --name; OVERWATCH_NAME in the environment */
    const char *value_name, *help;
    size_t field; /* offset of the text in struct config */
    enum option_kind kind;
    const char *fallback;
    double min, max;
    const char *choices; /* separated by blanks */
    bool secret;         /* not for the eyes of others */
};

#define FIELD(name) offsetof(struct config, name)

static const struct option options[] = {
    {.name = "config",
     .value_name = "FILE",
     .field = FIELD(config_file),
     .help = "lines of \"name = value\", named like these options; # begins a comment"},
    {.name = "source",
     .value_name = "URL",
     .field = FIELD(source),
     .help = "what to watch: file, rtsp://, http://, v4l2:/dev/video0, pipe:/path, test:"},
    {.name = "raw",
     .value_name = "FORMAT",
     .field = FIELD(raw),
     .help = "with --source pipe: headerless video, as yuv420p:640x480 (FFmpeg's pixel formats)"},
    {.name = "model",
     .value_name = "FILE",
     .field = FIELD(model),
     .help = "ONNX detector for --source; \"none\" = show the plain picture"},
    {.name = "confidence",
     .value_name = "N",
     .field = FIELD(confidence),
     .fallback = "0.4",
     .kind = OPTION_NUMBER,
     .max = 1,
     .help = "with --source: detections below are dropped"},
    {.name = "box-timing",
     .value_name = "WHEN",
     .field = FIELD(box_timing),
     .fallback = "predict",
     .kind = OPTION_CHOICE,
     .choices = "predict sync",
     .help = "with --source: predict or sync"},
    {.name = "bitrate",
     .value_name = "PRESET",
     .field = FIELD(bitrate),
     .fallback = "high",
     .kind = OPTION_CHOICE,
     .choices = "low balanced high",
     .help = "with --source: low, balanced or high"},
    {.name = "width",
     .value_name = "PX",
     .field = FIELD(width),
     .fallback = "0",
     .kind = OPTION_NUMBER,
     .max = 4096,
     .help = "with --source: width of the view, 0 = the source's"},
    {.name = "bind",
     .value_name = "ADDRESS",
     .field = FIELD(bind),
     .fallback = "127.0.0.1",
     .help = "address of the page and the API; others than loopback ask for a password or token"},
    {.name = "port",
     .value_name = "N",
     .field = FIELD(port),
     .fallback = "8000",
     .kind = OPTION_NUMBER,
     .max = 65535,
     .help = "TCP port of the page and the API, 0 = any free one"},
    {.name = "media-port",
     .value_name = "N",
     .field = FIELD(media_port),
     .fallback = "8189",
     .kind = OPTION_NUMBER,
     .max = 65535,
     .help = "UDP and TCP port of all WebRTC media, 0 = any free one"},
    {.name = "public-address",
     .value_name = "IP",
     .field = FIELD(public_address),
     .help = "address by which viewers reach this machine (1:1 NAT, containers)"},
    {.name = "allowed-hosts",
     .value_name = "NAMES",
     .field = FIELD(allowed_hosts),
     .help = "further host names of this server, separated by commas"},
    {.name = "password",
     .value_name = "TEXT",
     .secret = true,
     .field = FIELD(password),
     .help = "of the page and the API, or its hash (overwatch hash-password); better in a file"},
    {.name = "password-file",
     .value_name = "FILE",
     .field = FIELD(password_file),
     .help = "whose first line is the password or its hash"},
    {.name = "token",
     .value_name = "TEXT",
     .secret = true,
     .field = FIELD(token),
     .help = "for scripts and players: Authorization: Bearer TEXT; also good to log in with"},
    {.name = "max-connections",
     .value_name = "N",
     .field = FIELD(max_connections),
     .fallback = "512",
     .kind = OPTION_NUMBER,
     .min = 8,
     .max = 8192,
     .help = "to the page and the API at a time; more are answered 503"},
    {.name = "max-connections-per-address",
     .value_name = "N",
     .field = FIELD(max_per_address),
     .fallback = "64",
     .kind = OPTION_NUMBER,
     .min = 1,
     .max = 8192,
     .help = "of these from one address other than loopback; more are answered 429"},
    {.name = "max-viewers",
     .value_name = "N",
     .field = FIELD(max_viewers),
     .fallback = "4096",
     .kind = OPTION_NUMBER,
     .min = 1,
     .max = 65535,
     .help = "over WebRTC at a time; more are answered 429, by WHEP 503"},
    {.name = "max-workflows",
     .value_name = "N",
     .field = FIELD(max_workflows),
     .fallback = "64",
     .kind = OPTION_NUMBER,
     .min = 1,
     .max = 1000,
     .help = "that run at a time; more are answered 429"},
    {.name = "max-upload-mb",
     .value_name = "N",
     .field = FIELD(max_upload_mb),
     .fallback = "2048",
     .kind = OPTION_NUMBER,
     .max = 1000000,
     .help = "size of a video that is uploaded; 0 = none are taken"},
    {.name = "recordings-folder",
     .value_name = "FOLDER",
     .field = FIELD(recordings_folder),
     .help = "where recordings are kept; without it in the data folder"},
    {.name = "max-recordings-mb",
     .value_name = "N",
     .field = FIELD(max_recordings_mb),
     .fallback = "10000",
     .kind = OPTION_NUMBER,
     .max = 1000000000,
     .help = "of all recordings: the oldest are removed; 0 = nothing is recorded"},
    {.name = "tls-cert",
     .value_name = "FILE",
     .field = FIELD(tls_cert),
     .help = "PEM file of a certificate and its chain: HTTPS instead of HTTP; read anew on SIGHUP"},
    {.name = "tls-key",
     .value_name = "FILE",
     .field = FIELD(tls_key),
     .help = "PEM file of its key, without a passphrase"},
    {.name = "session-hours",
     .value_name = "N",
     .field = FIELD(session_hours),
     .fallback = "168",
     .kind = OPTION_NUMBER,
     .min = 1,
     .max = 8760,
     .help = "a log-in ends after that time"},
    {.name = "session-idle-hours",
     .value_name = "N",
     .field = FIELD(session_idle_hours),
     .fallback = "24",
     .kind = OPTION_NUMBER,
     .min = 1,
     .max = 8760,
     .help = "or when it was not used for that time"},
    {.name = "ice-lite",
     .field = FIELD(ice_lite),
     .fallback = "0",
     .kind = OPTION_FLAG,
     .help = "answer ICE checks only, make none"},
    {.name = "no-ice-tcp",
     .field = FIELD(no_ice_tcp),
     .fallback = "0",
     .kind = OPTION_FLAG,
     .help = "media over UDP only, nothing on the TCP port of that number"},
    {.name = "stun",
     .value_name = "URLS",
     .field = FIELD(stun),
     .kind = OPTION_STUN_URLS,
     .help = "stun:host:3478, by which viewers and server learn their addresses behind a NAT"},
    {.name = "turn",
     .value_name = "URLS",
     .field = FIELD(turn),
     .kind = OPTION_TURN_URLS,
     .help = "turn:host:3478, relays for viewers that cannot come here directly"},
    {.name = "turn-relay",
     .field = FIELD(turn_relay),
     .fallback = "0",
     .kind = OPTION_FLAG,
     .help = "this server, too, is reached through the first --turn relay"},
    {.name = "turn-secret",
     .value_name = "TEXT",
     .secret = true,
     .field = FIELD(turn_secret),
     .help =
         "shared with the TURN server (coturn's static-auth-secret); better in the environment"},
    {.name = "turn-username",
     .value_name = "NAME",
     .field = FIELD(turn_username),
     .help = "of --turn, instead of a secret; viewers are told it"},
    {.name = "turn-password",
     .value_name = "TEXT",
     .secret = true,
     .field = FIELD(turn_password),
     .help = "of --turn, instead of a secret; viewers are told it"},
    {.name = "turn-ca",
     .value_name = "FILE",
     .field = FIELD(turn_ca),
     .help = "with --turn-relay and turns: the authorities (PEM) that vouch for the TURN server, "
             "instead of the system's"},
    {.name = "media-threads",
     .value_name = "N",
     .field = FIELD(media_threads),
     .fallback = "0",
     .kind = OPTION_NUMBER,
     .max = 64,
     .help = "threads that send to viewers, 0 = by the number of cores"},
    {.name = "data-folder",
     .value_name = "DIR",
     .field = FIELD(data_folder),
     .help = "where workflows, cameras and uploads are kept; none = nowhere (default: "
             "$XDG_DATA_HOME/overwatch or ~/.local/share/overwatch)"},
    {.name = "example",
     .value_name = "FILE",
     .field = FIELD(example),
     .help = "a workflow that is kept and started when none has ever been kept"},
    {.name = "web-folder",
     .value_name = "DIR",
     .field = FIELD(web_folder),
     .help = "the built page"},
    {.name = "model-folder",
     .value_name = "DIR",
     .field = FIELD(model_folder),
     .help = "where model names are looked for"},
    {.name = "media-folder",
     .value_name = "DIR",
     .field = FIELD(media_folder),
     .help = "where relative video paths are looked for"},
    {.name = "default-model",
     .value_name = "FILE",
     .field = FIELD(default_model),
     .fallback = "nanodet",
     .help = "model of nodes that name none"},
    {.name = "model-threads",
     .value_name = "N",
     .field = FIELD(model_threads),
     .fallback = "0",
     .kind = OPTION_NUMBER,
     .max = 64,
     .help = "threads of a model, 0 = by the number of cores"},
    {.name = "execution-providers",
     .value_name = "LIST",
     .field = FIELD(execution_providers),
     .help = "what models may run on, in this order: cuda, tensorrt, openvino, cpu"},
    {.name = "codec",
     .value_name = "NAME",
     .field = FIELD(codec),
     .fallback = "any",
     .kind = OPTION_CHOICE,
     .choices = "any h264 vp8",
     .help = "what viewers are sent over WebRTC: h264, vp8, or any (H.264 to who can read it)"},
    {.name = "encoder",
     .value_name = "NAME",
     .field = FIELD(encoder),
     .help = "FFmpeg's name of one H.264 encoder instead of the best that works"},
    {.name = "mqtt",
     .value_name = "URL",
     .field = FIELD(mqtt),
     .help = "mqtt://host[:1883] or mqtts://host[:8883], the broker of mqtt nodes and zone events"},
    {.name = "mqtt-prefix",
     .value_name = "TOPIC",
     .field = FIELD(mqtt_prefix),
     .fallback = "overwatch",
     .help = "what topics begin with"},
    {.name = "mqtt-username",
     .value_name = "NAME",
     .field = FIELD(mqtt_username),
     .help = "of --mqtt"},
    {.name = "mqtt-password",
     .value_name = "TEXT",
     .secret = true,
     .field = FIELD(mqtt_password),
     .help = "of --mqtt"},
    {.name = "mqtt-ca",
     .value_name = "FILE",
     .field = FIELD(mqtt_ca),
     .help = "the authorities (PEM) that vouch for mqtts://, instead of the system's"},
    {.name = "log-file",
     .value_name = "FILE",
     .field = FIELD(log_file),
     .fallback = "/tmp/overwatch.log",
     .help = "the log besides stderr; \"none\" = stderr only"},
    {.name = "log-level",
     .value_name = "LEVEL",
     .field = FIELD(log_level),
     .fallback = "info",
     .kind = OPTION_CHOICE,
     .choices = "error warn info debug",
     .help = "error, warn, info or debug"},
    {.name = "log-format",
     .value_name = "FORMAT",
     .field = FIELD(log_format),
     .fallback = "text",
     .kind = OPTION_CHOICE,
     .choices = "text json",
     .help = "text or json"},
    {.name = "pid-file",
     .value_name = "FILE",
     .field = FIELD(pid_file),
     .help = "where to write the process id"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static const char **field_of(struct config *config, const struct option *option)
{
    return (const char **)(void *)((char *)config + option->field);
}

static const char *environment_of(const struct option *option)
{
    char name[64] = "OVERWATCH_";
    size_t length = strlen(name);
    for (const char *c = option->name; *c && length + 1 < sizeof name; c++)
        name[length++] = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    name[length] = '\0';
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = strstr(choices, value); at && length; at = strstr(at + 1, value))
        if ((at == choices || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

static const char flag_choices[] = "1 0 yes no true false on off";

static int check(const struct option *option, const char *value, struct reason *why)
{
    if (option->kind == OPTION_FLAG && !is_choice(flag_choices, value))
        return reason_set(why, OW_EINVAL, "--%s is \"%.60s\", but must be yes or no", option->name,
                          value);
    if (option->kind == OPTION_CHOICE && !is_choice(option->choices, value))
        return reason_set(why, OW_EINVAL, "--%s is \"%.60s\", but must be one of: %s", option->name,
                          value, option->choices);
    if (option->kind == OPTION_STUN_URLS)
        return ice_urls_check(value, ICE_URL_STUN, option->name, why);
    if (option->kind == OPTION_TURN_URLS)
        return ice_urls_check(value, ICE_URL_TURN, option->name, why);
    if (option->kind == OPTION_NUMBER) {
        char *end;
        double number = strtod(value, &end);
        if (end == value || *end || !(number >= option->min && number <= option->max))
            return reason_set(why, OW_EINVAL,
                              "--%s is \"%.60s\", but must be a number from %g to %g", option->name,
                              value, option->min, option->max);
    }
    return OW_OK;
}

/* Finds the option of "--name" or "--name=value"; *value is what stands behind '=' or NULL. */
static const struct option *find_option(const char *argument, const char **value)
{
    size_t length = strcspn(argument, "=");
    *value = argument[length] == '=' ? argument + length + 1 : NULL;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, argument, length) == 0)
            return &options[i];
    return NULL;
}

/* Reads the option at argv[*i], moving *i over its value. */
static int read_option(struct config *config, int argc, char **argv, int *i, struct reason *why)
{
    const char *value;
    const struct option *option = find_option(argv[*i] + 2, &value);
    if (!option)
        return reason_set(why, OW_EINVAL, "there is no option %.80s (see overwatch --help)",
                          argv[*i]);
    if (option->kind == OPTION_FLAG && !value)
        value = "1";
    else if (!value && *i + 1 < argc)
        value = argv[++*i];
    if (!value)
        return reason_set(why, OW_EINVAL, "--%s wants a value: %s", option->name,
                          option->value_name);
    *field_of(config, option) = value;
    return check(option, value, why);
}

static int read_word(struct config *config, const char *word, struct reason *why)
{
    static const char *const commands[] = {"run", "help", "version", "hash-password"};
    for (size_t i = 0; !config->command && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i], word) == 0) {
            config->command = commands[i];
            return OW_OK;
        }
    }
    if (!config->command || strcmp(config->command, "run") != 0 || config->workflow_file)
        return reason_set(why, OW_EINVAL, "\"%.80s\" is not understood (see overwatch --help)",
                          word);
    config->workflow_file = word;
    return OW_OK;
}

/* Options that mean nothing without each other. */
static int check_together(const struct config *config, struct reason *why)
{
    if (strcmp(config->command, "run") == 0 && config->workflow_file && config->source)
        return reason_set(why, OW_EINVAL, "give a workflow file or --source, not both");
    if (config->password && config->password_file)
        return reason_set(why, OW_EINVAL, "give --password or --password-file, not both");
    if (!config->tls_cert != !config->tls_key)
        return reason_set(why, OW_EINVAL, "--tls-cert and --tls-key need each other");
    bool named = config->turn_username && config->turn_password;
    if (config->turn && !config->turn_secret && !named)
        return reason_set(why, OW_EINVAL,
                          "--turn needs --turn-secret, or --turn-username and --turn-password");
    if (config_flag(config->turn_relay) && !config->turn)
        return reason_set(why, OW_EINVAL, "--turn-relay needs --turn");
    if (config->turn_ca && !config_flag(config->turn_relay))
        return reason_set(why, OW_EINVAL, "--turn-ca needs --turn-relay");
    return OW_OK;
}

/* -- the file -- */

static const char *find_config_file(int argc, char **argv)
{
    const char *path = getenv("OVERWATCH_CONFIG");
    for (int i = 1; i < argc; i++) {
        const char *value;
        const struct option *option =
            strncmp(argv[i], "--", 2) == 0 ? find_option(argv[i] + 2, &value) : NULL;
        bool wants_value = option && option->kind != OPTION_FLAG && !value;
        if (wants_value && i + 1 < argc)
            value = argv[++i];
        if (option && strcmp(option->name, "config") == 0)
            path = value;
    }
    return path && path[0] ? path : NULL;
}

static int read_line(struct config *config, const struct config_line *line, bool seen[],
                     struct reason *why)
{
    const char *rest;
    struct reason detail = {""};
    const struct option *option = find_option(line->name, &rest);
    if (!option || rest || strcmp(option->name, "config") == 0)
        return reason_set(why, OW_EINVAL, "%.120s, line %d: there is no option \"%.60s\"",
                          config->config_file, line->number, line->name);
    if (seen[option - options])
        return reason_set(why, OW_EINVAL, "%.120s, line %d: \"%.60s\" was there before",
                          config->config_file, line->number, line->name);
    seen[option - options] = true;
    if (check(option, line->value, &detail) != OW_OK)
        return reason_set(why, OW_EINVAL, "%.120s, line %d: %.180s", config->config_file,
                          line->number, detail.text);
    *field_of(config, option) = line->value;
    config->file_exposes_secrets |= option->secret;
    return OW_OK;
}

static int read_file(struct config *config, struct reason *why)
{
    bool seen[OPTION_COUNT] = {false}, open_to_others = false;
    struct config_line line = {0};
    int rc = config_file_load(config->config_file, &config->file_text, &open_to_others, why);
    char *at = config->file_text;
    while (rc == OW_OK) {
        rc = config_file_next(&at, &line);
        if (rc == OW_OK)
            rc = read_line(config, &line, seen, why);
        else if (rc == OW_EPARSE)
            rc = reason_set(why, OW_EINVAL, "%.150s, line %d: this is not \"name = value\"",
                            config->config_file, line.number);
    }
    config->file_exposes_secrets &= open_to_others;
    return rc == OW_ENOTFOUND ? OW_OK : rc;
}

/* -- all together -- */

static int read_environment(struct config *config, struct reason *why)
{
    int rc = OW_OK;
    for (int i = 0; i < OPTION_COUNT && rc == OW_OK; i++) {
        const char *value = environment_of(&options[i]);
        if (!value)
            continue;
        *field_of(config, &options[i]) = value;
        rc = check(&options[i], value, why);
    }
    return rc;
}

static int read_all(struct config *config, int argc, char **argv, struct reason *why)
{
    int rc = OW_OK;
    for (int i = 0; i < OPTION_COUNT; i++)
        *field_of(config, &options[i]) = options[i].fallback;
    config->config_file = find_config_file(argc, argv);
    if (config->config_file)
        rc = read_file(config, why);
    if (rc == OW_OK)
        rc = read_environment(config, why);
    for (int i = 1; i < argc && rc == OW_OK; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            config->command = "help";
        else if (strcmp(argv[i], "--version") == 0)
            config->command = "version";
        else if (strncmp(argv[i], "--", 2) == 0)
            rc = read_option(config, argc, argv, &i, why);
        else
            rc = read_word(config, argv[i], why);
    }
    if (rc < 0)
        return rc;
    if (!config->command)
        config->command = config->source ? "run" : "help";
    return check_together(config, why);
}

int config_read(struct config *out, int argc, char **argv, struct reason *why)
{
    struct config config = {0};
    int rc = read_all(&config, argc, argv, why);
    if (rc == OW_OK)
        *out = config;
    else
        config_free(&config);
    return rc;
}

void config_free(struct config *config)
{
    if (config->file_text)
        explicit_bzero(config->file_text, strlen(config->file_text));
    free(config->file_text);
    *config = (struct config){0};
}

int config_number(const char *text)
{
    return (int)strtod(text, NULL);
}

bool config_flag(const char *text)
{
    static const char *const no[] = {"", "0", "no", "false", "off"};
    for (size_t i = 0; text && i < sizeof no / sizeof no[0]; i++)
        if (strcmp(text, no[i]) == 0)
            return false;
    return text != NULL;
}

void config_print_help(void)
{
    puts("Overwatch X-RAY: see, live in a browser, what an AI model sees in a camera's picture.\n\n"
         "usage: overwatch run [WORKFLOW.json] [options]\n"
         "       overwatch run --source URL [--model FILE] [options]\n"
         "       overwatch hash-password < FILE\n\n"
         "Without a workflow and a source the server starts empty. Every option can be given in\n"
         "the environment too, --media-port as OVERWATCH_MEDIA_PORT, and in the file of --config, "
         "as\n"
         "media-port = 8189. A flag wins over the environment, the environment over the file.\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--%s %s", options[i].name,
                 options[i].value_name ? options[i].value_name : "");
        printf("  %-26s %s", flag, options[i].help);
        if (options[i].fallback && options[i].kind != OPTION_FLAG)
            printf(" [%s]", options[i].fallback);
        putchar('\n');
    }
}

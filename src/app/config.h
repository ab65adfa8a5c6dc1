/* Configuration: one table is the source of the flags, the environment variables, the names in the
 * file of --config, and --help. A flag wins over the environment, that over the file, that over the
 * default. */
#ifndef OW_APP_CONFIG_H
#define OW_APP_CONFIG_H

#include "core/error.h"

#include <stdbool.h>

struct config {
    const char *bind, *port, *media_port, *public_address, *allowed_hosts;
    const char *max_connections, *max_per_address, *max_viewers, *max_workflows, *max_upload_mb;
    const char *recordings_folder, *max_recordings_mb;
    const char *tls_cert, *tls_key;
    const char *password, *password_file, *token, *session_hours, *session_idle_hours;
    const char *ice_lite, *no_ice_tcp, *media_threads;
    const char *stun, *turn, *turn_relay, *turn_secret, *turn_username, *turn_password, *turn_ca;
    const char *web_folder, *model_folder, *media_folder, *data_folder, *default_model;
    const char *example;
    const char *model_threads, *execution_providers, *codec, *encoder;
    const char *mqtt, *mqtt_prefix, *mqtt_username, *mqtt_password, *mqtt_ca;
    const char *log_file, *log_level, *log_format, *pid_file;
    /* the shorthand that makes a workflow */
    const char *source, *model, *confidence, *box_timing, *bitrate, *width, *raw;
    /* the file */
    const char *config_file;   /* NULL = none */
    char *file_text;           /* other members point into it */
    bool file_exposes_secrets; /* it holds secrets, and others on this machine can read it */
    /* what is left */
    const char *command;       /* "run", "help", "version", "hash-password" */
    const char *workflow_file; /* NULL = made from the shorthand */
};

/* Reads argv; texts point into argv, the environment, constants and the text of the file, which is
 * the caller's to free. Unknown flags and values out of range are OW_EINVAL with a sentence, which
 * names the line when it is one of the file. */
int config_read(struct config *out, int argc, char **argv, struct reason *why);
void config_free(struct config *config);

/* The number of a text that config_read() has checked. */
int config_number(const char *text);
bool config_flag(const char *text);

void config_print_help(void);

#endif

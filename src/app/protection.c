#include "app/protection.h"

#include "app/data_folder.h"
#include "core/address.h"
#include "core/log.h"
#include "core/random.h"
#include "net/http_auth_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES = HTTP_AUTH_MAX_SECRET + 2, TOKEN_RANDOM_BYTES = 20 };

int protection_is_local(const char *bind, bool *local, struct reason *why)
{
    struct address address;
    if (address_parse(&address, bind, 0) < 0)
        return reason_set(why, OW_EINVAL, "--bind %.60s is not an IP address", bind);
    *local = address_is_loopback(&address);
    return OW_OK;
}

/* The first line of a file, without its end. */
static int read_secret(const char *path, char out[SECRET_BYTES], struct reason *why)
{
    struct stat info;
    FILE *file = fopen(path, "re");
    if (!file)
        return reason_set(why, errno == ENOENT ? OW_ENOTFOUND : OW_EIO, "%.200s: %s", path,
                          strerror(errno));
    bool fine = fgets(out, SECRET_BYTES, file) != NULL;
    bool open_to_others = fstat(fileno(file), &info) == 0 && (info.st_mode & 077) != 0;
    fclose(file);
    size_t size = fine ? strcspn(out, "\r\n") : 0;
    if (size == 0 || size > HTTP_AUTH_MAX_SECRET)
        return reason_set(why, OW_EINVAL, "%.200s: its first line is empty or too long", path);
    out[size] = '\0';
    if (open_to_others)
        log_warn("%s can be read by others on this machine: chmod 600 it", path);
    return OW_OK;
}

static void make_token(char token[PROTECTION_TOKEN_BYTES])
{
    struct random_source source;
    unsigned char bytes[TOKEN_RANDOM_BYTES];
    random_system(&source);
    source.fill(&source, bytes, sizeof bytes);
    for (int i = 0; i < TOKEN_RANDOM_BYTES; i++)
        snprintf(token + (size_t)2 * (size_t)i, 3, "%02x", bytes[i]);
}

/* Whole or not at all, and never one that others could read for a moment. */
static int write_token(const char *path, const char *token, struct reason *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return reason_set(why, OW_EIO, "%.200s cannot be written: %s", path, strerror(errno));
    size_t size = strlen(token);
    bool fine = write(fd, token, size) == (ssize_t)size && write(fd, "\n", 1) == 1;
    fine = fsync(fd) == 0 && fine;
    fine = close(fd) == 0 && fine;
    if (!fine)
        unlink(path);
    return fine ? OW_OK : reason_set(why, OW_EIO, "%.200s cannot be written", path);
}

/* The token that was made at an earlier start, or a new one. */
static int find_token(const struct config *config, char secret[SECRET_BYTES],
                      char fresh[PROTECTION_TOKEN_BYTES], struct reason *why)
{
    char folder[DATA_FOLDER_BYTES], path[DATA_FOLDER_BYTES + 16];
    if (config->data_folder && strcmp(config->data_folder, "none") == 0) { /* another each time */
        make_token(fresh);
        snprintf(secret, SECRET_BYTES, "%s", fresh);
        return OW_OK;
    }
    int rc = data_folder_find(config->data_folder, folder, why);
    if (rc != OW_OK)
        return rc;
    snprintf(path, sizeof path, "%s/token", folder);
    rc = read_secret(path, secret, why);
    if (rc == OW_OK)
        log_info("no password is set: log in with the token in %s", path);
    if (rc != OW_ENOTFOUND)
        return rc;
    make_token(fresh);
    snprintf(secret, SECRET_BYTES, "%s", fresh);
    rc = write_token(path, fresh, why);
    if (rc == OW_OK)
        log_info("no password is set: a token was made and is kept in %s", path);
    return rc;
}

int protection_create(struct http_auth **out, const struct config *config,
                      char fresh[PROTECTION_TOKEN_BYTES], struct reason *why)
{
    char password[SECRET_BYTES], token[SECRET_BYTES];
    bool local = true;
    struct http_auth_settings settings = {
        .password = config->password,
        .tokens = {config->token},
        .absolute_us = (int64_t)(config_number(config->session_hours)) * 3600 * 1000000,
        .idle_us = (int64_t)(config_number(config->session_idle_hours)) * 3600 * 1000000,
    };
    *out = NULL;
    fresh[0] = '\0';
    int rc = protection_is_local(config->bind, &local, why);
    if (rc == OW_OK && config->password_file) {
        rc = read_secret(config->password_file, password, why);
        settings.password = password;
    }
    if (rc == OW_OK && !settings.password && !config->token) {
        if (local)
            return OW_OK;
        rc = find_token(config, token, fresh, why);
        settings.tokens[0] = token;
    }
    if (rc == OW_OK)
        rc = http_auth_create(out, &settings, why);
    explicit_bzero(password, sizeof password);
    explicit_bzero(token, sizeof token);
    return rc;
}

int protection_print_hash(struct reason *why)
{
    char password[SECRET_BYTES], hash[HTTP_PASSWORD_HASH_BYTES];
    if (isatty(STDIN_FILENO))
        fputs("password (it is shown): ", stderr);
    if (!fgets(password, sizeof password, stdin))
        return reason_set(why, OW_EINVAL, "no password came on standard input");
    password[strcspn(password, "\r\n")] = '\0';
    size_t size = strlen(password);
    if (size < HTTP_AUTH_MIN_PASSWORD || size > HTTP_AUTH_MAX_SECRET)
        return reason_set(why, OW_EINVAL, "a password must have %d to %d characters",
                          HTTP_AUTH_MIN_PASSWORD, HTTP_AUTH_MAX_SECRET);
    int rc = http_password_hash(password, hash);
    explicit_bzero(password, sizeof password);
    if (rc != OW_OK)
        return reason_set(why, rc, "%s", error_text(rc));
    puts(hash);
    return OW_OK;
}

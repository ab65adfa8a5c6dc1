#include "app/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int config_file_load(const char *path, char **text, bool *open_to_others, struct reason *why)
{
    struct stat info;
    char *read = NULL;
    size_t size = 0;
    int rc = OW_OK;
    FILE *file = fopen(path, "re");
    if (!file)
        return reason_set(why, OW_EIO, "the configuration file %.150s cannot be read: %s", path,
                          strerror(errno));
    if (fstat(fileno(file), &info) != 0 || S_ISDIR(info.st_mode)) {
        rc = reason_set(why, OW_EIO, "%.150s is not a file", path);
        goto out;
    }
    read = malloc(CONFIG_FILE_MAX_BYTES + 2);
    if (!read) {
        rc = reason_set(why, OW_ENOMEM, "%s", error_text(OW_ENOMEM));
        goto out;
    }
    size = fread(read, 1, CONFIG_FILE_MAX_BYTES + 1, file);
    read[size] = '\0';
    if (ferror(file))
        rc = reason_set(why, OW_EIO, "the configuration file %.150s cannot be read", path);
    else if (size > CONFIG_FILE_MAX_BYTES || memchr(read, '\0', size))
        rc = reason_set(why, OW_EPARSE, "%.150s is no configuration file: too large, or not text",
                        path);
    *open_to_others = (info.st_mode & 077) != 0;
out:
    fclose(file);
    if (rc == OW_OK)
        *text = read;
    else
        free(read);
    return rc;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r", text[size - 1]))
        size--;
    text[size] = '\0';
    return text;
}

static void unquote(char **value)
{
    size_t size = strlen(*value);
    if (size < 2 || (*value)[0] != '"' || (*value)[size - 1] != '"')
        return;
    (*value)[size - 1] = '\0';
    (*value)++;
}

int config_file_next(char **at, struct config_line *out)
{
    while (**at) {
        char *line = *at;
        size_t size = strcspn(line, "\n");
        *at = line + size + (line[size] == '\n');
        line[size] = '\0';
        out->number++;
        line = trim(line);
        if (line[0] == '\0' || line[0] == '#')
            continue;
        char *equal = strchr(line, '=');
        if (!equal || equal == line)
            return OW_EPARSE;
        *equal = '\0';
        out->name = trim(line);
        out->value = trim(equal + 1);
        unquote(&out->value);
        return out->name[0] ? OW_OK : OW_EPARSE;
    }
    return OW_ENOTFOUND;
}

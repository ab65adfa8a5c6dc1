#include "net/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- the boundary ---- */

/* bchars of RFC 2046: among them neither CR nor LF, which multipart_read() relies on. */
static bool is_boundary_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("'()+_,-./:=? ", c));
}

int multipart_init(struct multipart *self, const char *content_type)
{
    static const char type[] = "multipart/form-data";
    *self = (struct multipart){.state = MULTIPART_BEFORE};
    if (strncasecmp(content_type, type, sizeof type - 1) != 0)
        return OW_EINVAL;
    const char *at = strcasestr(content_type + sizeof type - 1, "boundary=");
    if (!at)
        return OW_EINVAL;
    at += strlen("boundary=");
    bool quoted = *at == '"';
    at += quoted;
    size_t size = strcspn(at, quoted ? "\"" : "; \t");
    if (size == 0 || size > MULTIPART_MAX_BOUNDARY || (quoted && at[size] != '"'))
        return OW_EINVAL;
    for (size_t i = 0; i < size; i++)
        if (!is_boundary_char(at[i]))
            return OW_EINVAL;
    snprintf(self->delimiter, sizeof self->delimiter, "\r\n--%.*s", (int)size, at);
    self->delimiter_size = size + 4;
    self->matched = 2; /* the first boundary may stand at the very beginning */
    return OW_OK;
}

/* ---- a part's header ---- */

/* The value of ` name="…"` in a Content-Disposition; browsers write %22 for a quote in it. */
static bool read_parameter(const char *line, const char *name, char *out, size_t room)
{
    size_t name_size = strlen(name);
    for (const char *at = line; (at = strstr(at, name)) != NULL; at += name_size) {
        bool begins = at > line && strchr("; \t", at[-1]);
        if (!begins || strncmp(at + name_size, "=\"", 2) != 0)
            continue;
        at += name_size + 2;
        size_t size = strcspn(at, "\"");
        if (at[size] != '"' || size >= room)
            return false;
        memcpy(out, at, size);
        out[size] = '\0';
        return true;
    }
    return false;
}

/* A part with a file name, or one named "file", is the file. */
static bool is_file(struct multipart *self)
{
    static const char field[] = "content-disposition:";
    char name[64];
    self->filename[0] = '\0';
    self->header[self->header_size] = '\0';
    if (strlen(self->header) != self->header_size)
        return false;
    char *rest = NULL;
    for (char *line = strtok_r(self->header, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (strncasecmp(line, field, sizeof field - 1) != 0)
            continue;
        return read_parameter(line, "filename", self->filename, sizeof self->filename) ||
               (read_parameter(line, "name", name, sizeof name) && strcmp(name, "file") == 0);
    }
    return false;
}

static int read_header(struct multipart *self, char c)
{
    if (self->header_size + 1 >= sizeof self->header)
        return OW_EPARSE;
    self->header[self->header_size++] = c;
    bool over =
        self->header_size >= 4 && memcmp(self->header + self->header_size - 4, "\r\n\r\n", 4) == 0;
    if (over)
        self->state = is_file(self) ? MULTIPART_FILE : MULTIPART_BEFORE;
    return OW_OK;
}

/* ---- between the parts ---- */

static int read_ending(struct multipart *self, char c)
{
    if (self->ending_size == 0 && (c == ' ' || c == '\t'))
        return OW_OK; /* padding */
    self->ending[self->ending_size++] = c;
    if (self->ending_size < 2)
        return OW_OK;
    self->ending_size = 0;
    if (memcmp(self->ending, "--", 2) == 0) {
        self->state = MULTIPART_NONE;
        return OW_OK;
    }
    if (memcmp(self->ending, "\r\n", 2) != 0)
        return OW_EPARSE;
    self->state = MULTIPART_HEADER;
    /* A part without header fields begins with an empty line. */
    memcpy(self->header, "\r\n", 2);
    self->header_size = 2;
    return OW_OK;
}

/* One byte while a delimiter is looked for: true when it is complete. Only its first byte is CR, so
 * after a mismatch it can begin anew with this byte, and nowhere before. */
static bool match(struct multipart *self, char c)
{
    if (c == self->delimiter[self->matched])
        self->matched++;
    else
        self->matched = c == '\r';
    if (self->matched < self->delimiter_size)
        return false;
    self->matched = 0;
    return true;
}

/* The file's bytes up to what may be a delimiter; those that were held back for one and are none
 * come first, from the delimiter itself, which they are equal to. */
static size_t read_file(struct multipart *self, const char *data, size_t size, const char **body,
                        size_t *body_size)
{
    if (self->matched == 0) {
        const char *end = memchr(data, '\r', size);
        *body = data;
        *body_size = end ? (size_t)(end - data) : size;
        if (*body_size > 0)
            return *body_size;
    }
    size_t at = 0;
    while (at < size) {
        size_t held = self->matched;
        if (held > 0 && data[at] != self->delimiter[held]) {
            *body = self->delimiter;
            *body_size = held;
            self->matched = 0; /* this byte is looked at again */
            return at;
        }
        if (match(self, data[at++])) {
            self->state = MULTIPART_DONE;
            return at;
        }
    }
    return at;
}

int multipart_read(struct multipart *self, const char *data, size_t size, size_t *used,
                   const char **body, size_t *body_size)
{
    size_t at = 0;
    int rc = OW_OK;
    *body = data;
    *body_size = 0;
    while (at < size && rc == OW_OK && self->state < MULTIPART_FILE) {
        char c = data[at++];
        if (self->state == MULTIPART_HEADER)
            rc = read_header(self, c);
        else if (self->state == MULTIPART_BOUNDARY)
            rc = read_ending(self, c);
        else if (match(self, c))
            self->state = MULTIPART_BOUNDARY;
    }
    if (rc == OW_OK && self->state == MULTIPART_FILE && at < size)
        at += read_file(self, data + at, size - at, body, body_size);
    *used = at;
    return rc;
}

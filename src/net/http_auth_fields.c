#include "net/http_auth_fields.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

bool http_cookie_find(const char *cookies, const char *name, char *out, size_t room)
{
    size_t name_size = strlen(name);
    out[0] = '\0';
    while (*cookies) {
        cookies += strspn(cookies, "; \t");
        size_t pair = strcspn(cookies, ";");
        if (pair > name_size && cookies[name_size] == '=' &&
            memcmp(cookies, name, name_size) == 0) {
            const char *value = cookies + name_size + 1;
            size_t size = pair - name_size - 1;
            while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
                size--;
            if (size == 0 || size >= room)
                return false;
            memcpy(out, value, size);
            out[size] = '\0';
            return true;
        }
        cookies += pair;
    }
    return false;
}

const char *http_bearer_token(const char *authorization)
{
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    const char *token = authorization + 7 + strspn(authorization + 7, " ");
    return token[0] && !token[strcspn(token, " \t,")] ? token : NULL;
}

bool http_next_is_local(const char *next)
{
    if (next[0] != '/' || next[1] == '/')
        return false;
    for (const char *at = next; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '\\')
            return false; /* browsers drop some of these and read others as '/' */
    return true;
}

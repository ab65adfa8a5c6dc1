/* A Cookie header, an Authorization header and a place to go to, of any content. */
#include "fuzz.h"

#include "core/percent.h"
#include "net/http_auth_fields.h"
#include "net/http_auth_password.h"

#include <stdlib.h>
#include <string.h>

/* Whatever is let through must be a path: what browsers make "//host" of must not. */
static void check_next(const char *text)
{
    if (!http_next_is_local(text))
        return;
    if (text[0] != '/' || text[1] == '/' || strpbrk(text, "\\\r\n\t"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char value[16], encoded[64];
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    bool found = http_cookie_find(text, "overwatch_8000", value, sizeof value);
    if (found != (value[0] != '\0') || (found && (strchr(value, ';') || !strstr(text, value))))
        abort();
    const char *token = http_bearer_token(text);
    if (token && (token < text + 7 || !token[0] || strpbrk(token, " ,\t")))
        abort();
    check_next(text);
    if (percent_encode(text, "/", encoded, sizeof encoded) && strpbrk(encoded, " ?&\r\n\"<>\\"))
        abort();
    (void)http_password_is_hash(text);
    free(text);
    return 0;
}

/* Workflows whose addresses may hold passwords: hidden there is none left, and what is revealed
 * again is what it was, as far as a host stands behind each password. */
#include "fuzz.h"

#include "api/url_secrets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Is every text that could be an address one whose password can come back? A password without a
 * host cannot, *** itself looks hidden already, and behind a NUL nothing is looked at. */
static bool comes_back(const json_t *value)
{
    const char *key, *text = json_string_value(value);
    json_t *member;
    size_t i;
    if (text &&
        (strlen(text) != json_string_length(value) || strstr(text, "***") || strstr(text, "@/") ||
         strstr(text, "@?") || strstr(text, "@#") || (text[0] && text[strlen(text) - 1] == '@')))
        return false;
    json_object_foreach((json_t *)value, key, member) if (!comes_back(member)) return false;
    json_array_foreach(value, i, member) if (!comes_back(member)) return false;
    return true;
}

/* Two nodes of one name share what is known of them, as no valid workflow has it. */
static bool has_twins(const json_t *nodes)
{
    for (size_t i = 0; i < json_array_size(nodes); i++)
        for (size_t k = 0; k < i; k++) {
            const json_t *a = json_object_get(json_array_get(nodes, i), "id");
            const json_t *b = json_object_get(json_array_get(nodes, k), "id");
            if (a && b && json_equal(a, b))
                return true;
        }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *document = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(document)) {
        json_decref(document);
        return 0;
    }
    json_t *hidden = json_deep_copy(document), *secrets = json_object();
    url_secrets_hide(hidden, secrets);
    json_t *again = json_deep_copy(hidden), *none = json_object();
    url_secrets_hide(again, none);
    if (!json_equal(again, hidden) || json_object_size(none) > 0)
        abort(); /* something was left to hide */
    json_t *kept = json_deep_copy(secrets);
    url_secrets_hide(again, kept);
    if (!json_equal(kept, secrets))
        abort(); /* saved as it was answered, it must keep its passwords */
    url_secrets_reveal(again, secrets);
    if (comes_back(document) && !has_twins(json_object_get(document, "nodes")) &&
        !json_equal(again, document))
        abort();
    json_decref(kept);
    json_decref(none);
    json_decref(again);
    json_decref(secrets);
    json_decref(hidden);
    json_decref(document);
    return 0;
}

/* Any name of a file: what is made of it is safe in paths, addresses and JSON, and stays as it is.
 */
#include "fuzz.h"

#include "api/uploads.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *given = malloc(size + 1), name[UPLOAD_NAME_BYTES], again[UPLOAD_NAME_BYTES];
    memcpy(given, data, size);
    given[size] = '\0';
    upload_file_name(given, name);
    free(given);
    size_t length = strnlen(name, sizeof name);
    if (length > UPLOAD_NAME_BYTES - 8 || name[0] == '.' || strpbrk(name, "/\\:%*?\n\r\t\x7f"))
        abort();
    json_t *text = json_string(name);
    if (!text)
        abort();
    json_decref(text);
    upload_file_name(name, again);
    if (strcmp(name, again) != 0)
        abort();
    return 0;
}

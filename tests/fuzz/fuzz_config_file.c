/* A configuration file of any content. */
#include "fuzz.h"

#include "app/config_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    int lines = 1;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    struct config_line line = {0};
    char *at = text;
    int rc = OW_OK, before = 0;
    while (rc == OW_OK) {
        rc = config_file_next(&at, &line);
        if (at < text || at > text + size || line.number > lines || line.number < before)
            abort();
        before = line.number;
        if (rc == OW_OK && (!line.name[0] || line.name[strcspn(line.name, "=\n")] ||
                            line.value[strcspn(line.value, "\n")]))
            abort();
    }
    free(text);
    return 0;
}

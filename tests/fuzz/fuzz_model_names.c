/* Class names of any content, as a model's metadata has them. */
#include "fuzz.h"

#include "core/error.h"
#include "vision/model_names.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct label_set *labels = NULL;
    char scratch[16];
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (model_names_parse(&labels, text) == OW_OK) {
        if (!labels || labels->count < 0 || labels->count > MODEL_NAMES_MAX)
            abort();
        for (int i = -1; i <= labels->count; i++)
            if (strlen(label_set_name(labels, i, scratch)) > size + sizeof scratch)
                abort();
    } else if (labels) {
        abort(); /* outputs are written on success only */
    }
    label_set_unref(&labels);
    free(text);
    return 0;
}

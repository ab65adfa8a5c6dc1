/* The file beside a model, of any content. */
#include "fuzz.h"

#include "vision/model_sidecar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct model_sidecar *sidecar)
{
    struct picture_format format = picture_format_default;
    struct output_layout layout = {0};
    model_sidecar_apply(sidecar, &format, &layout);
    for (int c = 0; c < 3; c++)
        if (!isfinite(format.mean[c]) || !(format.std[c] > 0) || !isfinite(1.0F / format.std[c]))
            abort();
    for (int i = 0; i < LAYOUT_MAX_ANCHORS; i++)
        if (!(layout.anchors[i] >= 0 && layout.anchors[i] <= 4096))
            abort();
    if (!(format.border >= 0 && format.border <= 1) || sidecar->width < 0 ||
        sidecar->width > 4096 || sidecar->height > 4096 || sidecar->confidence > 1 ||
        (sidecar->decoder[0] && !model_family_exists(sidecar->decoder)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_sidecar sidecar = {0};
    struct reason why = {""};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    int rc = model_sidecar_parse(&sidecar, text, size, &why);
    if (rc == OW_OK)
        check(&sidecar);
    else if (!why.text[0] || sidecar.labels || sidecar.decoder[0])
        abort(); /* outputs are written on success only, and a failure is told */
    model_sidecar_clear(&sidecar);
    free(text);
    return 0;
}

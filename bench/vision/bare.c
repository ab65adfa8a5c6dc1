#include "bare.h"

#include "core/clock.h"

#include <stdlib.h>

enum { WARM_UP = 5 };

int bare_open(struct bare *bare, const struct model_info *info, int threads, struct reason *why)
{
    *bare = (struct bare){0};
    if (info->batch_least > 1)
        return reason_set(why, OW_EUNSUPPORTED, "a fixed batch is not measured");
    int rc = ort_session_open(&bare->session, info->path, threads, NULL, why);
    if (rc != OW_OK)
        return rc;
    const struct tensor_info *input = &ort_session_info(bare->session)->inputs[0];
    const bool last = input->dims[1] != 3 && input->dims[3] == 3;
    const int64_t width = info->input_width, height = info->input_height;
    const int64_t dims[4] = {1, last ? height : 3, last ? width : height, last ? 3 : width};
    for (int i = 0; i < 4; i++)
        bare->dims[i] = dims[i];
    bare->values = calloc((size_t)(3 * width * height), tensor_type_bytes(input->type));
    int64_t warm_us = 0;
    rc = bare->values != NULL ? bare_run(bare, WARM_UP, &warm_us, why) : OW_ENOMEM;
    if (rc != OW_OK)
        bare_close(bare);
    return rc;
}

void bare_close(struct bare *bare)
{
    ort_session_close(&bare->session);
    free(bare->values);
    bare->values = NULL;
}

int bare_run(struct bare *bare, int runs, int64_t *took_us, struct reason *why)
{
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    const bool last = bare->dims[1] != 3;
    int64_t start_us = clock_now_us();
    for (int i = 0; i < runs; i++) {
        int rc = ort_session_run(bare->session, bare->values, bare->dims, bare->dims[last ? 1 : 2],
                                 bare->dims[last ? 2 : 3], outputs, why);
        if (rc != OW_OK)
            return rc;
    }
    *took_us += clock_now_us() - start_us;
    return OW_OK;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

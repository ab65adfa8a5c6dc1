#include "vision/provider.h"

#include <string.h>

static OrtStatus *append_cuda(const OrtApi *api, OrtSessionOptions *options)
{
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    OrtStatus *status = api->CreateCUDAProviderOptions(&cuda);
    if (status == NULL)
        status = api->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
    if (cuda != NULL)
        api->ReleaseCUDAProviderOptions(cuda);
    return status;
}

static OrtStatus *append_tensorrt(const OrtApi *api, OrtSessionOptions *options)
{
    OrtTensorRTProviderOptionsV2 *tensorrt = NULL;
    OrtStatus *status = api->CreateTensorRTProviderOptions(&tensorrt);
    if (status == NULL)
        status = api->SessionOptionsAppendExecutionProvider_TensorRT_V2(options, tensorrt);
    if (tensorrt != NULL)
        api->ReleaseTensorRTProviderOptions(tensorrt);
    return status;
}

static OrtStatus *append_openvino(const OrtApi *api, OrtSessionOptions *options)
{
    return api->SessionOptionsAppendExecutionProvider_OpenVINO_V2(options, NULL, NULL, 0);
}

static OrtStatus *append_cpu(const OrtApi *api, OrtSessionOptions *options)
{
    (void)api;
    (void)options; /* it is always there, for what others leave */
    return NULL;
}

static const struct provider rows[] = {
    {"cuda", "CUDA", "CUDAExecutionProvider", append_cuda},
    {"tensorrt", "TensorRT", "TensorrtExecutionProvider", append_tensorrt},
    {"openvino", "OpenVINO", "OpenVINOExecutionProvider", append_openvino},
    {"cpu", "CPU", "CPUExecutionProvider", append_cpu},
};

enum { ROWS = sizeof rows / sizeof rows[0] };
static const struct provider *const cpu = &rows[ROWS - 1];

static const struct provider *find(const char *name, size_t size)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == size && strncmp(rows[i].name, name, size) == 0)
            return &rows[i];
    return NULL;
}

int provider_list(const struct provider *out[PROVIDERS_MAX + 1], const char *list,
                  struct reason *why)
{
    /* TensorRT builds an engine of each model for minutes: only who names it gets it. */
    const char *at = list != NULL && list[0] != '\0' ? list : "cuda,openvino";
    int count = 0;
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        const struct provider *provider = find(at, size);
        if (provider == NULL)
            return reason_set(why, OW_EINVAL,
                              "there is no execution provider \"%.*s\": cuda, tensorrt, openvino "
                              "and cpu are known",
                              size > 40 ? 40 : (int)size, at);
        if (provider == cpu || count == PROVIDERS_MAX - 1)
            break;
        out[count++] = provider;
        at += size + (at[size] == ',');
    }
    out[count++] = cpu;
    out[count] = NULL;
    return OW_OK;
}

bool provider_is_built_in(const struct onnxruntime *runtime, const struct provider *provider)
{
    char **names = NULL;
    int count = 0;
    OrtStatus *status = runtime->api->GetAvailableProviders(&names, &count);
    if (status != NULL) {
        runtime->api->ReleaseStatus(status);
        return false;
    }
    bool found = false;
    for (int i = 0; i < count; i++)
        found = found || strcmp(names[i], provider->ort_name) == 0;
    status = runtime->api->ReleaseAvailableProviders(names, count);
    if (status != NULL)
        runtime->api->ReleaseStatus(status);
    return found;
}

/* A command line of any content; NULs part its words. */
#include "fuzz.h"

#include "app/config.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

static void check_and_free(struct config *config)
{
    int port = config_number(config->port), threads = config_number(config->model_threads);
    if (!config->command || port < 0 || port > 65535 || threads < 0 || threads > 64)
        abort();
    if (config->workflow_file && config->source && strcmp(config->command, "run") == 0)
        abort();
    (void)config_flag(config->ice_lite);
    config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "overwatch";
    char *words[WORDS_MAX + 1] = {name};
    int count = 1;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t at = 0; at < size && count < WORDS_MAX; at += strlen(text + at) + 1)
        words[count++] = text + at;
    struct config config;
    struct reason why = {""};
    if (config_read(&config, count, words, &why) == OW_OK)
        check_and_free(&config);
    else if (!why.text[0])
        abort();
    free(text);
    return 0;
}

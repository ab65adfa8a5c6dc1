/* Feeds a fuzz body with every file of a corpus directory: whole, and cut at every byte. Each input
 * lies in its own allocation, so that a sanitizer sees a read past its end. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int replay(const uint8_t *data, size_t size)
{
    for (size_t cut = 0; cut <= size; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        if (!copy)
            return -1;
        memcpy(copy, data, cut);
        LLVMFuzzerTestOneInput(copy, cut);
        free(copy);
    }
    return 0;
}

static int replay_file(const char *path)
{
    int result = -1;
    uint8_t *data = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        goto out;
    if (fseek(file, 0, SEEK_END) != 0)
        goto out;
    long size = ftell(file);
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        goto out;
    data = malloc((size_t)size + 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
        goto out;
    result = replay(data, (size_t)size);
out:
    if (result)
        fprintf(stderr, "cannot replay %s\n", path);
    free(data);
    if (file)
        fclose(file);
    return result;
}

int main(int argc, char **argv)
{
    DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
    if (!directory) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    int replayed = 0, failed = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        failed += replay_file(path) != 0;
        replayed++;
    }
    closedir(directory);
    printf("%d inputs replayed\n", replayed);
    return replayed == 0 || failed > 0; /* an empty corpus tests nothing */
}

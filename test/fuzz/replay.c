/* Runs a fuzz target over each file of a directory. Fails when there is none. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

static void replay(const char *path) {
    FILE *file = fopen(path, "rb");
    MUST(file != NULL);
    MUST(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    MUST(size >= 0);
    rewind(file);
    /* Memory of just this size, so that a sanitizer sees what is read beyond it. */
    uint8_t *data = malloc(size == 0 ? 1 : (size_t)size);
    MUST(data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one printed is the one that ended the process */
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    DIR *corpus = opendir(argv[1]);
    MUST(corpus != NULL);
    size_t n_files = 0;
    for (struct dirent *entry = readdir(corpus); entry != NULL; entry = readdir(corpus)) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        MUST((size_t)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name) < sizeof path);
        replay(path);
        n_files++;
    }
    closedir(corpus);
    MUST(n_files > 0);
    return 0;
}

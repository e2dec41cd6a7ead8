/*
 * main.c - weir COMMAND, and the one thing that is no command: being a worker of a backend
 */
#include "backend/duckdb.h"
#include "cli/command.h"

#include <string.h>

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "duckdb-worker") == 0)
        return duckdb_worker_main(argc - 2, argv + 2);
    return command_main(argc, argv);
}

/*
 * main.c - weir COMMAND, and the one thing that is no command: being a worker of a backend
 */
#include "backend/duckdb_worker.h"
#include "cli/command.h"

#include <string.h>

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], DUCKDB_WORKER_WORD) == 0) return duckdb_worker_main(argc, argv);
    return command_main(argc, argv);
}

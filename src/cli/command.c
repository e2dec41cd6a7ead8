#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>

int tell(const struct report *report) {
    fprintf(stderr, "weir: %s\n", report->sentence);
    if (report->hint[0] != '\0') fprintf(stderr, "hint: %s\n", report->hint);
    return EXIT_WRONG;
}

int tell_usage(const struct command *command, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fputs("weir: ", stderr);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nusage: weir %s %s\n", command->name, command->usage);
    return EXIT_USAGE;
}

/* -- flags ------------------------------------------------------------------------------------ */

static const struct flag *flag_find(const struct flag *flags, struct str name) {
    for (const struct flag *f = flags; f->name != NULL; f++)
        if (str_eq(str_of(f->name), name)) return f;
    return NULL;
}

static bool flag_set(const struct flag *flag, struct str value) {
    if (flag->list == NULL) {
        *flag->into = value;
        return true;
    }
    if (flag->list->n == COUNT(flag->list->items)) {
        fprintf(stderr, "weir: --%s is given too often\n", flag->name);
        return false;
    }
    flag->list->items[flag->list->n++] = value;
    return true;
}

/* argv[*i] begins with "--". */
static bool take_flag(const struct flag *flags, int argc, char **argv, int *i) {
    struct str value = str_of(argv[*i] + 2);
    struct str name = str_cut(&value, '=');
    const struct flag *flag = flag_find(flags, name);
    if (flag == NULL) {
        fprintf(stderr, "weir: unknown option --" STR_FMT "\n", STR_ARG(name));
        return false;
    }
    if (flag->value == NULL && value.ptr != NULL) {
        fprintf(stderr, "weir: --%s takes no value\n", flag->name);
        return false;
    }
    if (flag->value == NULL) {
        *flag->is_given = true;
        return true;
    }
    if (value.ptr == NULL && *i + 1 == argc) {
        fprintf(stderr, "weir: --%s needs a value: %s\n", flag->name, flag->value);
        return false;
    }
    return flag_set(flag, value.ptr != NULL ? value : str_of(argv[++*i]));
}

static bool keep_rest(struct str word, struct str *rest, size_t max_rest, size_t *n_rest) {
    if (*n_rest == max_rest) {
        fprintf(stderr, "weir: too many arguments\n");
        return false;
    }
    rest[(*n_rest)++] = word;
    return true;
}

bool flags_read(const struct flag *flags, int argc, char **argv, struct str *rest, size_t max_rest,
                size_t *n_rest) {
    bool is_over = false;
    *n_rest = 0;
    for (int i = 0; i < argc; i++) {
        struct str word = str_of(argv[i]);
        bool is_fine = true;
        if (!is_over && str_eq(word, STR("--")))
            is_over = true;
        else if (is_over || !str_starts(word, STR("--")))
            is_fine = keep_rest(word, rest, max_rest, n_rest);
        else
            is_fine = take_flag(flags, argc, argv, &i);
        if (!is_fine) return false;
    }
    return true;
}

/* -- which command ---------------------------------------------------------------------------- */

static void print_commands(FILE *out) {
    fputs("Weir governs what AI agents may read and do.\n\nusage: weir COMMAND …\n\n", out);
    for (const struct command *const *c = commands; *c != NULL; c++)
        fprintf(out, "  %-8s %s\n", (*c)->name, (*c)->summary);
    fputs("\n`weir COMMAND --help` tells a command's options.\n", out);
}

static const struct command *command_find(struct str name) {
    for (const struct command *const *c = commands; *c != NULL; c++)
        if (str_eq(str_of((*c)->name), name)) return *c;
    return NULL;
}

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int command_main(int argc, char **argv) {
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (is_help(argv[1])) {
        print_commands(stdout);
        return EXIT_DONE;
    }
    const struct command *command = command_find(str_of(argv[1]));
    if (command == NULL) {
        fprintf(stderr, "weir: there is no command '%s'\n", argv[1]);
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (argc > 2 && is_help(argv[2])) {
        printf("%s\n\nusage: weir %s %s\n", command->summary, command->name, command->usage);
        return EXIT_DONE;
    }
    return command->run(argc - 2, argv + 2);
}

/* The taint test (taint_trial.h) on DuckDB: the backend itself, with its workers and its words. */
#include "engine.h"

#include "taint_trial.h"

enum { RUN_MS = 8000 };

static struct engine_rig rigs[2];
static char folders[2][400];

static void open_warehouse(size_t i) {
    char list[900], here[300];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(folders[i], sizeof folders[i], "%s/weir-taint-XXXXXX", here);
    assert_non_null(mkdtemp(folders[i]));
    taint_write(folders[i], i == 1);
    snprintf(list, sizeof list,
             "[{name: demo, kind: duckdb, load: [\"%s/*.csv\"], workers: 1, threads: 1}]\n",
             folders[i]);
    rig_open(&rigs[i], list);
}

static void open_both(void) {
    open_warehouse(0);
    open_warehouse(1);
}

static void close_both(void) {
    char command[900];
    for (size_t i = 0; i < 2; i++) {
        rig_close(&rigs[i]);
        snprintf(command, sizeof command, "rm -rf '%s'", folders[i]);
        assert_int_equal(system(command), 0);
    }
}

/* DuckDB's words when it is the text that is wrong, and not the data. */
static bool is_misprint(struct str words) {
    static const struct str kinds[] = {STR_INIT("Binder Error"), STR_INIT("Parser Error"),
                                       STR_INIT("Catalog Error"), STR_INIT("Not implemented"),
                                       STR_INIT("INTERNAL Error")};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_find(words, kinds[i]) < words.len) return true;
    return false;
}

static void ask_warehouse(struct taint_run *run) {
    struct line_sink lines;
    struct run_facts facts = {0};
    struct report report = {0};
    struct run_limits limits = limits_ms(RUN_MS);
    limits.is_private = run->is_private;
    line_sink_init(&lines);
    result ran = backend_run(rigs[run->warehouse].backend, run->sql, &limits, &lines.sink, &facts,
                             &run->arena, &report);
    run->is_undone = ran.why == FAIL_TIMEOUT || ran.why == FAIL_BUSY;
    run->is_failure = ran.why != FAIL_NONE;
    run->engine = facts.engine_error;
    run->is_misprint = run->is_failure && is_misprint(facts.engine_error);
    if (run->is_failure)
        run->text =
            str_printf(&run->arena, "%s %s: %s (%s)", fail_name(ran.why),
                       report.code != NULL ? report.code : "?", report.sentence, report.hint);
    else
        run->text = str_dup(&run->arena, buf_flat(&lines.text, &run->arena));
    buf_deinit(&lines.text);
}

int main(int argc, char **argv) {
    struct taint_house house = {.name = "DuckDB",
                                .dialect = DIALECT_DUCKDB,
                                .ask = ask_warehouse,
                                .open = open_both,
                                .close = close_both,
                                .first = TAINT_FIRST,
                                .count = 100 * TAINT_SHARE,
                                .hole_count = 1500,
                                .least_accepted = 60,
                                .least_rows = 30,
                                .most_misprints = 1,
                                .has_structs = true};
    engine_worker(argc, argv);
    return taint_main(&house, argc, argv);
}
